package accessory

import (
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Pursuit is what a television is trying to bring about.
type Pursuit string

// Pursuits. A title or the home screen wakes the console first if necessary.
const (
	PursuitNone    Pursuit = ""
	PursuitAwake   Pursuit = "awake"
	PursuitStandby Pursuit = "standby"
	PursuitTitle   Pursuit = "title" // Snapshot.Starting
	PursuitHome    Pursuit = "home"
)

// Snapshot is the state of a television at one moment.
type Snapshot struct {
	// Status is the console's last reply, with its present state: silence in the
	// minute after a standby is rest mode. TitleName is the name of the title's
	// input, if it has one.
	ps4.Status
	Name     string    // in HomeKit
	LastSeen time.Time // of the last reply; zero: none yet

	Active           bool // in HomeKit: the requested state until the console confirms or refuses
	ActiveIdentifier int
	Starting         string // the title that is being started, or ""
	Pursuing         Pursuit
	Working          bool // a command is under way
	SessionOpen      bool
	KeyboardOpen     bool      // the on-screen keyboard; known while a session is open
	Identified       time.Time // when a controller last asked which console this is

	LastError   error // of the last command; nil after a new one
	LastErrorAt time.Time

	Inputs []Input // as Home orders them
}

// Input is one input of a television.
type Input struct {
	Identifier int
	TitleID    string // empty for the two fixed ones
	Name       string // in HomeKit
	Title      string // given by the console; empty: never seen running
	Configured bool
	Pinned     bool // by configuration or command
	Added      bool // by command
	Renamed    bool
	Hidden     bool
	Missing    bool      // the console last refused to start it as not installed
	LastPlayed time.Time // zero: never seen running
}

// Snapshot returns the current state, from memory.
func (t *Television) Snapshot() Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Snapshot{
		Status: t.status, Name: t.displayName(), LastSeen: t.lastSeen,
		Active: t.m.active(), ActiveIdentifier: t.identifier(), Working: t.m.working(),
		Identified: t.identified,
		LastError:  t.trouble, LastErrorAt: t.troubleAt,
		Inputs: t.in.list(),
	}
	s.Pursuing, s.Starting = t.m.pursuing()
	s.SessionOpen, s.KeyboardOpen = t.console.State()
	s.Addr, s.State, s.TitleID, s.TitleName = t.console.Addr(), t.m.seen.state, "", ""
	if s.State == ps4.StateAwake {
		s.TitleID = t.m.seen.title
		s.TitleName = s.inputName(s.TitleID)
		if s.TitleID == t.status.TitleID && t.in.slot(s.TitleID) == 0 {
			s.TitleName = t.status.TitleName
		}
	}
	return s
}

// inputName returns the name of a title's input, or its id.
func (s *Snapshot) inputName(title string) string {
	for _, in := range s.Inputs {
		if in.TitleID == title && title != "" {
			return in.Name
		}
	}
	return title
}

// list returns the inputs in the order of Home.
func (in *inputs) list() []Input {
	names := in.names()
	var list []Input
	for _, id := range in.sorted() {
		saved, i := in.titles[id], in.configured(id)
		input := Input{
			Identifier: saved.Slot, TitleID: id, Name: names[saved.Slot-1], Title: saved.Title,
			Configured: i >= 0, Pinned: saved.Pinned || i >= 0 && in.config[i].Pin, Added: saved.Added,
			Renamed: saved.Name != "", Hidden: saved.Hidden, Missing: saved.missing, LastPlayed: saved.LastPlayed,
		}
		if saved.Slot <= fixedSlots {
			input.TitleID = ""
		}
		list = append(list, input)
	}
	return list
}

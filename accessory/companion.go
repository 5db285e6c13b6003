package accessory

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
)

// CompanionConfig configures a companion bridge. A zero field means its default.
type CompanionConfig struct {
	Name        string        // of the bridge; default "PS4 Companion"
	Televisions []*Television // each console once; the order does not matter
	Titles      []string      // ids of the titles that get a switch on each console
	Log         Logger        // nil discards
}

// Companion is the bridge of docs/homekit.md §1. It has sensors and switches for
// what Home cannot automate on a television.
//
//	aid 1                the bridge
//	for each console     sensor  "Den on"          occupied while the console is on
//	                     sensor  "Den playing"     occupied while a title runs
//	                     switch  "Den power"       as Active of its television
//	                     switch  "Netflix on Den"  on while the title runs or is being started
//
// Each is an accessory of its own: Home shows an accessory as one tile, and a tap
// on it turns every switch in it. Sensors show the state of the console. Switches
// show the requested state until the console confirms or refuses, as a television
// does. Turning a title's switch off shows the home screen. If the console keeps
// running the title behind it, the switch comes back on.
//
// It is safe for concurrent use.
type Companion struct {
	cfg      CompanionConfig
	as       []*accessory.A
	consoles map[string]*carried // by host id

	mu  sync.Mutex // held from reading a television to publishing it, so that the latest state stays
	pub Publisher
}

const (
	companionName = "PS4 Companion"
	maxBridged    = 149 // accessories behind a bridge; 150 with the bridge itself is what Home takes
)

// carried is a console on the bridge.
type carried struct {
	tv    *Television
	tiles []*tile
}

// tile is one accessory of the bridge.
type tile struct {
	role, title string // title: of the switch of a title
	name        string
	c           *characteristic.C
	value       func(s *Snapshot) any
	write       func(on bool) // nil for a sensor
}

// Roles are part of the accessory ids: they must never change.
const (
	roleOn      = "on"
	rolePlaying = "playing"
	rolePower   = "power"
	roleTitle   = "title"
)

// NewCompanion returns a bridge with the current state of its televisions. It
// fails for a repeated console, an invalid title id, and more than 149 sensors
// and switches.
func NewCompanion(c CompanionConfig) (*Companion, error) {
	b := &Companion{cfg: c, consoles: map[string]*carried{}, pub: modelOnly{}}
	if b.cfg.Log == nil {
		b.cfg.Log = discard{}
	}
	b.cfg.Name = cmp.Or(cleanName(c.Name), companionName)
	b.cfg.Televisions = slices.SortedFunc(slices.Values(c.Televisions), func(x, y *Television) int {
		return strings.Compare(x.cfg.HostID, y.cfg.HostID)
	})
	titles := make([]Title, len(c.Titles))
	for i, id := range c.Titles {
		titles[i].ID = id
	}
	titles, err := completeTitles(titles)
	if err != nil {
		return nil, err
	}
	b.addBridge()
	names := map[string]bool{}
	for _, tv := range b.cfg.Televisions {
		if err := b.addConsole(tv, titles, names); err != nil {
			return nil, err
		}
	}
	if n := len(b.as) - 1; n > maxBridged {
		return nil, fmt.Errorf("%d sensors and switches: a bridge takes %d; choose fewer titles", n, maxBridged)
	}
	return b, nil
}

// addConsole adds the accessories of a console with its state. names are taken
// already.
func (b *Companion) addConsole(tv *Television, titles []Title, names map[string]bool) error {
	host, snapshot := tv.cfg.HostID, tv.Snapshot()
	if b.consoles[host] != nil {
		return fmt.Errorf("console %s is there twice", host)
	}
	console := &carried{tv: tv, tiles: tilesOf(tv, &snapshot, titles)}
	for _, t := range console.tiles {
		aid := companionID(host, t.role, t.title)
		if slices.ContainsFunc(b.as, func(a *accessory.A) bool { return a.Id == aid }) {
			return errors.New("two accessories have the same id") // about 1 in 10^10 for 149
		}
		t.name = uniqueName(cmp.Or(cleanName(t.name), host), maxGivenName, names)
		b.as = append(b.as, b.build(aid, console, t, &snapshot))
		t.c.SetValueRequest(t.value(&snapshot), nil)
	}
	b.consoles[host] = console
	return nil
}

func tilesOf(tv *Television, s *Snapshot, titles []Title) []*tile {
	tiles := []*tile{
		{role: roleOn, name: s.Name + " on", value: func(s *Snapshot) any { return oneIf(s.State == ps4.StateAwake) }},
		{role: rolePlaying, name: s.Name + " playing", value: func(s *Snapshot) any { return oneIf(s.TitleID != "") }},
		{role: rolePower, name: s.Name + " power", value: func(s *Snapshot) any { return s.Active },
			write: func(on bool) { tv.wish(setPower{powerFor(on)}) }},
	}
	if !tv.Can().Titles {
		return tiles
	}
	for _, title := range titles {
		t := &tile{role: roleTitle, title: title.ID, name: titleNameIn(s, title.ID) + " on " + s.Name}
		t.value = func(s *Snapshot) any { return s.plays(t.title) }
		t.write = func(on bool) { switchTitle(tv, t.title, on) }
		tiles = append(tiles, t)
	}
	return tiles
}

// switchTitle starts a title, or leaves it if it runs.
func switchTitle(tv *Television, title string, on bool) {
	s := tv.Snapshot()
	switch {
	case on:
		tv.wish(selectTitle{title: title})
	case s.plays(title):
		tv.wish(selectTitle{})
	}
}

// plays reports whether a title runs or is being started.
func (s *Snapshot) plays(title string) bool {
	switch {
	case !s.Active:
		return false
	case s.Starting != "":
		return s.Starting == title
	}
	return s.TitleID == title && s.ActiveIdentifier != homeScreen // not while it is being left
}

// titleNameIn returns the name of a title's input, or its id.
func titleNameIn(s *Snapshot, id string) string {
	for _, in := range s.Inputs {
		if in.TitleID == id {
			return in.Name
		}
	}
	return id
}

// companionID returns the id of an accessory: 2 to 2^48+1, independent of the
// other accessories, and small enough for controllers that keep numbers as
// floating point.
func companionID(host, role, title string) uint64 {
	sum := sha256.Sum256([]byte(host + "/" + role + "/" + title))
	return binary.BigEndian.Uint64(sum[:])>>16 + 2
}

// Accessories returns the bridge and its accessories, which do not change.
func (b *Companion) Accessories() []*accessory.A { return slices.Clone(b.as) }

// Name returns the name of the bridge.
func (b *Companion) Name() string { return b.cfg.Name }

// Attach sets the publisher of the values.
func (b *Companion) Attach(p Publisher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pub = p
}

// Changed publishes the state of a console. Call it from Config.OnChange. It
// ignores consoles that are not on the bridge.
func (b *Companion) Changed(hostID string) {
	console := b.consoles[strings.ToUpper(hostID)]
	if console == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	snapshot := console.tv.Snapshot()
	for _, t := range console.tiles {
		if v := t.value(&snapshot); t.c.Value() != v {
			b.pub.Set(t.c, v, nil)
		}
	}
}

// write handles a write of a controller. The value shows at once, and stays if
// the television accepts it.
func (b *Companion) write(host string, t *tile, value any, by *http.Request) int {
	on, _ := value.(bool)
	b.mu.Lock()
	b.pub.Set(t.c, on, by)
	b.mu.Unlock()
	t.write(on)
	b.Changed(host)
	return statusOK
}

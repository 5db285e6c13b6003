package accessory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// TestIntents plays the stories of testdata/intents.md.
func TestIntents(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("testdata/intents.md")
	if err != nil {
		t.Fatal(err)
	}
	stories := 0
	for _, line := range strings.Split(string(table), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 8 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[1] == "" || cells[2] == "" || strings.HasPrefix(cells[1], "-") {
			continue
		}
		stories++
		t.Run(cells[1], func(t *testing.T) {
			t.Parallel()
			s := newStory(t, cells[2])
			s.play(cells[3])
			s.compare("to the console", s.commands, cells[4])
			s.compare("in Home", s.home, cells[5])
			s.compare("log", s.log, cells[6])
		})
	}
	if stories < 50 {
		t.Errorf("only %d stories found", stories)
	}
}

// story runs a machine against a console that answers as the table says.
type story struct {
	t       *testing.T
	m       machine
	start   time.Time
	now     time.Time
	console ps4.Update // what it answers; silent: StateUnreachable
	polled  time.Time
	last    ps4.Update // what a Watch makes of that
	rested  time.Time
	left    bool
	reached bool

	shown               string
	commands, home, log []string
	wakes               int
}

func newStory(t *testing.T, before string) *story {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &story{t: t, start: start, now: start.Add(-6 * time.Second)}
	s.answer(before)
	s.poll()
	s.home = nil
	return s
}

// poll tells the machine what a ps4.Watch would.
func (s *story) poll() {
	s.polled = s.now
	before := s.last.State
	s.last.Asked = s.now
	switch s.console.State {
	case ps4.StateUnreachable:
		s.last.Missed++
		s.left = s.left || s.last.Missed > 1
		if s.now.Before(s.deafBy()) {
			s.last.State, s.last.TitleID = ps4.StateStandby, ""
		} else if s.last.Missed >= defaultMiss {
			s.last.State, s.last.TitleID = ps4.StateUnreachable, ""
		}
	case ps4.StateStandby:
		s.last.State, s.last.TitleID, s.last.Missed, s.left = ps4.StateStandby, "", 0, true
		if before == ps4.StateAwake {
			s.rested = s.now
		}
	case ps4.StateAwake:
		s.last.State, s.last.TitleID, s.last.Missed = ps4.StateAwake, s.console.TitleID, 0
		if s.left || s.now.Sub(s.rested) >= 30*time.Second {
			s.rested, s.left = time.Time{}, false
		}
	}
	s.last.DeafUntil = s.deafBy()
	s.step(s.last)
}

func (s *story) deafBy() time.Time {
	if s.rested.IsZero() {
		return time.Time{}
	}
	return s.rested.Add(ps4.DeafTime)
}

// answer sets what the console says to polls; it reports whether the word is a state.
func (s *story) answer(word string) bool {
	state, title, _ := strings.Cut(word, " ")
	states := map[string]ps4.State{"awake": ps4.StateAwake, "rest": ps4.StateStandby, "silent": ps4.StateUnreachable}
	st, known := states[state]
	if known {
		s.console = ps4.Update{Status: ps4.Status{State: st, TitleID: title}}
	}
	return known
}

var endings = map[string]error{
	"ok": nil, "refused": ps4.ErrStandbyDisabled, "again": ps4.ErrUnreachable, "resting": ps4.ErrStandby,
}

// play runs what happens, and three minutes more.
func (s *story) play(script string) {
	for _, item := range strings.Split(script, ";") {
		at, what, ok := strings.Cut(strings.TrimSpace(item), " ")
		seconds, err := strconv.ParseFloat(at, 64)
		if !ok || err != nil {
			s.t.Fatalf("what happens: %q", item)
		}
		s.run(s.start.Add(time.Duration(seconds * float64(time.Second))))
		s.happen(what)
	}
	s.run(s.now.Add(3 * time.Minute))
	if s.m.working() {
		s.t.Errorf("after three minutes something is still under way: %+v", s.m)
	}
}

func (s *story) happen(what string) {
	title, isSelect := strings.CutPrefix(what, "select ")
	end, isEnd := endings[what]
	switch {
	case s.answer(what):
	case isSelect:
		s.write(selectTitle{title: title})
	case what == "home":
		s.write(selectTitle{})
	case what == "power on":
		s.write(setPower{powerOn})
	case what == "power off":
		s.write(setPower{powerOff})
	case what == "reached":
		s.reached = true
	case what == "wake refused":
		s.step(woken{ps4.ErrNoCredential})
	case what == "call": // SendWake
		s.step(woken{})
		s.write(setPower{powerOn})
	case isEnd && s.m.busy != nil:
		s.finish(end)
	default:
		s.t.Fatalf("at %v: %q cannot happen, busy is %v", s.now.Sub(s.start), what, s.m.busy)
	}
}

func (s *story) finish(end error) {
	sent := s.reached || end == nil
	s.reached = false
	if s.m.busy.do == doStandby && sent {
		s.rested, s.left = s.now, false
	}
	s.step(finished{err: end, sent: sent})
}

// write steps, and polls at once, as the television does.
func (s *story) write(e event) {
	s.step(e)
	s.polled = time.Time{}
}

// run lets time pass: polls and the machine's own times, in order.
func (s *story) run(until time.Time) {
	for {
		every := 2 * defaultPoll
		if s.m.working() || s.last.State == ps4.StateAwake {
			every = defaultPoll
		}
		poll := s.polled.Add(every)
		if poll.Before(s.now) {
			poll = s.now
		}
		next, isPoll := poll, true
		if due := s.m.next(); !due.IsZero() && !due.After(next) {
			next, isPoll = due, false
		}
		if b := s.m.busy; b != nil && b.until.Before(next) && b.until.Before(until) { // the deadline of its context
			s.now = later(s.now, b.until)
			s.finish(context.DeadlineExceeded)
			continue
		}
		if !next.Before(until) { // what happens comes before a poll of the same instant
			s.now = until
			return
		}
		s.now = next
		if !isPoll {
			s.step(tick{})
			continue
		}
		s.poll()
	}
}

func (s *story) step(e event) {
	before := s.m.busy
	_, ends := e.(finished)
	for _, a := range s.m.step(e, s.now) {
		if before != nil && !ends && (a.do == doStandby || a.do == doLaunch) {
			s.t.Fatalf("%+v while %+v uses the session", a, before)
		}
		s.act(a)
	}
	s.show()
}

func (s *story) act(a action) {
	if a.do == doWake {
		if s.wakes++; s.wakes > 1 {
			last := &s.commands[len(s.commands)-1]
			*last, _, _ = strings.Cut(*last, " x")
			*last += fmt.Sprintf(" x%d", s.wakes)
			return
		}
		s.command("wake")
		return
	}
	s.wakes = 0
	switch a.do {
	case doStandby:
		s.command("standby")
	case doLaunch:
		if a.launch.title == "" {
			s.command("home")
		} else {
			s.command("start " + a.launch.title)
		}
	case doCancel:
		s.command("cancel")
		s.finish(context.Canceled)
	case doReport:
		s.log = append(s.log, s.stamp(reportWord(a.err)))
	}
}

func (s *story) command(what string) { s.commands = append(s.commands, s.stamp(what)) }

func reportWord(err error) string {
	switch {
	case errors.Is(err, ErrNotWoken):
		return "not woken"
	case errors.Is(err, ErrStillAwake):
		return "still awake"
	case errors.Is(err, ErrLaunchTimeout):
		return "too late"
	case outcomeOf(err) == refused:
		return "refused"
	}
	return "again"
}

// show notes what HomeKit reads, when it changes.
func (s *story) show() {
	shown := "off"
	if s.m.active() {
		shown = "on"
	}
	if l := s.m.target(); l != nil {
		shown += " " + map[bool]string{true: "home", false: l.title}[l.title == ""]
	}
	if shown != s.shown {
		s.shown = shown
		s.home = append(s.home, s.stamp(shown))
	}
}

func (s *story) stamp(what string) string {
	return strconv.FormatFloat(s.now.Sub(s.start).Seconds(), 'f', -1, 64) + " " + what
}

func (s *story) compare(what string, got []string, want string) {
	if g := strings.Join(got, "; "); g != want {
		s.t.Errorf("%s:\n got %q\nwant %q", what, g, want)
	}
}

// TestStalePoll: a poll that was under way when somebody wrote, or when a command ended, tells nothing about what became of it.
func TestStalePoll(t *testing.T) {
	t.Parallel()
	s := newStory(t, "awake")
	s.run(s.start)
	s.write(selectTitle{title: "A"})
	s.run(s.start.Add(2 * time.Second))
	s.finish(nil)
	s.step(ps4.Update{Asked: s.start.Add(1900 * time.Millisecond), Status: ps4.Status{State: ps4.StateAwake}})
	if s.m.seen.title != "A" {
		t.Error("an old poll says that the title that was started does not run")
	}
	s.step(ps4.Update{Asked: s.now, Status: ps4.Status{State: ps4.StateAwake, TitleID: "B"}})
	if s.m.seen.title != "B" {
		t.Error("a new poll says nothing")
	}
}

// One lost poll must not make "home" a no-op on a console
// that is on and plays a title.
func TestHomeAfterALostPoll(t *testing.T) {
	t.Parallel()
	s := newStory(t, "awake A")
	s.play("0.5 silent; 1.2 home; 2 awake A; 4 ok")
	if !strings.Contains(strings.Join(s.commands, "; "), "home") {
		t.Errorf("the home screen was never asked for: %q", s.commands)
	}
}

package tui_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/tui"
)

func TestPickOneOfSeveral(t *testing.T) {
	ps5 := api.Console{HostID: "A0B1C2D3E4F7", HostType: "PS5", Name: "Five", Address: "192.168.1.22", State: api.StateUnreachable}
	f := newFake(attic, den, ps5)
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.shows("Which console?", "> Attic  192.168.1.21  rest mode", "  Den  192.168.1.20  awake", "not reachable  PS5")
		s.typeKeys("down", "enter")
		s.shows("Den", "● awake")
		s.typeKeys("o", "tab")
		wantCalls(t, f, "keys option")
		s.shows("> Den")
		s.typeKeys("home", "enter", "o")
		s.shows("Attic", "◐ rest mode")
		wantCalls(t, f, "keys option on "+attic.HostID)
		s.typeKeys("tab", "down", "esc")
		s.shows("Attic")
	})
}

func TestTheListShowsHowConsolesAreNow(t *testing.T) {
	stale := attic
	stale.State = api.StateUnreachable
	f := newFake(den, stale)
	f.takes["status"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.shows("not reachable")
		f.set(func() { f.known = []api.Console{den, attic} })
		s.pass(time.Second)
		s.shows("rest mode")
		s.hides("not reachable")
	})
}

// TestCommandsGoToTheConsoleTheyWereTypedFor: also when another one is shown before
// they run.
func TestCommandsGoToTheConsoleTheyWereTypedFor(t *testing.T) {
	f := newFake(den, attic)
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("enter")
		f.set(func() { f.takes["keys"] = time.Second })
		s.typeKeys("p", "o", "tab")
		s.typeKeys("down", "enter", "o")
		s.pass(3 * time.Second)
		wantCalls(t, f, "keys ps", "keys option", "keys option on "+attic.HostID)
	})
}

func TestTheOnlyConsoleTakesWhatWasTypedAhead(t *testing.T) {
	f := newFake(den)
	f.takes["consoles"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.shows("Looking for consoles")
		s.typeKeys("down", "p")
		s.pass(time.Second)
		wantCalls(t, f, "keys down", "keys ps")
	})
}

func TestTypingAheadPicksNoConsole(t *testing.T) {
	f := newFake(den, attic)
	f.takes["consoles"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("down", "enter", "s")
		s.pass(time.Second)
		s.shows("Which console?", "> Den")
		wantCalls(t, f)
	})
}

func TestNothingKnownIsSearchedFor(t *testing.T) {
	f := newFake()
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.shows("Looking for consoles")
		s.pass(tui.SearchTime)
		s.shows("No console found", "r search again")
		s.typeKeys("enter", "esc", "down")
		s.shows("No console found")
		f.set(func() { f.found = []api.Console{attic} })
		s.typeKeys("r")
		s.pass(tui.SearchTime)
		s.shows("Attic", "◐ rest mode")
		s.typeKeys("w")
		wantCalls(t, f, "wake true on "+attic.Address)
	})
}

func TestTheListCannotBeHad(t *testing.T) {
	f := newFake(den)
	f.fails["consoles"] = errors.New("the server has gone")
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.shows("the server has gone", "r search again")
		if s.typeKeys("q"); !s.quit {
			t.Error("did not quit")
		}
	})
}

func TestAnAnswerForAListThatWasLeft(t *testing.T) {
	f := newFake(den, attic)
	f.takes["status"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		f.set(func() { f.found = []api.Console{attic} })
		s.typeKeys("r")
		s.pass(tui.SearchTime + 2*time.Second)
		s.shows("Attic", "◐ rest mode") // the only one that answered
		s.typeKeys("w")
		wantCalls(t, f, "wake true on "+attic.Address)
	})
}

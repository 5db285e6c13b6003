package tui_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/tui"
)

func TestStateIsAskedForAllTheTime(t *testing.T) {
	f := newFake(den)
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.shows("Den", "192.168.1.20", "● awake  Netflix (CUSA00129)")
		f.set(func() { f.known = []api.Console{{HostID: den.HostID, Name: "Den", State: api.StateStandby}} })
		s.pass(tui.PollInterval)
		s.shows("◐ rest mode")
		f.set(func() { f.known[0].State = api.StateUnreachable })
		s.pass(tui.PollInterval)
		s.shows("○ not reachable")
		f.set(func() { f.known[0].State, f.known[0].TitleID = api.StateAwake, "CUSA1" })
		s.pass(tui.PollInterval)
		s.shows("● awake  CUSA1")
		f.set(func() { f.known[0].TitleID = "" })
		s.pass(tui.PollInterval)
		s.shows("no title running")
		if asked, most := f.polls(); asked != 5 || most != 1 {
			t.Errorf("asked %d times, %d at once; want 5 times, one at once", asked, most)
		}
	})
}

func TestStateIsAskedForWhileACommandRuns(t *testing.T) {
	f := newFake(attic)
	onScreen(t, f, func(t *testing.T, s *screen) {
		f.set(func() { f.takes["wake"] = 10 * time.Second })
		s.typeKeys("w")
		f.set(func() { f.known = []api.Console{{HostID: attic.HostID, State: api.StateAwake}} })
		s.pass(tui.PollInterval)
		s.shows("waking up (2 s)", "● awake")
	})
}

func TestStateIsAskedForAfterEachCommand(t *testing.T) {
	f := newFake(den)
	onScreen(t, f, func(t *testing.T, s *screen) {
		for range 3 {
			s.pass(300 * time.Millisecond)
			s.typeKeys("o")
		}
		if asked, _ := f.polls(); asked != 4 {
			t.Errorf("asked %d times, want 4 times", asked)
		}
		s.pass(tui.PollInterval) // of the four timers, the last one asks
		if asked, _ := f.polls(); asked != 5 {
			t.Errorf("asked %d times, want 5", asked)
		}
	})
}

func TestASlowAnswerBlocksNothing(t *testing.T) {
	f := newFake(den)
	f.takes["status"] = time.Hour
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("o")
		s.shows("pressed option")
		s.typeKeys("esc")
		s.pass(tui.PollLimit)
		s.shows("no answer yet; still trying")
		f.set(func() { f.takes["status"] = 0 })
		s.pass(tui.PollInterval + tui.PollLimit)
		s.hides("still trying")
		f.set(func() {
			if f.limited {
				t.Error("a status request has a deadline, so the backend waits that long for a console that is off")
			}
		})
	})
}

func TestAPollThatFailsIsShownAndForgotten(t *testing.T) {
	f := newFake(den)
	onScreen(t, f, func(t *testing.T, s *screen) {
		f.set(func() { f.fails["status"] = errors.New("the server has gone") })
		s.pass(tui.PollInterval)
		s.shows("the server has gone", "● awake") // what was last seen
		f.set(func() { delete(f.fails, "status") })
		s.pass(tui.PollInterval)
		s.hides("the server has gone")
	})
}

func TestAHostThatIsGivenNeedsNoList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(den, attic)
		withScreen(t, tui.Options{Client: clientOf(f), Host: attic.Address}, func(t *testing.T, s *screen) {
			s.shows("Attic", "◐ rest mode")
			s.typeKeys("w")
			wantCalls(t, f, "wake true on "+attic.Address)
		})
	})
}

func TestOneQuestionAtATime(t *testing.T) {
	f := newFake(den)
	f.takes["status"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		for range 10 {
			s.typeKeys("o")
			s.pass(700 * time.Millisecond)
		}
		if asked, most := f.polls(); asked < 5 || most != 1 {
			t.Errorf("asked %d times, %d at once; want some, one at once", asked, most)
		}
	})
}

package tui_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

func library() []api.Title {
	return []api.Title{
		{ID: "HOME", Name: "Home"},
		{ID: "CUSA00129", Name: "Netflix"},
		{ID: "CUSA00135", Name: "Arkham", Title: "BATMAN: ARKHAM KNIGHT"},
		{ID: "CUSA00552", Name: "The Last of Us"},
		{ID: "CUSA04294", Name: "Guide", Hidden: true},
		{ID: "OTHER", Name: "Other"},
	}
}

func TestTitlesAreSearchedWhileTyping(t *testing.T) {
	f := newFake(den)
	f.titles = library()
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("/")
		s.shows("> Netflix  CUSA00129  running", "  Arkham", "  The Last of Us")
		s.hides("Home", "Other", "Guide")
		s.typeKeys("last", " ", "of")
		s.shows("> The Last of Us")
		s.hides("Arkham")
		s.typeKeys("ctrl+u", "u")
		s.shows("The Last of Us")
		s.hides("Netflix  CUSA") // the u of its id does not count
		s.typeKeys("ctrl+u", "KNIGHT batman")
		s.shows("> Arkham")
		s.typeKeys("ctrl+w", "ctrl+w", "guide")
		s.shows("> Guide  CUSA04294  hidden")
		s.typeKeys("x")
		s.shows("No title matches.")
		s.typeKeys("enter", "backspace")
		s.shows("> Guide")
		s.typeKeys("ctrl+u", "cusa00552", "enter")
		s.shows("started The Last of Us", "PS held")
		wantCalls(t, f, "start CUSA00552 false")
	})
}

func TestTitlesAreChosenByArrowKeys(t *testing.T) {
	f := newFake(den)
	for i := range 50 {
		f.titles = append(f.titles, api.Title{ID: fmt.Sprintf("CUSA%05d", i), Name: fmt.Sprintf("Title %d", i)})
	}
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("/", "up", "down", "down", "pgdown", "pgdown", "up")
		s.shows("> Title 21")
		s.typeKeys("end")
		s.shows("> Title 49")
		s.typeKeys("down", "home")
		s.shows("> Title 0")
		s.typeKeys("pgup", "down", "enter")
		wantCalls(t, f, "start CUSA00001 false")
	})
}

// TestTheCursorStaysInTheList: a search makes the list shorter than the cursor was.
func TestTheCursorStaysInTheList(t *testing.T) {
	f := newFake(den)
	f.titles = library()
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("/", "end", "netfl", "enter")
		wantCalls(t, f, "start CUSA00129 false")
		s.typeKeys("/", "zzz", "down", "enter", "up", "backspace", "esc")
		wantCalls(t, f)
		s.shows("PS held")
	})
}

func TestTitlesTakeWhatWasTypedAhead(t *testing.T) {
	f := newFake(den)
	f.titles = library()
	f.takes["titles"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("/arkham", "enter", "o") // as one message from the terminal, and then two
		s.shows("Reading the titles")
		wantCalls(t, f)
		s.pass(time.Second)
		wantCalls(t, f, "start CUSA00135 false", "keys option")
	})
}

func TestTitlesThatWereLeftComeTooLate(t *testing.T) {
	f := newFake(den)
	f.titles = library()
	f.takes["titles"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("/", "ark", "esc", "o")
		s.pass(2 * time.Second)
		s.hides("Arkham")
		wantCalls(t, f, "keys option")
	})
}

func TestTitlesFail(t *testing.T) {
	f := newFake(den)
	f.fails["titles"] = &api.Error{Code: "x", Message: "cannot say", Hint: "Try again."}
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("/")
		s.shows("cannot say", "Try again.", "PS held")
		f.set(func() { delete(f.fails, "titles") })
		s.typeKeys("/")
		s.shows("No titles yet")
	})
}

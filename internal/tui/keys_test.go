package tui_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/tui"
)

func TestKeysAreTheConsolesButtons(t *testing.T) {
	f := newFake(den)
	onScreen(t, f, func(t *testing.T, s *screen) {
		for _, tt := range []struct{ key, call string }{
			{"up", "keys up"}, {"down", "keys down"}, {"left", "keys left"}, {"right", "keys right"},
			{"enter", "keys enter"}, {"ctrl+j", "keys enter"}, {"backspace", "keys back"}, {"ctrl+h", "keys back"},
			{"o", "keys option"}, {"p", "keys ps"}, {"h", "keys ps_hold"}, {"c", "keys cancel"},
			{"w", "wake true"}, {"s", "standby"},
		} {
			s.typeKeys(tt.key)
			wantCalls(t, f, tt.call)
		}
		s.typeKeys("C", "[", "é", " ", "home") // nothing at all, as what is left of a torn escape sequence
		s.send(tea.KeyPressMsg{Code: 's', Mod: tea.ModAlt})
		s.send(tea.PasteMsg{Content: "ws"})
		s.settle()
		wantCalls(t, f)
	})
}

func TestFastTypingGoesInOrderInFewCalls(t *testing.T) {
	f := newFake(den)
	f.takes["keys"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("down", "down", "oo", "enter", "w", "up", "up")
		wantCalls(t, f, "keys down") // the first one leaves at once
		s.shows("pressing down", "7 more queued")
		s.pass(5 * time.Second)
		wantCalls(t, f, "keys down option option enter", "wake true", "keys up up")
		s.shows("pressed up ×2")
	})
}

func TestLongTypingIsSplit(t *testing.T) {
	f := newFake(den)
	f.takes["keys"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys(strings.Repeat("o", 1+tui.KeysPerCall+3))
		s.pass(4 * time.Second)
		wantCalls(t, f, "keys option", "keys"+strings.Repeat(" option", tui.KeysPerCall), "keys option option option")
	})
}

// FuzzNothingTypedIsLost types letters in chunks of any size, time passing or not
// between them: every one of them arrives, in order, one call at a time.
func FuzzNothingTypedIsLost(f *testing.F) {
	for _, seed := range []string{"o", "oooo", "opo|wso", "o|p|c||h", "owpscohw", "ssww|oo", strings.Repeat("poc", 60) + "w|s"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	calls := map[rune]string{'o': "option", 'p': "ps", 'h': "ps_hold", 'c': "cancel", 'w': "wake", 's': "standby"}
	f.Fuzz(func(t *testing.T, typed string, fails bool) {
		var want []string
		for _, r := range typed {
			if calls[r] != "" {
				want = append(want, calls[r])
			} else if r != '|' {
				t.Skip("not a key of the table")
			}
		}
		if len(typed) > 300 {
			t.Skip("too long for a fast run")
		}
		synctest.Test(t, func(t *testing.T) {
			b := newFake(den)
			b.takes["keys"], b.takes["wake"] = 120*time.Millisecond, 300*time.Millisecond
			if fails {
				b.fails["keys"], b.fails["standby"] = errors.New("no"), errors.New("no")
			}
			withScreen(t, tui.Options{Client: clientOf(b)}, func(t *testing.T, s *screen) {
				for chunk := range strings.SplitSeq(typed, "|") {
					if chunk != "" {
						s.typeKeys(chunk)
					}
					s.pass(50 * time.Millisecond)
				}
				s.typeKeys("q") // quits when all is done
				for range 1000 {
					if s.quit {
						break
					}
					s.pass(time.Second)
				}
				if got := sent(b.did()); !slices.Equal(got, want) || b.mostActing > 1 {
					t.Errorf("typed %q: got %v with %d at a time, want %v", typed, got, b.mostActing, want)
				}
			})
		})
	})
}

// sent lists the presses and other commands of calls.
func sent(calls []string) (list []string) {
	for _, call := range calls {
		word, rest, _ := strings.Cut(call, " ")
		if word == "keys" {
			list = append(list, strings.Fields(rest)...)
		} else {
			list = append(list, word)
		}
	}
	return list
}

func TestAnErrorStaysUntilSomethingNewWorks(t *testing.T) {
	f := newFake(den)
	f.takes["wake"] = time.Second
	f.fails["wake"] = &api.Error{Code: "unreachable", Message: "no answer", Hint: "Is it plugged in?"}
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("w", "o")
		s.pass(2 * time.Second)
		wantCalls(t, f, "wake true", "keys option") // goes on
		s.shows("no answer", "Is it plugged in?")
		s.hides("pressed option") // was typed before the error was there to be read
		s.typeKeys("p")
		s.shows("pressed ps")
		s.hides("no answer", "plugged in")
	})
}

func TestErrorsThatKnowAHint(t *testing.T) {
	f := newFake(den)
	onScreen(t, f, func(t *testing.T, s *screen) {
		f.set(func() { f.fails["keys"] = hinted{errors.New("link refused")} })
		s.typeKeys("o")
		s.shows("link refused", "  Link again.")
		f.set(func() { f.fails["keys"] = errors.New("plain") })
		s.typeKeys("o")
		s.shows("plain")
		s.hides("Link again.")
		s.typeKeys("esc")
		s.hides("plain")
	})
}

type hinted struct{ error }

func (hinted) Code() string { return "not_linked" }
func (hinted) Hint() string { return "Link again." }

func TestStopEndsWhatRunsAndForgetsWhatWaits(t *testing.T) {
	f := newFake(den)
	f.takes["wake"] = time.Minute
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("w", "oo", "s")
		s.pass(3 * time.Second)
		s.shows("waking up (3 s), 3 more queued", "x stops")
		s.typeKeys("x")
		s.shows("stopped")
		s.hides("waking up", "x stops")
		wantCalls(t, f, "wake true")
		if !slices.Equal(f.cancelled, []string{"wake"}) {
			t.Errorf("cancelled: %v", f.cancelled)
		}
		s.typeKeys("x", "p")
		wantCalls(t, f, "keys ps")
	})
}

func TestACommandThatTakesLongerThanItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(den)
		f.takes["wake"] = time.Minute
		withScreen(t, tui.Options{Client: clientOf(f), Host: den.HostID, Limit: 5 * time.Second}, func(t *testing.T, s *screen) {
			s.typeKeys("w", "o")
			s.pass(4 * time.Second)
			s.shows("waking up (4 s)")
			s.pass(time.Second)
			s.shows("timed out after 5s", "--timeout")
			wantCalls(t, f, "wake true", "keys option")
		})
	})
}

func TestQuitWaitsForWhatWasTyped(t *testing.T) {
	f := newFake(den)
	f.takes["keys"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("ooq", "p")
		s.shows("pressing option, 1 more queued; q quits at once")
		if s.quit {
			t.Error("quit before the keys were pressed")
		}
		s.pass(2 * time.Second)
		wantCalls(t, f, "keys option", "keys option") // what was typed after q is not for the console
		if !s.quit {
			t.Error("did not quit when everything was done")
		}
	})
}

func TestQuitAtOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		keys []string
	}{
		{"idle", []string{"q"}}, {"q twice", []string{"o", "q", "q"}}, {"ctrl+c", []string{"o", "ctrl+c"}},
		{"in the titles", []string{"/", "q", "ctrl+c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(den)
			f.takes["keys"] = time.Minute
			onScreen(t, f, func(t *testing.T, s *screen) {
				if s.typeKeys(tt.keys...); !s.quit {
					t.Error("did not quit")
				}
			})
		})
	}
}

// TestKeysBeforeTheFirstAnswerAreForThatConsole: a terminal may send keys before the
// screen has even begun to ask.
func TestKeysBeforeTheFirstAnswerAreForThatConsole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(den)
		s, end := newScreen(t, tui.Options{Client: clientOf(f)})
		defer end()
		s.typeKeys("op")
		s.model.Init()
		s.settle()
		wantCalls(t, f, "keys option", "keys ps")
	})
}

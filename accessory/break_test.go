package accessory

import (
	"strings"
	"testing"
)

// BREAK (issue 13 §5): one lost poll must not make "home" a no-op on a console
// that is on and plays a title.
func TestBreakHomeAfterALostPoll(t *testing.T) {
	t.Parallel()
	s := newStory(t, "awake A")
	s.play("0.5 silent; 1.2 home; 2 awake A; 4 ok")
	if !strings.Contains(strings.Join(s.commands, "; "), "home") {
		t.Errorf("the home screen was never asked for: %q", s.commands)
	}
}

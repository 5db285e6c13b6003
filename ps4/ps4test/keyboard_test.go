package ps4test_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func startKeyboard(p *peer) wire.KeyboardStarted {
	p.tb.Helper()
	p.send(wire.Empty{Type: wire.TypeKeyboardStart})
	started, err := wire.UnmarshalKeyboardStarted(p.expect(wire.TypeKeyboardStarted))
	p.must(err)
	return started
}

func textOf(p *peer) string {
	p.tb.Helper()
	text, err := wire.UnmarshalKeyboardText(p.expect(wire.TypeKeyboardText))
	p.must(err)
	return text.Text
}

func TestKeyboardBothWays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		p := newPeer(t, c)
		p.signIn()
		if got := startKeyboard(p); got.Result != uint32(ps4.ErrNoClient) {
			t.Errorf("closed: %+v", got)
		}
		c.OpenKeyboard("Zoë 🎮", 8)
		p.answer(p.expect(wire.TypeHeartbeat))
		if p.beats[len(p.beats)-1] != wire.HeartbeatKeyboard {
			t.Errorf("heartbeats %v", p.beats)
		}
		want := wire.KeyboardStarted{MaxLength: 8, Text: "Zoë 🎮"}
		if got := startKeyboard(p); got != want {
			t.Errorf("started %+v, want %+v", got, want)
		}
		c.TypeText("from the TV")
		if got := textOf(p); got != "from the" {
			t.Errorf("the console sent %q", got)
		}
		p.answer(p.expect(wire.TypeHeartbeat))
		p.send(wire.NewKeyboardText("🎮🎮🎮xx and more"))
		p.send(wire.Word{Type: wire.TypeKeyboardControl, Value: wire.KeyboardReturn})
		p.wait(func(now ps4test.Snapshot) bool { return now.Counters.KeyboardControls == 1 })
		if got := c.Submitted(); !slices.Equal(got, []string{"🎮🎮🎮xx"}) {
			t.Errorf("submitted %q", got)
		}
		if c.Snapshot().Keyboard {
			t.Error("open after submitting")
		}
	})
}

func TestKeyboardClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		c.OpenKeyboard("abc", 10)
		p := newPeer(t, c)
		p.signIn()
		p.send(wire.NewKeyboardText("before asking"))
		startKeyboard(p)
		c.CloseKeyboard()
		if got, _ := wire.UnmarshalWord(p.expect(wire.TypeKeyboardControl)); got != wire.KeyboardClose {
			t.Errorf("control %d", got)
		}
		p.answer(p.expect(wire.TypeHeartbeat))
		p.send(wire.NewKeyboardText("too late"))
		p.send(wire.Word{Type: wire.TypeKeyboardControl, Value: wire.KeyboardReturn})
		p.wait(func(now ps4test.Snapshot) bool { return now.Counters.KeyboardControls == 1 })
		if now := c.Snapshot(); now.Text != "" || now.Keyboard || len(now.Submitted) != 0 {
			t.Errorf("text %q, open %v, submitted %q", now.Text, now.Keyboard, now.Submitted)
		}
	})
}

func TestKeyboardTextIsCutByPairs(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]string{0: "", 1: "a", 2: "a", 3: "a🎮", 100: "a🎮b"} {
		c := ps4test.Start(t, ps4test.Config{Network: ps4test.NewNetwork()})
		c.OpenKeyboard("a🎮b", limit)
		if got := c.Snapshot().Text; got != want {
			t.Errorf("limit %d: %q, want %q", limit, got, want)
		}
	}
	c := ps4test.Start(t, ps4test.Config{Network: ps4test.NewNetwork()})
	c.OpenKeyboard(strings.Repeat("x", 5000), 5000)
	if got := c.Snapshot().Text; len(got) != wire.MaxKeyboardText {
		t.Errorf("%d units kept, more than a packet holds", len(got))
	}
}

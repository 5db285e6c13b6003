package ps4test_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// strict runs a test with a client that is logged in to a console with
// StrictKeys, and checks the operations that the console received: one with an
// exclamation mark was ignored.
func strict(t *testing.T, want string, test func(p *peer)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true, StrictKeys: true})
		p := newPeer(t, c)
		p.signIn()
		p.drain()
		test(p)
		synctest.Wait()
		if got := strings.Trim(fmt.Sprint(c.Keys()), "[]"); got != want {
			t.Errorf("operations %q, want %q", got, want)
		}
	})
}

// after waits for a number of milliseconds and sends operations.
func (p *peer) after(ms int, ops ...wire.Operation) {
	p.tb.Helper()
	time.Sleep(time.Duration(ms) * time.Millisecond)
	p.press(ops...)
}

func TestStrictTaps(t *testing.T) {
	strict(t, "open_rc down key_off down key_off close_rc", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(200, wire.OpDown, wire.OpKeyOff)
		p.after(200, wire.OpDown, wire.OpKeyOff)
		p.after(200, wire.OpCloseRC)
		if got := p.console.Presses(); !slices.Equal(got, []string{"down", "down"}) {
			t.Errorf("presses %q", got)
		}
	})
}

func TestStrictHold(t *testing.T) {
	strict(t, "open_rc right right:700 key_off left", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(200, wire.OpRight)
		p.after(700)
		p.send(wire.Remote{Operation: wire.OpRight, HoldMS: 700})
		p.press(wire.OpKeyOff)
		p.after(200, wire.OpLeft)
		synctest.Wait()
		if got := p.console.Presses(); !slices.Equal(got, []string{"right:700", "left"}) {
			t.Errorf("presses %q", got)
		}
	})
}

func TestStrictHoldOfPS(t *testing.T) {
	strict(t, "open_rc ps ps:2000 up", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(200, wire.OpPS)
		p.after(2000)
		p.send(wire.Remote{Operation: wire.OpPS, HoldMS: 2000})
		p.after(1000, wire.OpUp)
	})
}

func TestStrictOpenTooSoon(t *testing.T) {
	strict(t, "open_rc! up! key_off!", func(p *peer) {
		p.after(1000, wire.OpOpenRC)
		p.after(200, wire.OpUp, wire.OpKeyOff)
	})
}

func TestStrictNotOpen(t *testing.T) {
	strict(t, "enter! open_rc close_rc up!", func(p *peer) {
		p.after(2000, wire.OpEnter)
		p.after(0, wire.OpOpenRC)
		p.after(200, wire.OpCloseRC)
		p.after(200, wire.OpUp)
	})
}

func TestStrictKeyTooSoonAfterOpen(t *testing.T) {
	strict(t, "open_rc enter!", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(100, wire.OpEnter)
	})
}

func TestStrictKeyTooSoonAfterTap(t *testing.T) {
	strict(t, "open_rc down key_off down! key_off", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(200, wire.OpDown, wire.OpKeyOff)
		p.after(100, wire.OpDown, wire.OpKeyOff)
		if got := p.console.Presses(); !slices.Equal(got, []string{"down"}) {
			t.Errorf("presses %q", got)
		}
	})
}

func TestStrictKeyTooSoonAfterPS(t *testing.T) {
	strict(t, "open_rc ps key_off down!", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(200, wire.OpPS, wire.OpKeyOff)
		p.after(500, wire.OpDown)
	})
}

func TestStrictIdleLimit(t *testing.T) {
	strict(t, "open_rc up!", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(60_000, wire.OpUp)
	})
}

func TestStrictUnknownOperation(t *testing.T) {
	strict(t, "open_rc Operation(4096)! Operation(3)!", func(p *peer) {
		p.after(1500, wire.OpOpenRC)
		p.after(200, 4096, 3)
	})
}

func TestRemoteLeftOpenIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true, StandbyDisabled: true})
		p := newPeer(t, c)
		p.signIn()
		time.Sleep(1500 * time.Millisecond)
		p.press(wire.OpOpenRC)
		p.boot("CUSA00129")
		p.ask(wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult)
		p.press(wire.OpCloseRC)
		p.send(wire.Empty{Type: wire.TypeBye})
		if err := p.ended(); !isClosed(err) {
			t.Fatal(err)
		}
		if n := c.Counters(); n.RemoteLeftOpen != 2 || n.Byes != 1 {
			t.Errorf("left open %d, byes %d", n.RemoteLeftOpen, n.Byes)
		}
	})
}

func TestRecordsKeepTheNewest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		p := newPeer(t, c)
		p.signIn()
		p.drain()
		for range 1000 {
			p.press(wire.OpUp)
		}
		synctest.Wait()
		before := c.Keys()
		p.press(wire.OpDown)
		synctest.Wait()
		after := c.Keys()
		if len(before) != 1000 || len(after) != 1000 || before[999].Op != wire.OpUp || after[999].Op != wire.OpDown {
			t.Errorf("%d and %d keys, the last %v and %v", len(before), len(after), before[999], after[999])
		}
		if n := c.Counters().Operations; n != 1001 {
			t.Errorf("%d operations counted", n)
		}
	})
}

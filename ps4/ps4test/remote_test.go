package ps4test_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// timed is an operation and when it is sent after the one before.
type timed struct {
	wait time.Duration
	op   wire.Operation
	hold uint32
}

func TestStrictKeys(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	open := timed{1500 * ms, wire.OpOpenRC, 0}
	tests := map[string]struct {
		send    []timed
		want    []string // as Key.String has them
		presses []string
	}{
		"tap": {
			[]timed{open, {200 * ms, wire.OpUp, 0}, {0, wire.OpKeyOff, 0}, {200 * ms, wire.OpCloseRC, 0}},
			[]string{"open_rc", "up", "key_off", "close_rc"}, []string{"up"},
		},
		"opened too soon": {
			[]timed{{time.Second, wire.OpOpenRC, 0}, {200 * ms, wire.OpUp, 0}, {0, wire.OpKeyOff, 0}},
			[]string{"open_rc!", "up!", "key_off!"}, nil,
		},
		"not opened": {[]timed{{2000 * ms, wire.OpEnter, 0}}, []string{"enter!"}, nil},
		"right after opening": {
			[]timed{open, {100 * ms, wire.OpEnter, 0}}, []string{"open_rc", "enter!"}, nil,
		},
		"two taps with a gap": {
			[]timed{open, {200 * ms, wire.OpDown, 0}, {0, wire.OpKeyOff, 0}, {200 * ms, wire.OpDown, 0}, {0, wire.OpKeyOff, 0}},
			[]string{"open_rc", "down", "key_off", "down", "key_off"}, []string{"down", "down"},
		},
		"two taps too fast": {
			[]timed{open, {200 * ms, wire.OpDown, 0}, {0, wire.OpKeyOff, 0}, {100 * ms, wire.OpDown, 0}, {0, wire.OpKeyOff, 0}},
			[]string{"open_rc", "down", "key_off", "down!", "key_off"}, []string{"down"},
		},
		"too soon after PS": {
			[]timed{open, {200 * ms, wire.OpPS, 0}, {0, wire.OpKeyOff, 0}, {500 * ms, wire.OpDown, 0}},
			[]string{"open_rc", "ps", "key_off", "down!"}, []string{"ps"},
		},
		"hold": {
			[]timed{open, {200 * ms, wire.OpRight, 0}, {700 * ms, wire.OpRight, 700}, {0, wire.OpKeyOff, 0}, {200 * ms, wire.OpLeft, 0}},
			[]string{"open_rc", "right", "right:700", "key_off", "left"}, []string{"right:700", "left"},
		},
		"hold of PS": {
			[]timed{open, {200 * ms, wire.OpPS, 0}, {2000 * ms, wire.OpPS, 2000}, {1000 * ms, wire.OpUp, 0}},
			[]string{"open_rc", "ps", "ps:2000", "up"}, []string{"ps:2000", "up"},
		},
		"after closing": {
			[]timed{open, {200 * ms, wire.OpCloseRC, 0}, {200 * ms, wire.OpUp, 0}},
			[]string{"open_rc", "close_rc", "up!"}, nil,
		},
		"left open for a minute": {
			[]timed{open, {time.Minute, wire.OpUp, 0}}, []string{"open_rc", "up!"}, nil,
		},
		"no such operation": {
			[]timed{open, {200 * ms, 4096, 0}, {0, 3, 0}},
			[]string{"open_rc", "Operation(4096)!", "Operation(3)!"}, nil,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := memory(t, ps4test.Config{Linked: true, StrictKeys: true})
				p := newPeer(t, c)
				p.signIn()
				p.drain()
				for _, s := range tt.send {
					time.Sleep(s.wait)
					p.send(wire.Remote{Operation: s.op, HoldMS: s.hold})
				}
				synctest.Wait()
				var got []string
				for _, k := range c.Keys() {
					got = append(got, k.String())
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("operations %q, want %q", got, tt.want)
				}
				if got := c.Presses(); !slices.Equal(got, tt.presses) {
					t.Errorf("presses %q, want %q", got, tt.presses)
				}
			})
		})
	}
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

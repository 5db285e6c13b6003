package remoteplay_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// simulated returns a simulated console with a registration, and a client for
// it whose options change adjusts.
func simulated(t testing.TB, cfg ps4test.Config, change func(*remoteplay.Options)) (*ps4test.Console, *remoteplay.Console) {
	t.Helper()
	if cfg.HostType == "" {
		cfg.HostType = ps4.TypePS5
	}
	r, err := remoteplay.Stored{HostType: cfg.HostType, RegistKey: registKey, RPKey: hexKey}.Registration()
	if err != nil {
		t.Fatal(err)
	}
	cfg.RemotePlay = &ps4test.RemotePlay{Registered: []remoteplay.Registration{r}}
	sim := ps4test.Start(t, cfg)
	o := sim.RemotePlayOptions()
	o.Stream = true
	if change != nil {
		change(o)
	}
	c := remoteplay.New(ps4.NewConsole(sim.Addr(), ps4.Credential{}, sim.Options()), r, o)
	t.Cleanup(func() { c.Close() })
	return sim, c
}

// onStream runs a test with a PS5 in memory on a fake clock.
func onStream(t *testing.T, change func(*remoteplay.Options), do func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, c := simulated(t, ps4test.Config{Network: ps4test.NewNetwork()}, change)
		do(t, sim, c)
	})
}

// keys presses keys in the console's session.
func keys(t testing.TB, c *remoteplay.Console, list ...ps4.Key) error {
	t.Helper()
	return c.Do(t.Context(), func(ctx context.Context, s *remoteplay.Session) error { return s.Keys(ctx, list...) })
}

func tap(t testing.TB, c *remoteplay.Console, buttons ...ps4.Button) {
	t.Helper()
	var list []ps4.Key
	for _, b := range buttons {
		list = append(list, ps4.Key{Button: b})
	}
	if err := keys(t, c, list...); err != nil {
		t.Fatalf("pressing %v: %v", buttons, err)
	}
}

func pressed(t *testing.T, sim *ps4test.Console, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := sim.Presses(); !slices.Equal(got, want) {
		t.Errorf("the console saw %v, want %v", got, want)
	}
}

// TestKeys presses every button of every family.
func TestKeys(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]ps4test.Config{
		"PS5":     {HostType: ps4.TypePS5},
		"PS4":     {HostType: ps4.TypePS4, SystemVersion: "09508011"},
		"PS4 7.x": {HostType: ps4.TypePS4, SystemVersion: "07550001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg.Network = ps4test.NewNetwork()
				sim, c := simulated(t, cfg, nil)
				var want []string
				for _, b := range ps4.Buttons() {
					switch b {
					case ps4.PSHold:
						want = append(want, "ps:1000")
					case ps4.Cancel:
						want = append(want, "back")
					default:
						want = append(want, b.String())
					}
				}
				tap(t, c, ps4.Buttons()...)
				if err := keys(t, c, ps4.Key{Button: ps4.L2, Hold: 700 * time.Millisecond}); err != nil {
					t.Fatal(err)
				}
				pressed(t, sim, append(want, "l2:700")...)
				c.Drop()
				n := sim.Counters()
				if n.Streams != 1 || n.StreamsClosed != 1 || n.StreamErrors != 0 || n.ButtonsLeftDown != 0 || n.MediaBytes == 0 || n.Homes != 0 {
					t.Errorf("counters %+v", n)
				}
			})
		})
	}
}

// TestKeyTimes: the first key within a second of the command, and each later one
// at once.
func TestKeyTimes(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		start := time.Now()
		tap(t, c, ps4.Up)
		first := sim.Keys()[0].At
		if took := first.Sub(start); took > time.Second {
			t.Errorf("the first key took %v", took)
		}
		time.Sleep(20 * time.Second)
		start = time.Now()
		if err := keys(t, c, ps4.Key{Button: ps4.Down, Hold: 400 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 405*time.Millisecond {
			t.Errorf("a warm key took %v", took)
		}
		pressed(t, sim, "up", "down:400")
	})
}

// TestStreamLingers: the stream closes 45 s after the last key, and the session
// with it.
func TestStreamLingers(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		tap(t, c, ps4.Up)
		start := time.Now()
		closed := func() time.Duration {
			t.Helper()
			if _, err := sim.WaitFor(t.Context(), func(s ps4test.Snapshot) bool { return s.Counters.StreamsClosed > 0 }); err != nil {
				t.Fatal(err)
			}
			return time.Since(start).Round(time.Second)
		}
		if got := closed(); got != 45*time.Second {
			t.Errorf("the stream closed after %v", got)
		}
		synctest.Wait()
		if open, _ := c.State(); open || sim.Snapshot().LoggedIn {
			t.Error("the session is still open")
		}
		if n := sim.Counters(); n.ProtocolErrors != 0 || n.Dropped != 0 || n.StreamErrors != 0 {
			t.Errorf("counters %+v", n)
		}
	})
}

// TestCommandsKeepStream: any command keeps a session with a stream open for
// longer, and a stream closes with its session.
func TestCommandsKeepStream(t *testing.T) {
	onStream(t, func(o *remoteplay.Options) { o.KeyLinger = 5 * time.Second },
		func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
			tap(t, c, ps4.Up)
			time.Sleep(4 * time.Second)
			if err := c.Do(t.Context(), nothing); err != nil {
				t.Fatal(err)
			}
			time.Sleep(4 * time.Second)
			if open, _ := c.State(); !open || sim.Counters().StreamsClosed != 0 {
				t.Errorf("session open: %v, counters %+v", open, sim.Counters())
			}
			time.Sleep(2 * time.Second)
			if open, _ := c.State(); open || sim.Counters().StreamsClosed != 1 {
				t.Errorf("session open: %v, counters %+v", open, sim.Counters())
			}
			tap(t, c, ps4.Down)
			pressed(t, sim, "up", "down")
			if n := sim.Counters(); n.Streams != 2 || n.Controls != 2 {
				t.Errorf("counters %+v", n)
			}
		})
}

func TestKeysWithoutStream(t *testing.T) {
	onStream(t, func(o *remoteplay.Options) { o.Stream = false },
		func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
			tap(t, c, ps4.PS, ps4.PS)
			fails(t, keys(t, c, ps4.Key{Button: ps4.PS}, ps4.Key{Button: ps4.Up}), remoteplay.ErrPSOnly, "ps_only")
			fails(t, keys(t, c, ps4.Key{Button: ps4.PSHold}), remoteplay.ErrPSOnly, "ps_only")
			fails(t, keys(t, c, ps4.Key{Button: ps4.PS, Hold: 2 * time.Second}), remoteplay.ErrPSOnly, "ps_only")
			synctest.Wait()
			if n := sim.Counters(); n.Homes != 2 || n.StreamPackets != 0 {
				t.Errorf("counters %+v", n)
			}
		})
}

func TestBadKeysPressNothing(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		for _, bad := range []ps4.Key{{}, {Button: 99}, {Button: ps4.Up, Hold: -1}, {Button: ps4.Up, Hold: time.Hour}} {
			fails(t, keys(t, c, ps4.Key{Button: ps4.Up}, bad), ps4.ErrButton, "bad_button")
		}
		pressed(t, sim)
		if n := sim.Counters(); n.StreamPackets != 0 {
			t.Errorf("counters %+v", n)
		}
	})
}

// TestHoldEndsWithContext: the button is released early.
func TestHoldEndsWithContext(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		tap(t, c, ps4.Up)
		time.Sleep(time.Second)
		err := c.Do(t.Context(), func(ctx context.Context, s *remoteplay.Session) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			return s.Hold(ctx, ps4.Down, time.Minute)
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		pressed(t, sim, "up", "down:2000")
	})
}

// TestKeysTakeTurns: a key waits for the one before it, or until its context
// ends.
func TestKeysTakeTurns(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		err := c.Do(t.Context(), func(ctx context.Context, s *remoteplay.Session) error {
			if err := s.Keys(ctx); err != nil || sim.Counters().Streams != 0 {
				t.Errorf("no keys: %v, counters %+v", err, sim.Counters())
			}
			held := make(chan error, 1)
			go func() { held <- s.Hold(ctx, ps4.Left, 10*time.Second) }()
			time.Sleep(5 * time.Second)
			limited, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if err := s.Press(limited, ps4.Up); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a key that waits too long: %v", err)
			}
			return errors.Join(s.Press(ctx, ps4.Right), <-held)
		})
		if err != nil {
			t.Error(err)
		}
		pressed(t, sim, "left:10000", "right")
	})
}

// TestDropReleases: a session that is dropped while a button is down releases it
// and says goodbye.
func TestDropReleases(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		ended := make(chan error, 1)
		go func() { ended <- keys(t, c, ps4.Key{Button: ps4.Left, Hold: time.Minute}) }()
		time.Sleep(5 * time.Second)
		c.Drop()
		fails(t, <-ended, ps4.ErrClosed, "closed")
		if got := strings.Join(sim.Presses(), " "); !strings.HasPrefix(got, "left:4") {
			t.Errorf("the console saw %s", got)
		}
		if n := sim.Counters(); n.StreamsClosed != 1 || n.ButtonsLeftDown != 0 {
			t.Errorf("counters %+v", n)
		}
	})
}

// TestDropWhileOpening: a session that is dropped opens no stream.
func TestDropWhileOpening(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		sim.SetFaults(ps4test.Faults{NoProbe: true}) // for which the stream waits 2 s
		ended := make(chan error, 1)
		go func() { ended <- keys(t, c, ps4.Key{Button: ps4.Left}) }()
		time.Sleep(2 * time.Second)
		start := time.Now()
		c.Drop()
		fails(t, <-ended, ps4.ErrClosed, "closed")
		if took := time.Since(start); took > 100*time.Millisecond || sim.Counters().Streams != 0 {
			t.Errorf("it took %v, counters %+v", took, sim.Counters())
		}
	})
}

// TestStandbyWithStream: standby works while a stream is open.
func TestStandbyWithStream(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		tap(t, c, ps4.Up)
		if err := c.Standby(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := sim.Counters(); n.Standbys != 1 || n.ButtonsLeftDown != 0 || n.StreamErrors != 0 {
			t.Errorf("counters %+v", n)
		}
	})
}

// TestStandbyClosesStreamFirst: also with a console that leaves at once.
func TestStandbyClosesStreamFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, c := simulated(t, ps4test.Config{Network: ps4test.NewNetwork(), Timing: ps4test.FastTiming()}, nil)
		tap(t, c, ps4.Up)
		if err := c.Standby(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := sim.Counters(); n.StreamsClosed != 1 || n.StreamErrors != 0 {
			t.Errorf("counters %+v", n)
		}
	})
}

func TestStreamFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		faults ps4test.Faults
		took   time.Duration // at most
	}{
		"refused": {ps4test.Faults{RefuseStream: true}, time.Second},
		"silent":  {ps4test.Faults{NoStream: true}, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
				sim.SetFaults(tt.faults)
				start := time.Now()
				fails(t, keys(t, c, ps4.Key{Button: ps4.PS}, ps4.Key{Button: ps4.Up}), remoteplay.ErrStream, "stream")
				if took := time.Since(start); took > tt.took {
					t.Errorf("it took %v", took)
				}
				synctest.Wait()
				if open, _ := c.State(); open || sim.Snapshot().LoggedIn {
					t.Error("the session is still open")
				}
				tap(t, c, ps4.PS) // which needs no stream
				synctest.Wait()
				if n := sim.Counters(); n.Homes != 1 || n.Streams != 0 {
					t.Errorf("counters %+v", n)
				}
				sim.SetFaults(ps4test.Faults{})
				tap(t, c, ps4.PS, ps4.Up)
				pressed(t, sim, "ps", "up")
			})
		})
	}
}

// TestNoProbe: a console without the probe's port costs 2 s.
func TestNoProbe(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		sim.SetFaults(ps4test.Faults{NoProbe: true})
		start := time.Now()
		tap(t, c, ps4.Up)
		if took := time.Since(start); took < 2*time.Second || took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		pressed(t, sim, "up")
	})
}

// TestConsoleEndsStream: a session whose stream the console ends is over, and
// the next key opens another.
func TestConsoleEndsStream(t *testing.T) {
	onStream(t, nil, func(t *testing.T, sim *ps4test.Console, c *remoteplay.Console) {
		tap(t, c, ps4.Up)
		sim.EndStream("Server shutting down")
		synctest.Wait()
		if open, _ := c.State(); open {
			t.Error("the session is still open")
		}
		tap(t, c, ps4.Down)
		pressed(t, sim, "up", "down")
	})
}

// TestConsoleDiesDuringHold: a console that falls silent while a button is held
// costs no more than that hold.
func TestConsoleDiesDuringHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network, dead := ps4test.NewNetwork(), atomic.Bool{}
		sim, c := simulated(t, ps4test.Config{Network: network}, nil)
		network.OnDatagram(func(_ []byte, to netip.AddrPort) []time.Duration {
			if dead.Load() && to.Port() > sim.RemotePlayAddr().Port() {
				return nil
			}
			return []time.Duration{0}
		})
		tap(t, c, ps4.Up)
		start := time.Now()
		time.AfterFunc(2*time.Second, func() { dead.Store(true) })
		fails(t, keys(t, c, ps4.Key{Button: ps4.Left, Hold: time.Minute}), remoteplay.ErrStream, "stream")
		if took := time.Since(start); took > 9*time.Second {
			t.Errorf("it took %v", took)
		}
		time.Sleep(10 * time.Second) // the console gives up, too
		dead.Store(false)
		tap(t, c, ps4.Down)
		if got := sim.Presses(); got[len(got)-1] != "down" {
			t.Errorf("the console saw %v", got)
		}
	})
}

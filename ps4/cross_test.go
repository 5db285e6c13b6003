package ps4_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// These tests drive the simulated console of ps4test, with the timings of a
// real one, over its network in memory.

func inSimulation(t *testing.T, cfg ps4test.Config, test func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console)) {
	t.Helper()
	t.Parallel()
	cfg.Key, cfg.StrictKeys = testKey(), true
	synctest.Test(t, func(t *testing.T) {
		cfg.Network = ps4test.NewNetwork()
		sim, err := ps4test.New(cfg)
		ok(t, err)
		defer sim.Close()
		cred, _, _ := secrets(t)
		test(t.Context(), t, sim, ps4.NewConsole(sim.Addr(), cred, sim.Options()))
	})
}

// evening is everything that one does with a console.
func evening(ctx context.Context, sim *ps4test.Console, c *ps4.Console) error {
	if _, err := c.WakeWait(ctx); err != nil {
		return err
	}
	pin, err := ps4.ParsePIN(testPIN)
	if err != nil {
		return err
	}
	if err := c.Link(ctx, pin); err != nil {
		return err
	}
	if err := visit(ctx, sim, c); err != nil {
		return err
	}
	s, err := c.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Keys(ctx, ps4.Key{Button: ps4.Down}, ps4.Key{Button: ps4.PSHold}, ps4.Key{Button: ps4.Enter}); err != nil {
		return err
	}
	if err := errors.Join(s.StartTitle(ctx, other, nil), s.StartTitle(ctx, title, nil)); err != nil {
		return err
	}
	time.Sleep(time.Minute) // heartbeats
	sim.OpenKeyboard("", 32)
	k, err := s.Keyboard(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(k.SetText(ctx, "Ünïcode ✈"), k.Submit(ctx)); err != nil {
		return err
	}
	return s.Standby(ctx)
}

// visit looks at a text that somebody types on the TV, and logs out.
func visit(ctx context.Context, sim *ps4test.Console, c *ps4.Console) error {
	s, err := c.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	sim.OpenKeyboard("a", 32)
	k, err := s.Keyboard(ctx)
	if err != nil {
		return err
	}
	sim.TypeText("abc")
	time.Sleep(time.Second)
	if k.Text() != "abc" {
		return errors.New("the text that was typed did not come: " + k.Text())
	}
	return errors.Join(k.Close(ctx), s.Logout(ctx))
}

// A console that answers nonsense, or cuts the connection before its answer, ends each command and the session at once.
func TestEveryAnswerMayBeGarbageOrNeverCome(t *testing.T) {
	commands := map[string]func(ctx context.Context, sim *ps4test.Console, s *ps4.Session) error{
		"boot": func(ctx context.Context, _ *ps4test.Console, s *ps4.Session) error {
			return s.StartTitle(ctx, title, nil)
		},
		"standby": func(ctx context.Context, _ *ps4test.Console, s *ps4.Session) error { return s.Standby(ctx) },
		"logout":  func(ctx context.Context, _ *ps4test.Console, s *ps4.Session) error { return s.Logout(ctx) },
		"keyboard": func(ctx context.Context, _ *ps4test.Console, s *ps4.Session) error {
			_, err := s.Keyboard(ctx)
			return err
		},
		"text": func(_ context.Context, sim *ps4test.Console, s *ps4.Session) error {
			sim.TypeText("b")
			<-s.Done()
			return s.Err()
		},
		"heartbeat": func(_ context.Context, _ *ps4test.Console, s *ps4.Session) error {
			<-s.Done()
			return s.Err()
		},
	}
	for name, do := range commands {
		for fault, begin := range map[string]func(sim *ps4test.Console){
			"garbage": func(sim *ps4test.Console) { sim.SetFaults(ps4test.Faults{GarbageTCP: ps4test.Always}) },
			"reset": func(sim *ps4test.Console) {
				sim.SetFaults(ps4test.Faults{Delay: 30 * time.Second}) // no answer before the reset
				time.AfterFunc(time.Second, func() {
					sim.SetFaults(ps4test.Faults{})
					sim.ResetConnections()
				})
			},
		} {
			t.Run(name+" "+fault, func(t *testing.T) {
				inSimulation(t, ps4test.Config{Linked: true}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
					s, err := c.Open(ctx)
					ok(t, err)
					defer s.Close()
					sim.OpenKeyboard("a", 32)
					_, err = s.Keyboard(ctx)
					ok(t, err)
					begin(sim)
					start := time.Now()
					wantErr(t, do(ctx, sim, s), ps4.ErrClosed)
					wantErr(t, s.Err(), ps4.ErrClosed)
					if took := time.Since(start); took > 15*time.Second {
						t.Errorf("it took %v", took)
					}
				})
			})
		}
	}
}

func TestEvening(t *testing.T) {
	faults := map[string]ps4test.Faults{
		"no faults":         {},
		"split":             {Split: 1},
		"split elsewhere":   {Split: 17},
		"coalesced":         {Coalesce: true},
		"garbage by UDP":    {GarbageDDP: true},
		"lost datagrams":    {LoseRequests: 2, LoseReplies: 1},
		"refused at first":  {Refuse: 3},
		"reset twice":       {Reset: 2},
		"late answers":      {Delay: 300 * time.Millisecond, Split: 3},
		"everything at one": {Split: 5, Coalesce: true, GarbageDDP: true, Refuse: 1, Reset: 1},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			inSimulation(t, ps4test.Config{
				Standby: true, PIN: testPIN,
				Titles: []ps4test.Title{{ID: title, Name: "A"}, {ID: other, Name: "B"}},
			}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
				sim.SetFaults(f)
				ok(t, evening(ctx, sim, c))
				time.Sleep(5 * time.Minute)
				checkEvening(t, sim)
			})
		})
	}
}

func checkEvening(t *testing.T, sim *ps4test.Console) {
	t.Helper()
	// The PS and enter at the end quit one title for the other.
	same(t, sim.Presses(), "down", "ps:2000", "enter", "ps", "enter")
	same(t, sim.Submitted(), "Ünïcode ✈")
	if sim.State() != ps4.StateStandby {
		t.Errorf("the console is %v", sim.State())
	}
	n := sim.Counters()
	if n.OpsIgnored != 0 || n.RemoteLeftOpen != 0 || n.Dropped != 0 || n.ProtocolErrors != 0 || n.UnknownPackets != 0 ||
		n.BadDatagrams != 0 {
		t.Errorf("the console had to complain: %+v", n)
	}
	if n.Heartbeats == 0 || n.Statuses < n.Heartbeats || n.Standbys != 1 || n.Boots != 2 || n.Logouts != 1 {
		t.Errorf("counted %+v", n)
	}
}

func TestSimulatedRefusals(t *testing.T) {
	tests := map[string]struct {
		cfg   ps4test.Config
		fault ps4test.Faults
		want  error
	}{
		"not linked":     {ps4test.Config{PIN: testPIN}, ps4test.Faults{}, ps4.ErrPINNeeded},
		"no passcode":    {ps4test.Config{Linked: true, Passcode: testPass}, ps4test.Faults{}, ps4.ErrPasscodeNeeded},
		"rest mode":      {ps4test.Config{Linked: true, Standby: true}, ps4test.Faults{}, ps4.ErrStandby},
		"PS5":            {ps4test.Config{HostType: ps4.TypePS5}, ps4test.Faults{}, ps4.ErrUnsupported},
		"always refused": {ps4test.Config{Linked: true}, ps4test.Faults{Refuse: ps4test.Always}, ps4.ErrDoorClosed},
		"always reset":   {ps4test.Config{Linked: true}, ps4test.Faults{Reset: ps4test.Always}, ps4.ErrServiceHung},
		"hello refused":  {ps4test.Config{Linked: true}, ps4test.Faults{HelloStatus: -1}, ps4.ErrProtocol},
		"other app":      {ps4test.Config{Linked: true}, ps4test.Faults{Login: 17}, ps4.ErrOtherAppConnected},
		"silent network": {ps4test.Config{Linked: true}, ps4test.Faults{LoseRequests: ps4test.Always}, ps4.ErrUnreachable},
		"garbage":        {ps4test.Config{Linked: true}, ps4test.Faults{GarbageTCP: ps4test.Always}, ps4.ErrProtocol},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inSimulation(t, test.cfg, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
				sim.SetFaults(test.fault)
				_, err := c.Open(ctx)
				wantErr(t, err, test.want)
				if n := sim.Counters().Wakeups; n != 0 {
					t.Errorf("Open sent %d WAKEUPs", n)
				}
			})
		})
	}
}

func TestSimulatedSilence(t *testing.T) {
	timing := ps4test.RealTiming()
	timing.Grace = time.Hour // it does not hang up first
	inSimulation(t, ps4test.Config{Linked: true, Timing: timing}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
		s, err := c.Open(ctx)
		ok(t, err)
		defer s.Close()
		time.Sleep(time.Minute)
		ok(t, s.Err())
		sim.SetFaults(ps4test.Faults{HoldBeats: true})
		time.Sleep(time.Minute)
		wantErr(t, s.Err(), ps4.ErrSilent)
	})
}

func TestSimulatedBootIsLost(t *testing.T) {
	inSimulation(t, ps4test.Config{Linked: true}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
		s, err := c.Open(ctx)
		ok(t, err)
		defer s.Close()
		sim.SetFaults(ps4test.Faults{LoseBoots: 1})
		wantErr(t, s.StartTitle(ctx, title, nil), ps4.ErrNotConfirmed)
		ok(t, s.StartTitle(ctx, title, nil))
	})
}

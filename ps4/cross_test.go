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

// inSimulation runs a test with a simulated console that has the timings of a
// real one, over an in-memory network.
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

// evening does everything that one does with a console.
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
	keys := []ps4.Key{
		{Button: ps4.Down}, {Button: ps4.PS}, {Button: ps4.Right, Hold: 700 * time.Millisecond},
		{Button: ps4.PSHold}, {Button: ps4.Enter},
	}
	if err := s.Keys(ctx, keys...); err != nil {
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

// visit reads a text that a user types on the TV, and logs out.
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
		return errors.New("the typed text is missing: " + k.Text())
	}
	return errors.Join(k.Close(ctx), s.Logout(ctx))
}

// A console that answers garbage, or resets the connection instead, ends the
// command and the session.
func TestGarbageOrResetInsteadOfAnAnswer(t *testing.T) {
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
				Standby: true, PIN: testPIN, Passcode: testPass, Credentials: []string{testHex}, QuitNeedsPS: true,
				Titles: []ps4test.Title{{ID: title, Name: "A"}, {ID: other, Name: "B"}},
			}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
				sim.SetFaults(f)
				credential, _, passcode := secrets(t)
				c.SetUser(ps4.User{Credential: credential, Passcode: passcode, Model: "ps4kit"})
				ok(t, evening(ctx, sim, c))
				time.Sleep(5 * time.Minute)
				checkEvening(t, sim)
			})
		})
	}
}

func checkEvening(t *testing.T, sim *ps4test.Console) {
	t.Helper()
	// The last PS and enter quit one title for the other.
	same(t, sim.Presses(), "down", "ps", "right:700", "ps:2000", "enter", "ps", "enter")
	same(t, sim.Submitted(), "Ünïcode ✈")
	if sim.State() != ps4.StateStandby {
		t.Errorf("the console is %v", sim.State())
	}
	n := sim.Counters()
	if n.OpsIgnored != 0 || n.RemoteLeftOpen != 0 || n.Dropped != 0 || n.ProtocolErrors != 0 || n.UnknownPackets != 0 ||
		n.BadDatagrams != 0 {
		t.Errorf("the console refused or ignored something: %+v", n)
	}
	if n.Heartbeats == 0 || n.Statuses < n.Heartbeats || n.Standbys != 1 || n.Boots != 2 || n.Logouts != 1 {
		t.Errorf("counted %+v", n)
	}
}

func TestSimulatedHelloRefused(t *testing.T) {
	inSimulation(t, ps4test.Config{Linked: true}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
		sim.SetFaults(ps4test.Faults{HelloStatus: -1})
		_, err := c.Open(ctx)
		wantErr(t, err, ps4.ErrProtocol)
	})
}

func TestSimulatedGarbage(t *testing.T) {
	inSimulation(t, ps4test.Config{Linked: true}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
		sim.SetFaults(ps4test.Faults{GarbageTCP: ps4test.Always})
		_, err := c.Open(ctx)
		wantErr(t, err, ps4.ErrProtocol)
	})
}

func TestSetUser(t *testing.T) {
	inSimulation(t, ps4test.Config{Linked: true, Passcode: testPass}, func(ctx context.Context, t *testing.T, sim *ps4test.Console, c *ps4.Console) {
		_, err := c.Open(ctx)
		wantErr(t, err, ps4.ErrPasscodeNeeded)
		credential, _, passcode := secrets(t)
		c.SetUser(ps4.User{Credential: credential, Passcode: passcode, Model: "another-model"})
		s, err := c.Open(ctx)
		ok(t, err)
		ok(t, s.Close())
		logins := sim.Logins()
		if first, last := logins[0].Model, logins[len(logins)-1].Model; first != "ps4kit" || last != "another-model" {
			t.Errorf("models %q and %q", first, last)
		}
	})
}

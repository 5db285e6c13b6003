package ps4test_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// psnAccount is an account id of PSN.
const psnAccount = 1234567890123456789

// onRemotePlay runs a test with a console in memory and a client for it, in a
// synctest bubble.
func onRemotePlay(t *testing.T, cfg ps4test.Config, do func(t *testing.T, c *ps4test.Console, client *ps4.Console)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg.Network = ps4test.NewNetwork()
		if cfg.HostType == "" {
			cfg.HostType = ps4.TypePS5
		}
		console := ps4test.Start(t, cfg)
		network, err := ps4.Listen(t.Context(), console.Options())
		if err != nil {
			t.Fatal(err)
		}
		defer network.Close()
		do(t, console, network.Console(console.Addr(), ps4.Credential{}))
	})
}

func register(t *testing.T, c *ps4test.Console, client *ps4.Console) remoteplay.Registration {
	t.Helper()
	code, err := ps4.ParsePIN(pin)
	if err != nil {
		t.Fatal(err)
	}
	r, err := remoteplay.Register(t.Context(), client, psnAccount, code, c.RemotePlayOptions())
	if err != nil {
		t.Fatalf("registering: %v", err)
	}
	return r
}

// TestRemotePlayFamilies registers with a console of each family, puts it into
// rest mode and wakes it.
func TestRemotePlayFamilies(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]ps4test.Config{
		"PS5":     {HostType: ps4.TypePS5},
		"PS4":     {HostType: ps4.TypePS4, SystemVersion: "09508011"},
		"PS4 7.x": {HostType: ps4.TypePS4, SystemVersion: "07550001"},
		"PS4 6.x": {HostType: ps4.TypePS4, SystemVersion: "06720001"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.PIN, cfg.RemotePlay = pin, &ps4test.RemotePlay{Accounts: []uint64{psnAccount}}
			onRemotePlay(t, cfg, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
				console := remoteplay.New(client, register(t, c, client), c.RemotePlayOptions())
				defer console.Close()
				if err := console.Standby(t.Context()); err != nil {
					t.Fatalf("standby: %v", err)
				}
				if got := c.State(); got == ps4.StateAwake { // it may have fallen silent already
					t.Error("still awake")
				}
				if status, err := console.WakeWait(t.Context()); err != nil || status.State != ps4.StateAwake {
					t.Errorf("woken: %v, %v", status.State, err)
				}
				n := c.Counters()
				if n.Registrations != 1 || n.Inits != 1 || n.Controls != 1 || n.RemotePlayLogins != 1 || n.Standbys != 1 || n.ProtocolErrors != 0 {
					t.Errorf("counters %+v", n)
				}
			})
		})
	}
}

// TestRemotePlayRefusals: each refusal of a registration or a session reaches
// the client as such.
func TestRemotePlayRefusals(t *testing.T) {
	t.Parallel()
	none := func(*ps4test.Console) {}
	for name, step := range map[string]struct {
		cfg    ps4test.Config
		before func(*ps4test.Console) // of the session
		want   error
	}{
		"no screen":     {ps4test.Config{}, none, remoteplay.ErrLinkScreen},
		"wrong PIN":     {ps4test.Config{PIN: "00000001"}, none, remoteplay.ErrRegistration},
		"other account": {ps4test.Config{PIN: pin, RemotePlay: &ps4test.RemotePlay{Accounts: []uint64{1}}}, none, remoteplay.ErrNoSuchAccount},
		"crashed":       {ps4test.Config{PIN: pin}, fault(ps4test.Faults{RemotePlay: remoteplay.ErrCrashed}), remoteplay.ErrCrashed},
		"in use":        {ps4test.Config{PIN: pin}, fault(ps4test.Faults{RemotePlay: remoteplay.ErrInUse}), remoteplay.ErrInUse},
		"hangs up":      {ps4test.Config{PIN: pin}, fault(ps4test.Faults{HangUp: ps4test.Always}), remoteplay.ErrNoReply},
		"silent":        {ps4test.Config{PIN: pin}, fault(ps4test.Faults{Silent: ps4test.Always}), ps4.ErrSilent},
		"no passcode":   {ps4test.Config{PIN: pin, Passcode: "1234"}, none, ps4.ErrPasscodeNeeded},
		"ignored":       {ps4test.Config{PIN: pin}, fault(ps4test.Faults{IgnoreStandby: true}), remoteplay.ErrStandbyIgnored},
		"silent once":   {ps4test.Config{PIN: pin}, fault(ps4test.Faults{Silent: 1}), nil},
		"closed door":   {ps4test.Config{PIN: pin}, fault(ps4test.Faults{NeedSearch: true}), nil},
		"no delays":     {ps4test.Config{PIN: pin, Timing: ps4test.Timing{InUse: time.Second}}, none, nil},
		"in pieces":     {ps4test.Config{PIN: pin}, fault(ps4test.Faults{Split: 1}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			onRemotePlay(t, step.cfg, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
				code, err := ps4.ParsePIN(pin)
				if err != nil {
					t.Fatal(err)
				}
				r, err := remoteplay.Register(t.Context(), client, psnAccount, code, c.RemotePlayOptions())
				if err == nil {
					step.before(c)
					console := remoteplay.New(client, r, c.RemotePlayOptions())
					defer console.Close()
					err = console.Standby(t.Context())
				}
				if !errors.Is(err, step.want) || step.want == nil && err != nil {
					t.Errorf("error %v, want %v", err, step.want)
				}
			})
		})
	}
}

func fault(f ps4test.Faults) func(*ps4test.Console) {
	return func(c *ps4test.Console) { c.SetFaults(f) }
}

// TestRemotePlayGap: a control connection sooner than the gap gets no reply,
// and the rule of docs/protocol.md §14, 200 ms, keeps it.
func TestRemotePlayGap(t *testing.T) {
	t.Parallel()
	for gap, want := range map[time.Duration]error{150 * time.Millisecond: nil, 250 * time.Millisecond: ps4.ErrSilent} {
		t.Run(gap.String(), func(t *testing.T) {
			timing := ps4test.RealTiming()
			timing.ControlGap = gap
			onRemotePlay(t, ps4test.Config{PIN: pin, Timing: timing}, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
				console := remoteplay.New(client, register(t, c, client), c.RemotePlayOptions())
				defer console.Close()
				err := console.Do(t.Context(), func(context.Context, *remoteplay.Session) error { return nil })
				if !errors.Is(err, want) || want == nil && err != nil {
					t.Errorf("error %v, want %v", err, want)
				}
			})
		})
	}
}

// TestRemotePlayKeyboard types on the on-screen keyboard.
func TestRemotePlayKeyboard(t *testing.T) {
	onRemotePlay(t, ps4test.Config{PIN: pin, Passcode: "1234"}, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
		o := c.RemotePlayOptions()
		var err error
		if o.Passcode, err = ps4.ParsePasscode("1234"); err != nil {
			t.Fatal(err)
		}
		console := remoteplay.New(client, register(t, c, client), o)
		defer console.Close()
		c.OpenKeyboard("old", 100)
		err = console.Do(t.Context(), func(ctx context.Context, s *remoteplay.Session) error {
			k, err := s.Keyboard(ctx)
			if err != nil {
				return err
			}
			if got := k.Text(); got != "old" {
				t.Errorf("text %q", got)
			}
			if err := k.SetText(ctx, "grüße 🎮"); err != nil {
				return err
			}
			return errors.Join(k.Submit(ctx), s.Home(ctx))
		})
		if err != nil {
			t.Fatal(err)
		}
		now, err := c.WaitFor(t.Context(), func(s ps4test.Snapshot) bool { return s.Counters.Homes == 1 })
		if err != nil || strings.Join(now.Submitted, "|") != "grüße 🎮" {
			t.Errorf("submitted %q, %v", now.Submitted, err)
		}
	})
}

// TestRemotePlayHeartbeats: a session stays open for as long as it is used, and
// the client answers heartbeats.
func TestRemotePlayHeartbeats(t *testing.T) {
	onRemotePlay(t, ps4test.Config{PIN: pin}, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
		console := remoteplay.New(client, register(t, c, client), c.RemotePlayOptions())
		defer console.Close()
		err := console.Do(t.Context(), func(_ context.Context, s *remoteplay.Session) error {
			time.Sleep(time.Minute)
			return s.Err()
		})
		if n := c.Counters(); err != nil || n.Heartbeats < 10 || n.Statuses < 10 || n.Dropped != 0 {
			t.Errorf("error %v, counters %+v", err, n)
		}
	})
}

// TestRemotePlayReset: a session is among the open connections, which
// ResetConnections resets.
func TestRemotePlayReset(t *testing.T) {
	onRemotePlay(t, ps4test.Config{PIN: pin}, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
		console := remoteplay.New(client, register(t, c, client), c.RemotePlayOptions())
		defer console.Close()
		err := console.Do(t.Context(), func(_ context.Context, s *remoteplay.Session) error {
			if n := c.Snapshot().Connections; n != 1 {
				t.Errorf("%d connections", n)
			}
			c.ResetConnections()
			<-s.Done()
			return s.Err()
		})
		if !isReset(err) {
			t.Errorf("after ResetConnections: %v", err)
		}
		synctest.Wait()
		if n := c.Snapshot().Connections; n != 0 {
			t.Errorf("%d connections remain", n)
		}
	})
}

// TestPS5IgnoresSecondScreen: a PS5 obeys neither WAKEUP nor LAUNCH of the PS4's
// protocol.
func TestPS5IgnoresSecondScreen(t *testing.T) {
	onRemotePlay(t, ps4test.Config{Standby: true}, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
		credential, err := ps4.ParseCredential(account)
		if err != nil {
			t.Fatal(err)
		}
		client.SetUser(ps4.User{Credential: credential})
		if err := client.Wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		now, err := c.WaitFor(t.Context(), func(s ps4test.Snapshot) bool { return s.Counters.Wakeups == 1 })
		if err != nil || now.Counters.WakeupsIgnored != 1 {
			t.Errorf("counters %+v, %v", now.Counters, err)
		}
	})
}

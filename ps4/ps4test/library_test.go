package ps4test_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// The library, at a real console's pace, needs nothing that the console
// ignores: the pacing of the two was written from the same facts by different
// people.
func TestLibraryAtRealPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{
			Standby: true, PIN: pin, Passcode: "2468", Credentials: []string{account},
			Titles: []ps4test.Title{netflix, bloody}, QuitNeedsPS: true,
		})
		p := newPeer(t, c)
		o := c.Options()
		var err error
		o.Passcode, err = ps4.ParsePasscode("2468")
		p.must(err)
		credential, err := ps4.ParseCredential(account)
		p.must(err)
		console := ps4.NewConsole(c.Addr(), credential, o)

		found, err := discover(t, o, time.Second)
		p.must(err)
		if len(found) != 1 || found[0].HostID != c.HostID() || found[0].State != ps4.StateStandby {
			t.Errorf("found %+v", found)
		}
		_, err = console.WakeWait(t.Context())
		p.must(err)
		linkPIN, err := ps4.ParsePIN(pin)
		p.must(err)
		p.must(console.Link(t.Context(), linkPIN))
		session, err := console.Open(t.Context())
		p.must(err)
		useSession(t, session, c)
		p.must(session.Standby(t.Context()))
		time.Sleep(5 * time.Second)
		if got := c.State(); got != ps4.StateUnreachable {
			t.Errorf("state %v, want the silence after standby", got)
		}
		_ = session.Close()
		if n := c.Counters(); n.OpsIgnored != 0 || n.RemoteLeftOpen != 0 || n.ProtocolErrors != 0 || n.UnknownPackets != 0 || n.Dropped != 0 {
			t.Errorf("the library did what a console ignores: %+v", n)
		}
	})
}

func useSession(t *testing.T, session *ps4.Session, c *ps4test.Console) {
	t.Helper()
	ctx := t.Context()
	steps := []func() error{
		func() error { return session.StartTitle(ctx, bloody.ID, nil) },
		func() error {
			return session.Keys(ctx, ps4.Key{Button: ps4.Up}, ps4.Key{Button: ps4.PS},
				ps4.Key{Button: ps4.Right, Hold: 700 * time.Millisecond}, ps4.Key{Button: ps4.PSHold}, ps4.Key{Button: ps4.Enter})
		},
		func() error { return session.StartTitle(ctx, netflix.ID, nil) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v; console: %+v", i, err, c.Snapshot())
		}
	}
	want := []string{"up", "ps", "right:700", "ps:2000", "enter", "ps", "enter"}
	if got := c.Presses(); !slices.Equal(got, want) {
		t.Errorf("presses %q, want %q", got, want)
	}
	if got := c.RunningTitle(); got != netflix {
		t.Errorf("%+v runs", got)
	}
	time.Sleep(time.Minute) // heartbeats are answered meanwhile
}

func TestOptionsReachARealSocket(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{Name: "Den"})
	found, err := discover(t, c.Options(), 200*time.Millisecond)
	if err != nil || len(found) != 1 || found[0].HostName != "Den" || found[0].Addr != c.Addr() {
		t.Errorf("found %+v, %v", found, err)
	}
	if n := c.Counters(); n.Searches == 0 || n.BadDatagrams != 0 || ddp.Port == c.Addr().Port() {
		t.Errorf("counted %+v", n)
	}
}

func discover(t *testing.T, o *ps4.Options, wait time.Duration) ([]ps4.Status, error) {
	t.Helper()
	network, err := ps4.Listen(t.Context(), o)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	return network.Discover(t.Context(), wait)
}

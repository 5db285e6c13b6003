package ps4_test

import (
	"net/netip"
	"os"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// TestSuite is one evening with a console: a simulated one, or a real one that the
// environment names: PS4KIT_TEST_CONSOLE is its address, PS4KIT_TEST_CREDENTIAL the
// credential of a user that is linked. A real one is woken, gets two presses and goes
// back to rest mode; nothing is started on it.
func TestSuite(t *testing.T) {
	t.Parallel()
	console := suiteConsole(t)
	ctx := t.Context()
	st, err := console.Status(ctx)
	if err != nil {
		t.Fatalf("status: %v", err)
	}
	if st.HostID == "" || st.RequestPort == 0 || st.Version() == "" {
		t.Errorf("status is not whole: %+v", st)
	}
	if st.State == ps4.StateStandby {
		if st, err = console.WakeWait(ctx); err != nil || st.State != ps4.StateAwake {
			t.Fatalf("wake: %v, %v", st.State, err)
		}
	}
	session, err := console.Open(ctx)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	if err := session.Keys(ctx, ps4.Key{Button: ps4.Right}, ps4.Key{Button: ps4.Left}); err != nil {
		t.Errorf("keys: %v", err)
	}
	if err := session.Standby(ctx); err != nil {
		t.Errorf("standby: %v", err)
	}
	<-session.Done()
}

func suiteConsole(t *testing.T) *ps4.Console {
	t.Helper()
	address := os.Getenv("PS4KIT_TEST_CONSOLE")
	if address == "" {
		simulated := ps4test.Start(t, ps4test.Config{Standby: true, Linked: true, Timing: ps4test.FastTiming()})
		credential, err := ps4.CredentialFromAccountID("9019256736915509894")
		if err != nil {
			t.Fatal(err)
		}
		return ps4.NewConsole(simulated.Addr(), credential, simulated.Options())
	}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	credential, err := ps4.ParseCredential(os.Getenv("PS4KIT_TEST_CREDENTIAL"))
	if err != nil {
		t.Fatalf("PS4KIT_TEST_CREDENTIAL: %v", err)
	}
	return ps4.NewConsole(netip.AddrPortFrom(addr, ps4.DefaultPort), credential, nil)
}

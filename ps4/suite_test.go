package ps4_test

import (
	"context"
	"net/netip"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSuite wakes a console, presses two keys and puts it into rest mode. The
// console is simulated, or the real one at the address in PS4KIT_TEST_CONSOLE.
// PS4KIT_TEST_CREDENTIAL is then the credential of a linked user.
func TestSuite(t *testing.T) {
	address := os.Getenv("PS4KIT_TEST_CONSOLE")
	if address == "" {
		inSimulation(t, ps4test.Config{Standby: true, Linked: true}, func(_ context.Context, t *testing.T, _ *ps4test.Console, c *ps4.Console) {
			suite(t, c)
		})
		return
	}
	t.Parallel()
	addr, err := netip.ParseAddr(address)
	ok(t, err)
	credential, err := ps4.ParseCredential(os.Getenv("PS4KIT_TEST_CREDENTIAL"))
	if err != nil {
		t.Fatalf("PS4KIT_TEST_CREDENTIAL: %v", err)
	}
	suite(t, ps4.NewConsole(netip.AddrPortFrom(addr, ps4.DefaultPort), credential, nil))
}

func suite(t *testing.T, console *ps4.Console) {
	t.Helper()
	ctx := t.Context()
	st, err := console.Status(ctx)
	ok(t, err)
	if st.HostID == "" || st.RequestPort == 0 || st.Version() == "" {
		t.Errorf("incomplete status: %+v", st)
	}
	if st.State == ps4.StateStandby {
		st, err = console.WakeWait(ctx)
		if err != nil || st.State != ps4.StateAwake {
			t.Fatalf("wake: %v, %v", st.State, err)
		}
	}
	session, err := console.Open(ctx)
	ok(t, err)
	if err := session.Keys(ctx, ps4.Key{Button: ps4.Right}, ps4.Key{Button: ps4.Left}); err != nil {
		t.Errorf("keys: %v", err)
	}
	if err := session.Standby(ctx); err != nil {
		t.Errorf("standby: %v", err)
	}
	<-session.Done()
	if err := session.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

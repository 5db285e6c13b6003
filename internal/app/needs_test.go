package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// TestNeedsAreReported follows a console from its first start until it is
// paired, and to the next start.
func TestNeedsAreReported(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{
		Name: "Den", HostID: "A0B1C2D3E4F5", PIN: "12345678", Credentials: []string{credential}, Timing: ps4test.FastTiming(),
	})
	key := filepath.Join(t.TempDir(), "console.pem")
	if err := os.WriteFile(key, console.PublicKeyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := fmt.Sprintf("%s\nconsole_key: %s\nconsoles:\n  - address: %s\n", loopback, key, console.Addr())
	reports := make(chan app.Setup, 10)
	dir, ctx := shortDir(t), t.Context()
	follow := func(o *app.Options) { o.Needs = func(s app.Setup) { reports <- s } }
	r := serveWith(t, dir, yaml, follow)
	expect := func(when string, fresh bool, needs ...app.Need) app.Setup {
		t.Helper()
		select {
		case s := <-reports:
			if s.Accessory.Name != "Den" || s.Type != "PS4" || s.New != fresh || !slices.Equal(s.Needs, needs) {
				t.Errorf("%s: %v, new %v, it needs %q, want %q", when, s.Accessory.Name, s.New, s.Needs, needs)
			}
			return s
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: nothing is reported", when)
		}
		return app.Setup{}
	}
	do := func(what string, err error, want string) {
		t.Helper()
		if code(err) != want {
			t.Fatalf("%s: %v", what, err)
		}
	}

	expect("at first", true, app.NeedAccount, app.NeedLink, app.NeedPairing)
	do("credential", api.SetCredential.Do(ctx, r.api, api.CredentialRequest{User: api.User{Credential: credential}}), "")
	expect("with a credential", false, app.NeedLink, app.NeedPairing)
	do("link", api.Link.Do(ctx, r.api, api.LinkRequest{Host: "Den", PIN: "12345678"}), "")
	expect("linked", false, app.NeedPairing)
	console.Unlink()
	do("standby", api.Power.Do(ctx, r.api, api.PowerRequest{Host: "Den", State: api.StateStandby}), "pin_needed")
	expect("unlinked on the console", false, app.NeedLink, app.NeedPairing)
	do("link", api.Link.Do(ctx, r.api, api.LinkRequest{Host: "Den", PIN: "12345678"}), "")
	a := expect("linked again", false, app.NeedPairing).Accessory
	pairAndRead(t, a)
	if s := expect("paired", false); !s.Met(app.NeedPairing) {
		t.Errorf("before it needed %q", s.Before)
	}
	r.stop()
	r = serveWith(t, dir, yaml, follow)
	expect("at the next start", true)
	r.stop()
	if len(reports) > 0 {
		t.Errorf("also reported: %+v", (<-reports).Needs)
	}
}

package app_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// local returns the backend of a command that no server runs beside.
func local(t *testing.T, store *state.Store, yaml string, o app.Override) *app.Local {
	t.Helper()
	l, err := app.Stopped(load(t, yaml), store, quiet(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

// bothWays runs a test of the backend against a server and against a command alone.
func bothWays(t *testing.T, test func(t *testing.T, console *ps4test.Console, b api.Backend)) {
	t.Helper()
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		console, yaml := den(t)
		test(t, console, serve(t, shortDir(t), yaml, 0).api)
	})
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		console, yaml := den(t)
		store := open(t, shortDir(t))
		t.Cleanup(func() { _ = store.Close() })
		test(t, console, local(t, store, yaml, app.Override{ConsoleKey: console.PublicKey()}))
	})
}

// eventually waits until the console is as it should be: a packet that was sent need
// not have arrived.
func eventually(t *testing.T, console *ps4test.Console, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := console.WaitFor(ctx, func(ps4test.Snapshot) bool { return ok() }); err != nil {
		t.Errorf("the console never got %s", what)
	}
}

// code returns the code that a program is told.
func code(err error) string {
	if err == nil {
		return ""
	}
	return app.Explain(err).Code
}

func TestConsoleIsNamedByIDNameAndAddress(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b api.Backend) {
		address := app.FormatAddress(console.Addr())
		for _, host := range []string{"", address, "A0B1C2D3E4F5", "a0b1c2d3e4f5", "den"} {
			c, err := b.Status(t.Context(), host)
			if err != nil || c.HostID != console.HostID() || c.State != api.StateAwake || c.Address != address {
				t.Errorf("%q: %+v, %v", host, c, err)
			}
		}
	})
}

func TestCommandsReachTheConsole(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b api.Backend) {
		ctx, host := t.Context(), app.FormatAddress(console.Addr())
		if err := b.Keys(ctx, host, []string{"up", "enter"}); err != nil {
			t.Fatalf("keys: %v", err)
		}
		eventually(t, console, "up and enter", func() bool { return strings.Join(console.Presses(), " ") == "up enter" })
		if err := b.Start(ctx, host, "cusa00129", false); err != nil {
			t.Errorf("start: %v", err)
		}
		if got := console.RunningTitle().ID; got != "CUSA00129" {
			t.Errorf("title %q runs", got)
		}
		console.OpenKeyboard("old", 40)
		text := "neu ☃"
		if err := b.Submit(ctx, host, &text); err != nil {
			t.Errorf("submit: %v", err)
		}
		eventually(t, console, "the text", func() bool { return slices.Equal(console.Submitted(), []string{text}) })
		if _, err := b.Keyboard(ctx, host); code(err) != "keyboard_closed" {
			t.Errorf("a closed keyboard: %v", err)
		}
		if err := b.Standby(ctx, host); err != nil {
			t.Errorf("standby: %v", err)
		}
		if console.State() != ps4.StateStandby {
			t.Error("the console does not rest")
		}
		if err := b.Wake(ctx, host, true); err != nil || console.State() != ps4.StateAwake {
			t.Errorf("wake: %v, the console is %v", err, console.State())
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b api.Backend) {
		ctx, host := t.Context(), app.FormatAddress(console.Addr())
		if err := b.Start(ctx, host, "CUSA99999", false); code(err) != "no_such_title" {
			t.Errorf("a title that is not installed: %q", code(err))
		}
		if err := b.Start(ctx, host, "Nothing Like It", false); code(err) != "not_found" {
			t.Errorf("a name of no title: %q", code(err))
		}
		if err := b.Keys(ctx, host, []string{"jump"}); code(err) != "bad_button" {
			t.Errorf("no such button: %q", code(err))
		}
		if err := b.Link(ctx, host, api.Link{PIN: "123"}); code(err) != "bad_pin" {
			t.Errorf("a bad PIN: %q", code(err))
		}
		if err := b.RenameTitle(ctx, host, "CUSA77777", "x"); code(err) != "not_found" {
			t.Errorf("no such input: %q", code(err))
		}
		console.SetStandby()
		if err := b.Keys(ctx, host, []string{"up"}); code(err) != "standby" {
			t.Errorf("keys in rest mode: %q", code(err))
		}
	})
}

func TestUnreachableConsole(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b api.Backend) {
		ctx, host := t.Context(), app.FormatAddress(console.Addr())
		if _, err := b.Status(ctx, host); err != nil {
			t.Fatal(err)
		}
		console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if c, err := b.Status(short, host); err == nil && c.State != api.StateUnreachable {
			t.Errorf("status: %+v", c)
		}
	})
}

func TestStoredCredentialIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{
		Name: "Den", HostID: "A0B1C2D3E4F5", PIN: "12345678", Credentials: []string{credential}, Timing: ps4test.FastTiming(),
	})
	dir := shortDir(t)
	store := open(t, dir)
	t.Cleanup(func() { _ = store.Close() })
	b := local(t, store, loopback, app.Override{ConsoleKey: console.PublicKey()})
	ctx, host := t.Context(), app.FormatAddress(console.Addr())
	if err := b.Keys(ctx, host, []string{"up"}); code(err) != "no_credential" {
		t.Errorf("without a credential: %v", err)
	}
	if err := b.SetCredential(ctx, "", api.User{Credential: credential}); err != nil {
		t.Fatal(err)
	}
	if err := b.Keys(ctx, host, []string{"up"}); code(err) != "pin_needed" {
		t.Errorf("before linking: %v", err)
	}
	if err := b.Link(ctx, host, api.Link{PIN: "8765 4321"}); code(err) != "pin_wrong" {
		t.Errorf("a wrong PIN: %v", err)
	}
	if err := b.Link(ctx, host, api.Link{PIN: "1234 5678"}); err != nil {
		t.Fatalf("link: %v", err)
	}
	if err := b.Keys(ctx, host, []string{"up"}); err != nil {
		t.Errorf("after linking: %v", err)
	}
	if user, err := b.Credential(ctx, ""); err != nil || user.Credential != credential {
		t.Errorf("stored: %v", err)
	}
	if logins := console.Logins(); len(logins[0].Model) > 16 || !strings.HasPrefix(logins[0].Model, "ps4kit-") {
		t.Errorf("model %q", logins[0].Model)
	}
	const another = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	if err := b.SetCredential(ctx, "", api.User{Credential: another}); err != nil {
		t.Fatal(err)
	}
	if err := b.Link(ctx, host, api.Link{PIN: "12345678"}); code(err) != "no_such_account" {
		t.Errorf("another user: %v", err)
	}
	logins := console.Logins()
	if first, last := logins[0].Model, logins[len(logins)-1].Model; first == last {
		t.Errorf("two users have the same model %q", first)
	}
	if matches, _ := filepath.Glob(filepath.Join(dir, "credentials.json")); len(matches) != 1 {
		t.Error("nothing is on disk")
	}
}

func TestAmbiguousConsole(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback, 2)
	if _, err := r.api.Status(t.Context(), ""); code(err) != "ambiguous" {
		t.Errorf("two consoles and no name: %v", err)
	}
	if c, err := r.api.Status(t.Context(), "simulated ps5"); err != nil || c.State != api.StateStandby {
		t.Errorf("by name: %+v, %v", c, err)
	}
	if found, err := r.api.Search(t.Context(), 200*time.Millisecond); err != nil || len(found) != 2 {
		t.Errorf("search: %+v, %v", found, err)
	}
}

func TestSilenceAfterAStandbyIsRestModeForTheNextCommandToo(t *testing.T) {
	t.Parallel()
	console, _ := den(t)
	dir := shortDir(t)
	o := app.Override{ConsoleKey: console.PublicKey()}
	var err error
	if o.Credential, err = ps4.ParseCredential(credential); err != nil {
		t.Fatal(err)
	}
	command := func(do func(b *app.Local)) {
		store := open(t, dir)
		defer store.Close()
		b, err := app.Stopped(load(t, loopback), store, quiet(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		do(b)
	}
	command(func(b *app.Local) {
		if err := b.Standby(t.Context(), app.FormatAddress(console.Addr())); err != nil {
			t.Fatal(err)
		}
	})
	console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
	command(func(b *app.Local) {
		c, err := b.Status(t.Context(), "") // the only console that is known
		if err != nil || c.State != api.StateStandby || c.HostID != console.HostID() {
			t.Errorf("got %+v, %v, want rest mode", c, err)
		}
	})
}

// A console that goes into rest mode is still awake for seconds. Who wakes it then is told that it is awake when it is
// so again.
func TestWakeDuringAStandby(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	api := serve(t, shortDir(t), yaml, 0).api
	console.SetFaults(ps4test.Faults{Delay: 60 * time.Millisecond}) // it is awake a little longer, and still answers within a poll
	ended := make(chan error, 1)
	go func() { ended <- api.Standby(context.WithoutCancel(t.Context()), "") }()
	eventually(t, console, "the standby", func() bool { return console.Counters().Standbys == 1 })
	if err := api.Wake(t.Context(), "", true); err != nil {
		t.Errorf("wake: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the standby was not superseded")
	}
	if state := console.State(); state != ps4.StateAwake || console.Counters().Wakeups == 0 {
		t.Errorf("the console is %v after %d WAKEUPs", state, console.Counters().Wakeups)
	}
}

// Somebody else switched it on again meanwhile: it is wanted on and says that it is, and goes into rest mode all the same.
func TestWakeDuringAStandbyThatWasOvertaken(t *testing.T) {
	t.Parallel()
	timing := ps4test.FastTiming()
	timing.StandbyDelay = 2 * time.Second
	console, yaml := denWith(t, timing)
	api := serve(t, shortDir(t), yaml, 0).api
	standby, other := make(chan error, 1), make(chan error, 1)
	go func() { standby <- api.Standby(context.WithoutCancel(t.Context()), "") }()
	eventually(t, console, "the standby", func() bool { return console.Counters().Standbys == 1 })
	go func() { other <- api.Wake(context.WithoutCancel(t.Context()), "", true) }()
	if err := <-standby; err == nil {
		t.Error("the standby was not superseded")
	}
	if err := api.Wake(t.Context(), "", true); err != nil {
		t.Errorf("wake: %v", err)
	}
	if state := console.State(); state != ps4.StateAwake || console.Counters().Wakeups == 0 {
		t.Errorf("the console is %v after %d WAKEUPs", state, console.Counters().Wakeups)
	}
	if err := <-other; err != nil {
		t.Errorf("the other wake: %v", err)
	}
}

// A console that is about to wake still says that it rests. Who puts it to rest then is told so when it has come and gone.
func TestStandbyDuringAWake(t *testing.T) {
	t.Parallel()
	timing := ps4test.FastTiming()
	timing.Wake = time.Second
	console, yaml := denWith(t, timing)
	console.SetStandby()
	api := serve(t, shortDir(t), yaml, 0).api
	if err := api.Wake(t.Context(), "", false); err != nil {
		t.Fatalf("wake: %v", err)
	}
	if err := api.Standby(t.Context(), ""); err != nil {
		t.Errorf("standby: %v", err)
	}
	if state := console.State(); state == ps4.StateAwake || console.Counters().Standbys != 1 {
		t.Errorf("the console is %v after %d standbys", state, console.Counters().Standbys)
	}
}

// A console that has just gone into rest mode hears no WAKEUP. It is sent again, also if nobody waits for it.
func TestWakeThatIsNotHeardIsRepeated(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	api := serve(t, shortDir(t), yaml, 0).api
	if err := api.Standby(t.Context(), ""); err != nil {
		t.Fatalf("standby: %v", err)
	}
	console.SetSilent()
	if err := api.Wake(t.Context(), "", false); err != nil {
		t.Fatalf("wake: %v", err)
	}
	console.SetStandby()
	eventually(t, console, "on", func() bool { return console.State() == ps4.StateAwake })
}

// A clock that was put back makes the last standby one of the future, which explains no silence.
func TestStandbyOfTheFuture(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	store := open(t, shortDir(t))
	t.Cleanup(func() { _ = store.Close() })
	err := store.Consoles().Save(state.Consoles{Consoles: []state.Console{{
		HostID: console.HostID(), HostType: "PS4", Name: "Den", Address: console.Addr(), Rested: time.Now().Add(time.Hour),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	console.SetSilent()
	c, err := local(t, store, yaml, app.Override{ConsoleKey: console.PublicKey()}).Status(t.Context(), console.HostID())
	if err != nil || c.State != api.StateUnreachable {
		t.Errorf("state %q, %v", c.State, err)
	}
}

func TestCredentialOfTheConfigurationIsNotShadowed(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{HostID: "A0B1C2D3E4F5", Timing: ps4test.FastTiming()})
	dir := shortDir(t)
	store := open(t, dir)
	t.Cleanup(func() { _ = store.Close() })
	b := local(t, store, loopback+fmt.Sprintf("consoles: [{address: %q, host_id: A0B1C2D3E4F5, credential: %s}]\n", console.Addr(), credential), app.Override{})
	if err := b.SetCredential(t.Context(), "A0B1C2D3E4F5", api.User{Credential: credential}); code(err) != "config" {
		t.Errorf("a credential that would never be used: %v", err)
	}
	if err := b.SetCredential(t.Context(), "", api.User{Credential: credential}); err != nil {
		t.Errorf("one for the other consoles: %v", err)
	}
}

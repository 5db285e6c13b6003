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
func bothWays(t *testing.T, test func(t *testing.T, console *ps4test.Console, b *api.Client)) {
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
		test(t, console, local(t, store, yaml, app.Override{ConsoleKey: console.PublicKey()}).Client)
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

func TestNoKeysPressNothing(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b *api.Client) {
		if err := api.Keys.Do(t.Context(), b, api.KeysRequest{Keys: []string{}}); err != nil {
			t.Error(err)
		}
		if err := api.Keys.Do(t.Context(), b, api.KeysRequest{}); code(err) != "bad_request" {
			t.Errorf("without a list: %v", err)
		}
		if pressed := console.Presses(); len(pressed) > 0 {
			t.Errorf("pressed %v", pressed)
		}
	})
}

// TestHintOfADamagedDocument: only one that stays in place, which holds
// pairings, needs a reset.
func TestHintOfADamagedDocument(t *testing.T) {
	t.Parallel()
	for aside, reset := range map[string]bool{"": true, "web.json.damaged-1": false} {
		e := app.Explain(&state.DamagedError{Name: "web.json", AsideName: aside})
		if e.Code != "damaged" || strings.Contains(e.Hint, "homekit reset") != reset {
			t.Errorf("set aside as %q: %+v", aside, e)
		}
	}
}

func TestConsoleIsNamedByIDNameAndAddress(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b *api.Client) {
		address := app.FormatAddress(console.Addr())
		for _, host := range []string{"", address, "A0B1C2D3E4F5", "a0b1c2d3e4f5", "den"} {
			c, err := api.Status.Do(t.Context(), b, api.HostRequest{Host: host})
			if err != nil || c.HostID != console.HostID() || c.State != api.StateAwake || c.Address != address {
				t.Errorf("%q: %+v, %v", host, c, err)
			}
		}
	})
}

func TestCommandsReachTheConsole(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b *api.Client) {
		ctx, host := t.Context(), app.FormatAddress(console.Addr())
		if err := api.Keys.Do(ctx, b, api.KeysRequest{Host: host, Keys: []string{"up", "enter"}}); err != nil {
			t.Fatalf("keys: %v", err)
		}
		eventually(t, console, "up and enter", func() bool { return strings.Join(console.Presses(), " ") == "up enter" })
		if err := api.Start.Do(ctx, b, api.StartRequest{Host: host, Title: "cusa00129"}); err != nil {
			t.Errorf("start: %v", err)
		}
		if got := console.RunningTitle().ID; got != "CUSA00129" {
			t.Errorf("title %q runs", got)
		}
		console.OpenKeyboard("old", 40)
		text := "neu ☃"
		if err := api.Submit.Do(ctx, b, api.SubmitRequest{Host: host, Text: &text}); err != nil {
			t.Errorf("submit: %v", err)
		}
		eventually(t, console, "the text", func() bool { return slices.Equal(console.Submitted(), []string{text}) })
		if _, err := api.GetKeyboard.Do(ctx, b, api.HostRequest{Host: host}); code(err) != "keyboard_closed" {
			t.Errorf("a closed keyboard: %v", err)
		}
		if err := api.Power.Do(ctx, b, api.PowerRequest{Host: host, State: api.StateStandby}); err != nil {
			t.Errorf("standby: %v", err)
		}
		if console.State() != ps4.StateStandby {
			t.Error("the console does not rest")
		}
		if err := api.Power.Do(ctx, b, api.PowerRequest{Host: host, State: api.StateAwake, Wait: true}); err != nil || console.State() != ps4.StateAwake {
			t.Errorf("wake: %v, the console is %v", err, console.State())
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b *api.Client) {
		ctx, host := t.Context(), app.FormatAddress(console.Addr())
		if err := api.Start.Do(ctx, b, api.StartRequest{Host: host, Title: "CUSA99999"}); code(err) != "no_such_title" {
			t.Errorf("a title that is not installed: %q", code(err))
		}
		if err := api.Start.Do(ctx, b, api.StartRequest{Host: host, Title: "Nothing Like It"}); code(err) != "not_found" {
			t.Errorf("a name of no title: %q", code(err))
		}
		if err := api.Keys.Do(ctx, b, api.KeysRequest{Host: host, Keys: []string{"jump"}}); code(err) != "bad_button" {
			t.Errorf("no such button: %q", code(err))
		}
		if err := api.Link.Do(ctx, b, api.LinkRequest{Host: host, PIN: "123"}); code(err) != "bad_pin" {
			t.Errorf("a bad PIN: %q", code(err))
		}
		if err := api.ChangeTitle.Do(ctx, b, api.ChangeTitleRequest{Host: host, ID: "CUSA77777", Name: new("x")}); code(err) != "not_found" {
			t.Errorf("no such input: %q", code(err))
		}
		console.SetStandby()
		if err := api.Keys.Do(ctx, b, api.KeysRequest{Host: host, Keys: []string{"up"}}); code(err) != "standby" {
			t.Errorf("keys in rest mode: %q", code(err))
		}
	})
}

func TestUnreachableConsole(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b *api.Client) {
		ctx, host := t.Context(), app.FormatAddress(console.Addr())
		if _, err := api.Status.Do(ctx, b, api.HostRequest{Host: host}); err != nil {
			t.Fatal(err)
		}
		console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if c, err := api.Status.Do(short, b, api.HostRequest{Host: host}); err == nil && c.State != api.StateUnreachable {
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
	if err := api.Keys.Do(ctx, b.Client, api.KeysRequest{Host: host, Keys: []string{"up"}}); code(err) != "no_credential" {
		t.Errorf("without a credential: %v", err)
	}
	if err := api.SetCredential.Do(ctx, b.Client, api.CredentialRequest{User: api.User{Credential: credential}}); err != nil {
		t.Fatal(err)
	}
	if err := api.Keys.Do(ctx, b.Client, api.KeysRequest{Host: host, Keys: []string{"up"}}); code(err) != "pin_needed" {
		t.Errorf("before linking: %v", err)
	}
	if err := api.Link.Do(ctx, b.Client, api.LinkRequest{Host: host, PIN: "8765 4321"}); code(err) != "pin_wrong" {
		t.Errorf("a wrong PIN: %v", err)
	}
	if err := api.Link.Do(ctx, b.Client, api.LinkRequest{Host: host, PIN: "1234 5678"}); err != nil {
		t.Fatalf("link: %v", err)
	}
	if err := api.Keys.Do(ctx, b.Client, api.KeysRequest{Host: host, Keys: []string{"up"}}); err != nil {
		t.Errorf("after linking: %v", err)
	}
	if user, err := api.Credential.Do(ctx, b.Client, api.HostRequest{}); err != nil || user.Credential != credential {
		t.Errorf("stored: %v", err)
	}
	if logins := console.Logins(); len(logins[0].Model) > 16 || !strings.HasPrefix(logins[0].Model, "ps4kit-") {
		t.Errorf("model %q", logins[0].Model)
	}
	const another = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	if err := api.SetCredential.Do(ctx, b.Client, api.CredentialRequest{User: api.User{Credential: another}}); err != nil {
		t.Fatal(err)
	}
	if err := api.Link.Do(ctx, b.Client, api.LinkRequest{Host: host, PIN: "12345678"}); code(err) != "no_such_account" {
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
	if _, err := api.Status.Do(t.Context(), r.api, api.HostRequest{}); code(err) != "ambiguous" {
		t.Errorf("two consoles and no name: %v", err)
	}
	_, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: "127.0.0.1"})
	if code(err) != "ambiguous" || !strings.Contains(err.Error(), "Simulated PS4 (025053340001), Simulated PS5") {
		t.Errorf("the address of both: %v", err)
	}
	if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: "simulated ps5"}); err != nil || c.State != api.StateStandby {
		t.Errorf("by name: %+v, %v", c, err)
	}
	if found, err := api.Search.Do(t.Context(), r.api, api.SearchRequest{Wait: "200ms"}); err != nil || len(found) != 2 {
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
		if err := api.Power.Do(t.Context(), b.Client, api.PowerRequest{Host: app.FormatAddress(console.Addr()), State: api.StateStandby}); err != nil {
			t.Fatal(err)
		}
	})
	console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
	command(func(b *app.Local) {
		c, err := api.Status.Do(t.Context(), b.Client, api.HostRequest{}) // the only console that is known
		if err != nil || c.State != api.StateStandby || c.HostID != console.HostID() {
			t.Errorf("got %+v, %v, want rest mode", c, err)
		}
	})
}

func wake(ctx context.Context, client *api.Client, wait bool) error {
	return api.Power.Do(ctx, client, api.PowerRequest{State: api.StateAwake, Wait: wait})
}

func standby(ctx context.Context, client *api.Client) error {
	return api.Power.Do(ctx, client, api.PowerRequest{State: api.StateStandby})
}

// A console that goes into rest mode is still awake for seconds. Who wakes it then is told that it is awake when it is
// so again.
func TestWakeDuringAStandby(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	client := serve(t, shortDir(t), yaml, 0).api
	console.SetFaults(ps4test.Faults{Delay: 60 * time.Millisecond}) // it is awake a little longer, and still answers within a poll
	ended := make(chan error, 1)
	go func() { ended <- standby(context.WithoutCancel(t.Context()), client) }()
	eventually(t, console, "the standby", func() bool { return console.Counters().Standbys == 1 })
	if err := wake(t.Context(), client, true); err != nil {
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
	client := serve(t, shortDir(t), yaml, 0).api
	slept, other := make(chan error, 1), make(chan error, 1)
	go func() { slept <- standby(context.WithoutCancel(t.Context()), client) }()
	eventually(t, console, "the standby", func() bool { return console.Counters().Standbys == 1 })
	go func() { other <- wake(context.WithoutCancel(t.Context()), client, true) }()
	if err := <-slept; err == nil {
		t.Error("the standby was not superseded")
	}
	if err := wake(t.Context(), client, true); err != nil {
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
	client := serve(t, shortDir(t), yaml, 0).api
	if err := wake(t.Context(), client, false); err != nil {
		t.Fatalf("wake: %v", err)
	}
	if err := standby(t.Context(), client); err != nil {
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
	client := serve(t, shortDir(t), yaml, 0).api
	if err := standby(t.Context(), client); err != nil {
		t.Fatalf("standby: %v", err)
	}
	console.SetSilent()
	if err := wake(t.Context(), client, false); err != nil {
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
	c, err := api.Status.Do(t.Context(), local(t, store, yaml, app.Override{ConsoleKey: console.PublicKey()}).Client, api.HostRequest{Host: console.HostID()})
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
	if err := api.SetCredential.Do(t.Context(), b.Client, api.CredentialRequest{Host: "A0B1C2D3E4F5", User: api.User{Credential: credential}}); code(err) != "config" {
		t.Errorf("a credential that would never be used: %v", err)
	}
	if err := api.SetCredential.Do(t.Context(), b.Client, api.CredentialRequest{User: api.User{Credential: credential}}); err != nil {
		t.Errorf("one for the other consoles: %v", err)
	}
}

package ps4test_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func TestLoginResults(t *testing.T) {
	t.Parallel()
	with := func(change func(*wire.Login)) wire.Login {
		l := goodLogin()
		change(&l)
		return l
	}
	tests := map[string]struct {
		cfg   ps4test.Config
		login wire.Login
		want  ps4.ResultError
	}{
		"linked":            {ps4test.Config{Linked: true}, goodLogin(), 0},
		"PIN":               {ps4test.Config{PIN: pin}, with(func(l *wire.Login) { l.PIN = pin }), 0},
		"not linked":        {ps4test.Config{PIN: pin}, goodLogin(), ps4.ErrPINNeeded},
		"wrong PIN":         {ps4test.Config{PIN: pin}, with(func(l *wire.Login) { l.PIN = "87654321" }), ps4.ErrPINWrong},
		"PIN not shown":     {ps4test.Config{}, with(func(l *wire.Login) { l.PIN = pin }), ps4.ErrPINWrong},
		"short PIN":         {ps4test.Config{PIN: pin}, with(func(l *wire.Login) { l.PIN = "1234" }), ps4.ErrNotLinked},
		"no model":          {ps4test.Config{Linked: true}, with(func(l *wire.Login) { l.Model = "" }), ps4.ErrNotLinked},
		"credential":        {ps4test.Config{Linked: true}, with(func(l *wire.Login) { l.Credential = "x" }), ps4.ErrNotLinked},
		"unknown account":   {ps4test.Config{Linked: true, Credentials: []string{account}}, with(func(l *wire.Login) { l.Credential = stranger }), ps4.ErrNoSuchAccount},
		"known account":     {ps4test.Config{Linked: true, Credentials: []string{account}}, goodLogin(), 0},
		"passcode":          {ps4test.Config{Linked: true, Passcode: "2468"}, with(func(l *wire.Login) { l.Passcode = "2468" }), 0},
		"no passcode":       {ps4test.Config{Linked: true, Passcode: "2468"}, goodLogin(), ps4.ErrPasscodeNeeded},
		"wrong passcode":    {ps4test.Config{Linked: true, Passcode: "2468"}, with(func(l *wire.Login) { l.Passcode = "1111" }), ps4.ErrPasscodeWrong},
		"needless passcode": {ps4test.Config{Linked: true}, with(func(l *wire.Login) { l.Passcode = "1111" }), 0},
		"short passcode":    {ps4test.Config{Linked: true}, with(func(l *wire.Login) { l.Passcode = "11" }), ps4.ErrNotLinked},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := memory(t, tt.cfg)
				p := newPeer(t, c)
				p.launch()
				p.greet()
				if got := p.login(tt.login); got != tt.want {
					t.Errorf("result %d, want %d", got, tt.want)
				}
				logins := c.Logins()
				if len(logins) != 1 || logins[0].Result != tt.want || logins[0].PIN != (tt.login.PIN != "") ||
					logins[0].Model != tt.login.Model || c.Snapshot().LoggedIn != (tt.want == 0) {
					t.Errorf("recorded %+v, logged in %v", logins, c.Snapshot().LoggedIn)
				}
			})
		})
	}
}

func TestLinkIsRememberedByModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{PIN: pin, MaxDevices: 1})
		p := newPeer(t, c)
		login := func(credential, model, pin string) ps4.ResultError {
			l := goodLogin()
			l.Credential, l.Model, l.PIN = credential, model, pin
			result := p.login(l)
			if result == 0 {
				p.ask(wire.Empty{Type: wire.TypeLogout}, wire.TypeLogoutResult)
			}
			return result
		}
		p.launch()
		p.greet()
		steps := []struct {
			credential, model, pin string
			want                   ps4.ResultError
		}{
			{account, "one", "", ps4.ErrPINNeeded},
			{account, "one", "00000000", ps4.ErrPINWrong},
			{account, "one", pin, 0},
			{account, "one", "", 0},
			{account, "two", "", ps4.ErrPINNeeded},
			{account, "two", pin, ps4.ErrTooManyDevices},
			{stranger, "one", "", ps4.ErrPINNeeded},
			{stranger, "one", pin, 0}, // replaces the first user's link
			{account, "one", "", ps4.ErrPINNeeded},
		}
		for i, s := range steps {
			if got := login(s.credential, s.model, s.pin); got != s.want {
				t.Errorf("step %d: result %d, want %d", i, got, s.want)
			}
		}
		c.Unlink()
		if got := login(stranger, "one", ""); got != ps4.ErrPINNeeded || len(c.Devices()) != 0 {
			t.Errorf("after Unlink: result %d, devices %v", got, c.Devices())
		}
	})
}

func TestOneSessionAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		first, second := newPeer(t, c), newPeer(t, c)
		first.signIn()
		if got := first.login(goodLogin()); got != ps4.ErrAlreadyConnected {
			t.Errorf("second login on a connection: %d", got)
		}
		second.greet()
		if got := second.login(goodLogin()); got != ps4.ErrOtherAppConnected {
			t.Errorf("login beside a session: %d", got)
		}
		first.send(wire.Empty{Type: wire.TypeBye})
		if err := first.ended(); !isClosed(err) {
			t.Errorf("after bye: %v", err)
		}
		second.wait(func(now ps4test.Snapshot) bool { return !now.LoggedIn })
		if got := second.login(goodLogin()); got != 0 {
			t.Errorf("login after bye: %d", got)
		}
	})
}

func TestCommandsNeedALogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		c.OpenKeyboard("", 10)
		p := newPeer(t, c)
		p.launch()
		p.greet()
		results := map[string]ps4.ResultError{
			"boot":     p.boot("CUSA00129"),
			"standby":  p.ask(wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult),
			"keyboard": p.ask(wire.Empty{Type: wire.TypeKeyboardStart}, wire.TypeKeyboardStarted),
		}
		for name, got := range results {
			if got != ps4.ErrNotLoggedIn {
				t.Errorf("%s: result %d", name, got)
			}
		}
		if got := p.ask(wire.Empty{Type: wire.TypeLogout}, wire.TypeLogoutResult); got != ps4.ErrAlreadyLoggedOut {
			t.Errorf("logout: result %d", got)
		}
		time.Sleep(2 * time.Second)
		p.press(wire.OpOpenRC, wire.OpUp)
		p.wait(func(now ps4test.Snapshot) bool { return now.Counters.OpsIgnored == 2 })
	})
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answers int           // heartbeats that the client answers
		want    time.Duration // when it is dropped
	}{
		"none answered": {0, 15 * time.Second},
		"two answered":  {2, 25 * time.Second},
		"six answered":  {6, 45 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := memory(t, ps4test.Config{Linked: true})
				p := newPeer(t, c)
				p.signIn()
				start := time.Now()
				for range tt.answers {
					p.answer(p.expect(wire.TypeHeartbeat))
				}
				err := p.ended()
				if waited := time.Since(start); !isClosed(err) || waited != tt.want {
					t.Errorf("dropped after %v (%v), want %v", waited, err, tt.want)
				}
				p.wait(func(now ps4test.Snapshot) bool { return now.Connections == 0 })
				if n := c.Counters(); n.Dropped != 1 || n.Statuses != tt.answers+1 || n.Heartbeats != int(tt.want/(5*time.Second))-1 {
					t.Errorf("dropped %d, statuses %d, heartbeats %d", n.Dropped, n.Statuses, n.Heartbeats)
				}
			})
		})
	}
}

func TestOneHeartbeatAtATimeAfterLoggingInAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		p := newPeer(t, c)
		p.signIn()
		p.ask(wire.Empty{Type: wire.TypeLogout}, wire.TypeLogoutResult)
		p.login(goodLogin())
		p.drain()
		time.Sleep(21 * time.Second)
		if n := c.Counters(); n.Heartbeats != 4 {
			t.Errorf("%d heartbeats in 21 s", n.Heartbeats)
		}
	})
}

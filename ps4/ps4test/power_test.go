package ps4test_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// checkCodes checks the status code at times since start.
func checkCodes(t *testing.T, p *peer, start time.Time, steps []step) {
	t.Helper()
	for _, s := range steps {
		time.Sleep(s.at - time.Since(start))
		synctest.Wait()
		if got := p.code(); got != s.code {
			t.Errorf("%v after: status %d, want %d", s.at, got, s.code)
		}
	}
}

type step struct {
	at   time.Duration
	code int
}

func TestWakeTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, memory(t, ps4test.Config{Standby: true}))
		if got := p.code(); got != ddp.CodeStandby {
			t.Fatalf("status %d at first", got)
		}
		start := time.Now()
		p.datagram(ddp.NewWakeup(account).Marshal())
		checkCodes(t, p, start, []step{{19999 * time.Millisecond, ddp.CodeStandby}, {20 * time.Second, ddp.CodeAwake}})
	})
}

func TestLaunchIsIgnoredJustAfterWaking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Standby: true})
		p := newPeer(t, c)
		p.datagram(ddp.NewWakeup(account).Marshal())
		p.wait(func(now ps4test.Snapshot) bool { return now.State == ps4.StateAwake })
		p.datagram(ddp.NewLaunch(account).Marshal())
		time.Sleep(ps4test.RealTiming().Service)
		synctest.Wait()
		if n := c.Counters(); n.Launches != 1 || n.LaunchesIgnored != 1 || c.Snapshot().DoorOpen {
			t.Errorf("launches %d, ignored %d, door open %v", n.Launches, n.LaunchesIgnored, c.Snapshot().DoorOpen)
		}
		p.launch()
	})
}

func TestStandbyEndsInSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true, Running: "CUSA00129"})
		p := newPeer(t, c)
		p.signIn()
		start := time.Now()
		if result := p.ask(wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult); result != 0 {
			t.Fatalf("standby: %v", result)
		}
		p.drain()
		checkCodes(t, p, start, []step{
			{2999 * time.Millisecond, ddp.CodeAwake},
			{3 * time.Second, ddp.CodeStandby},
			{3999 * time.Millisecond, ddp.CodeStandby},
			{4 * time.Second, 0},
			{52 * time.Second, 0},
		})
		if got := c.State(); got != ps4.StateUnreachable {
			t.Errorf("state %v while silent", got)
		}
		if now := c.Snapshot(); now.Connections != 0 || now.Title.ID != "" || now.DoorOpen {
			t.Errorf("after standby: %+v", now)
		}
		p.datagram(ddp.NewWakeup(account).Marshal()) // lost
		checkCodes(t, p, start, []step{{54 * time.Second, ddp.CodeStandby}, {80 * time.Second, ddp.CodeStandby}})
		if n := c.Counters(); n.Wakeups != 0 || n.DatagramsLost != 3 {
			t.Errorf("wakeups %d, lost %d", n.Wakeups, n.DatagramsLost)
		}
	})
}

func TestStandbyRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true, StandbyDisabled: true})
		p := newPeer(t, c)
		p.signIn()
		if got := p.ask(wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult); got != ps4.ErrStandbyDisabled {
			t.Errorf("standby: %v", got)
		}
		p.drain()
		time.Sleep(time.Minute)
		if now := c.Snapshot(); now.State != ps4.StateAwake || !now.LoggedIn {
			t.Errorf("after a refused standby: %v, logged in %v", now.State, now.LoggedIn)
		}
	})
}

func TestRequestsNeedTheRightCredential(t *testing.T) {
	t.Parallel()
	wakeup := func(change func(*ddp.Request)) []byte {
		r := ddp.NewWakeup(account)
		change(&r)
		return r.Marshal()
	}
	tests := map[string]struct {
		datagram []byte
		wakes    bool
	}{
		"the app's":        {wakeup(func(*ddp.Request) {}), true},
		"from iOS":         {wakeup(func(r *ddp.Request) { r.ClientType = ddp.ClientIOS }), true},
		"another account":  {ddp.NewWakeup(stranger).Marshal(), false},
		"no credential":    {ddp.NewWakeup("").Marshal(), false},
		"Remote Play":      {wakeup(func(r *ddp.Request) { r.AuthType, r.Credential = "R", "123456789" }), false},
		"no types":         {wakeup(func(r *ddp.Request) { r.ClientType, r.AuthType = "", "" }), true},
		"launch at rest":   {ddp.NewLaunch(account).Marshal(), false},
		"not even a verb":  {[]byte("HELLO\n"), false},
		"an empty message": {nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t, memory(t, ps4test.Config{Standby: true, Credentials: []string{account}}))
				p.datagram(tt.datagram)
				time.Sleep(time.Minute)
				if got := p.code() == ddp.CodeAwake; got != tt.wakes {
					t.Errorf("woke: %v, want %v", got, tt.wakes)
				}
			})
		})
	}
}

func TestSetStateCancelsTransitions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Standby: true})
		p := newPeer(t, c)
		p.datagram(ddp.NewWakeup(account).Marshal())
		c.SetStandby()
		time.Sleep(time.Minute)
		if got := c.State(); got != ps4.StateStandby {
			t.Errorf("state %v after SetStandby", got)
		}
		c.SetSilent()
		if got := p.code(); got != 0 {
			t.Errorf("status %d after SetSilent", got)
		}
		c.SetAwake()
		if got := p.code(); got != ddp.CodeAwake {
			t.Errorf("status %d after SetAwake", got)
		}
	})
}

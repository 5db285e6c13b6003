package ps4test_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

var (
	netflix = ps4test.Title{ID: "CUSA00129", Name: "Netflix"}
	bloody  = ps4test.Title{ID: "CUSA00207", Name: "Bloodborne: The Old Hunters"}
)

// remoteReady signs in and opens remote control.
func remoteReady(t *testing.T, c *ps4test.Console) *peer {
	t.Helper()
	p := newPeer(t, c)
	p.signIn()
	time.Sleep(1500 * time.Millisecond)
	p.press(wire.OpOpenRC)
	time.Sleep(200 * time.Millisecond)
	return p
}

func (p *peer) tap(op wire.Operation) {
	p.tb.Helper()
	p.press(op, wire.OpKeyOff)
	time.Sleep(time.Second)
}

func TestTitleStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true, Titles: []ps4test.Title{netflix, bloody}})
		p := newPeer(t, c)
		p.signIn()
		start := time.Now()
		if got := p.boot(bloody.ID); got != 0 {
			t.Fatalf("boot: %v", got)
		}
		if got := p.boot(netflix.ID); got != ps4.ErrBooting {
			t.Errorf("boot while booting: %d", got)
		}
		p.drain()
		time.Sleep(5*time.Second - time.Millisecond - time.Since(start))
		if reply, _, _ := p.search(); reply.TitleID != "" {
			t.Errorf("title %q too early", reply.TitleID)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if reply, _, _ := p.search(); reply.TitleID != bloody.ID || reply.AppName != bloody.Name {
			t.Errorf("title %q %q", reply.TitleID, reply.AppName)
		}
	})
}

func TestBootRefusals(t *testing.T) {
	t.Parallel()
	titles := []ps4test.Title{netflix, bloody}
	tests := map[string]struct {
		cfg  ps4test.Config
		id   string
		want ps4.ResultError
	}{
		"running already":       {ps4test.Config{Titles: titles, Running: netflix.ID}, netflix.ID, ps4.ErrAlreadyRunning},
		"not installed":         {ps4test.Config{Titles: titles}, "CUSA99999", ps4.ErrTitleUnavailable},
		"nothing installed":     {ps4test.Config{Titles: []ps4test.Title{}}, netflix.ID, ps4.ErrTitleUnavailable},
		"lower case":            {ps4test.Config{Titles: titles}, "cusa00129", ps4.ErrTitleUnavailable},
		"empty":                 {ps4test.Config{}, "", ps4.ErrTitleUnavailable},
		"another runs":          {ps4test.Config{Titles: titles, Running: bloody.ID}, netflix.ID, ps4.ErrTitleUnavailable},
		"another runs, said 31": {ps4test.Config{Running: bloody.ID, BusyResult: ps4.ErrOtherTitleActive}, netflix.ID, ps4.ErrOtherTitleActive},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tt.cfg.Linked = true
				c := memory(t, tt.cfg)
				p := newPeer(t, c)
				p.signIn()
				if got := p.boot(tt.id); got != tt.want {
					t.Errorf("result %d, want %d", got, tt.want)
				}
				p.drain()
				time.Sleep(time.Minute)
				if got := c.RunningTitle().ID; got != tt.cfg.Running {
					t.Errorf("%q runs after a refusal", got)
				}
				if boots := c.Boots(); len(boots) != 1 || boots[0].TitleID != tt.id {
					t.Errorf("recorded %+v", boots)
				}
			})
		})
	}
}

func TestQuitDialog(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		needsPS bool
		before  wire.Operation // pressed before the boot, if any
		wait    time.Duration
		after   wire.Operation // pressed after it
		want    string         // what runs in the end
	}{
		"enter confirms":           {false, 0, 0, wire.OpEnter, netflix.ID},
		"enter within the time":    {false, 0, 18 * time.Second, wire.OpEnter, netflix.ID},
		"enter too late":           {false, 0, 20*time.Second + time.Millisecond, wire.OpEnter, bloody.ID},
		"back cancels":             {false, 0, 0, wire.OpBack, bloody.ID},
		"another key does nothing": {false, 0, 0, wire.OpDown, bloody.ID},
		"PS first, not needed":     {false, wire.OpPS, 0, wire.OpEnter, netflix.ID},
		"PS first":                 {true, wire.OpPS, 0, wire.OpEnter, netflix.ID},
		"PS left out":              {true, 0, 0, wire.OpEnter, bloody.ID},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := ps4test.Config{Linked: true, Running: bloody.ID, QuitNeedsPS: tt.needsPS}
				cfg.Timing = ps4test.RealTiming()
				cfg.Timing.Heartbeat = 0
				c := memory(t, cfg)
				p := remoteReady(t, c)
				if tt.before != 0 {
					p.tap(tt.before)
				}
				if got := p.boot(netflix.ID); got != ps4.ErrTitleUnavailable {
					t.Fatalf("boot: %d", got)
				}
				time.Sleep(tt.wait)
				p.tap(tt.after)
				time.Sleep(time.Minute)
				if got := c.RunningTitle().ID; got != tt.want || c.Snapshot().Asking {
					t.Errorf("%q runs, want %q; dialogue open %v", got, tt.want, c.Snapshot().Asking)
				}
			})
		})
	}
}

func TestSetRunningCancelsABoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true, Titles: []ps4test.Title{netflix}})
		p := newPeer(t, c)
		p.signIn()
		p.boot(netflix.ID)
		c.SetRunning("cusa11111")
		p.drain()
		time.Sleep(time.Minute)
		if got := c.RunningTitle(); got.ID != "CUSA11111" {
			t.Errorf("%+v runs", got)
		}
		c.SetRunning("")
		if reply, _, _ := p.search(); reply.TitleID != "" || reply.AppName != "" {
			t.Errorf("reply names %q", reply.TitleID)
		}
	})
}

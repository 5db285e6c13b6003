package remoteplay_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

func TestSearchWordMayStayUnanswered(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.answers = false
		if err := p.console(nil).Standby(ctx); err != nil {
			t.Fatal(err)
		}
		p.happened("0s SRC3", "300ms GET "+p.paths[1], "300ms FIN", "500ms GET "+p.paths[2], `550ms frame 0x50 ""`, "650ms FIN")
	})
}

func TestRefusedOnce(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.refusals = 1
		if err := p.console(nil).Do(ctx, nothing); err != nil {
			t.Fatal(err)
		}
		p.happened("0s SRC3", "0s refused", "1s GET "+p.paths[1], "1s FIN", "1.2s GET "+p.paths[2])
	})
}

func TestRefusedTwice(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.refusals = 2
		err := p.console(nil).Do(ctx, nothing)
		fails(t, err, remoteplay.ErrRefused, "remote_play_off")
		fails(t, err, ps4.ErrDoorClosed, "remote_play_off")
		p.happened("0s SRC3", "0s refused", "1s refused")
	})
}

func TestSilentControlIsTriedOnceMore(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.control = func(c *call) {
			c.change(func() { c.control = (*call).loggedIn })
			c.linger()
		}
		if err := p.console(nil).Do(ctx, nothing); err != nil {
			t.Fatal(err)
		}
		p.happened(
			"0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2], "5.2s RST",
			"6.2s SRC3", "6.2s GET "+p.paths[1], "6.2s FIN", "6.4s GET "+p.paths[2],
		)
	})
}

// Each of these consoles is tried twice, and every connection that may have left
// something behind is reset.
func TestNoReply(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		control func(*call)
		want    error
		code    string
		took    time.Duration
	}{
		"silent":     {(*call).linger, ps4.ErrSilent, "silent", 5*time.Second + 200*time.Millisecond},
		"hangs up":   {func(*call) {}, remoteplay.ErrNoReply, "no_reply", 200 * time.Millisecond},
		"half reply": {func(c *call) { c.say("HTTP/1.1 200 OK\r\nRP-Ser") }, remoteplay.ErrNoReply, "no_reply", 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFamily(t, rp.PS5, "13600007", func(ctx context.Context, _ *testing.T, p *peer) {
				p.control = tt.control
				err := p.console(nil).Do(ctx, nothing)
				fails(t, err, tt.want, tt.code)
				at := func(d time.Duration, what string) string { return d.String() + " " + what }
				again := tt.took + time.Second
				p.happened(
					"0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2], at(tt.took, "RST"),
					at(again, "SRC3"), at(again, "GET "+p.paths[1]), at(again, "FIN"),
					at(again+200*time.Millisecond, "GET "+p.paths[2]), at(again+tt.took, "RST"),
				)
			})
		})
	}
}

// These consoles are not tried again.
func TestBadReplies(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		init, control func(*call)
		want          error
		code          string
	}{
		"404 at init":          {init: func(c *call) { c.say("HTTP/1.1 404 Not Found\r\n\r\n") }, want: remoteplay.ErrNotPlayStation, code: "not_playstation"},
		"garbage at init":      {init: func(c *call) { c.say("220 ftp ready\r\n\r\n") }, want: remoteplay.ErrNotPlayStation, code: "not_playstation"},
		"oversized at init":    {init: func(c *call) { c.say("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 5000) + "\r\n\r\n") }, want: remoteplay.ErrNotPlayStation, code: "not_playstation"},
		"no nonce":             {init: func(c *call) { c.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }, want: remoteplay.ErrNotPlayStation, code: "not_playstation"},
		"unknown registration": {init: func(c *call) { c.refuse("80108bff") }, want: remoteplay.ErrOther, code: "refused"},
		"crashed":              {init: func(c *call) { c.refuse("80108b15") }, want: remoteplay.ErrCrashed, code: "crashed"},
		"unknown reason":       {init: func(c *call) { c.refuse("80108b42") }, want: remoteplay.ResultError(0x80108b42), code: "result_80108b42"},
		"no reason":            {init: func(c *call) { c.say("HTTP/1.1 403 Forbidden\r\n\r\n") }, want: remoteplay.ErrNotPlayStation, code: "not_playstation"},
		"control refused":      {control: func(c *call) { c.refuse("80108bff") }, want: remoteplay.ErrOther, code: "refused"},
		"no server type":       {control: func(c *call) { c.say("HTTP/1.1 200 OK\r\n\r\n"); c.linger() }, want: remoteplay.ErrNotPlayStation, code: "not_playstation"},
		"no login":             {control: func(c *call) { c.say(c.opened()); c.linger() }, want: ps4.ErrSilent, code: "silent"},
		"oversized frame":      {control: func(c *call) { c.say(c.opened() + "\xff\xff\xff\xff\x00\x33\x00\x00"); c.linger() }, want: remoteplay.ErrProtocol, code: "protocol"},
		"odd login":            {control: func(c *call) { c.say(c.opened() + c.frame(5, "\x77")); c.linger() }, want: ps4.ErrProtocol, code: "protocol"},
		"hangs up at login":    {control: func(c *call) { c.say(c.opened()) }, want: remoteplay.ErrNoReply, code: "no_reply"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFamily(t, rp.PS5, "13600007", func(ctx context.Context, _ *testing.T, p *peer) {
				if tt.init != nil {
					p.init = tt.init
				}
				if tt.control != nil {
					p.control = tt.control
				}
				c := p.console(nil)
				fails(t, c.Do(ctx, nothing), tt.want, tt.code)
				synctest.Wait()
				requests, last := 0, p.events[len(p.events)-1]
				for _, e := range p.events {
					if strings.Contains(e, " GET ") {
						requests++
					}
				}
				if !strings.HasSuffix(last, "RST") || requests > 2 {
					t.Errorf("the console saw %q", p.events)
				}
				if open, _ := c.State(); open {
					t.Error("a session is open")
				}
			})
		})
	}
}

func TestInUsePauses(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.init = func(c *call) { c.refuse("80108b10") }
		c := p.console(nil)
		err := c.Do(ctx, nothing)
		fails(t, err, remoteplay.ErrInUse, "in_use")
		p.happened("0s SRC3", "0s GET "+p.paths[1], "0s RST")
		var inUse *remoteplay.InUseError
		if !errors.As(err, &inUse) || !inUse.Until.Equal(p.start.Add(2*time.Minute)) {
			t.Fatalf("got %#v", err)
		}
		time.Sleep(2*time.Minute - time.Nanosecond)
		before := time.Now()
		fails(t, c.Standby(ctx), remoteplay.ErrInUse, "in_use")
		if !time.Now().Equal(before) {
			t.Error("the error took time")
		}
		p.happened()
		time.Sleep(time.Nanosecond)
		p.change(func() { p.init = (*call).initialized })
		if err := c.Do(ctx, nothing); err != nil {
			t.Error(err)
		}
	})
}

func TestAnotherVersion(t *testing.T) {
	t.Parallel()
	withFamily(t, rp.PS4At7, "13020000", func(ctx context.Context, t *testing.T, p *peer) { // it claims to be newer than it is
		modern := "/sie/ps4/rp/sess/init"
		old := p.paths
		p.paths[1] = modern
		p.init = func(c *call) {
			c.change(func() { c.paths, c.init = old, (*call).initialized })
			c.say("HTTP/1.1 403 Forbidden\r\nRP-Application-Reason: 80108b11\r\nRP-Version: 9.0\r\n\r\n")
		}
		if err := p.console(nil).Do(ctx, nothing); err != nil {
			t.Fatal(err)
		}
		p.happened("0s SRC2", "0s GET "+modern, "0s RST", "0s SRC2", "0s GET "+old[1], "0s FIN", "200ms GET "+old[2])
	})
}

func TestAnotherVersionOnlyOnce(t *testing.T) {
	t.Parallel()
	withFamily(t, rp.PS4At7, "07550000", func(ctx context.Context, t *testing.T, p *peer) {
		p.init = func(c *call) {
			c.say("HTTP/1.1 403 Forbidden\r\nRP-Application-Reason: 80108b11\r\nRP-Version: 8.0\r\n\r\n")
		}
		fails(t, p.console(nil).Do(ctx, nothing), remoteplay.ErrVersion, "version_unsupported")
		p.happened("0s SRC2", "0s GET "+p.paths[1], "0s RST", "0s SRC2", "0s GET "+p.paths[1], "0s RST")
	})
}

func TestPasscode(t *testing.T) {
	t.Parallel()
	asks := func(c *call) {
		c.say(c.opened() + c.frame(0x04, ""))
		for {
			kind, digits := c.next()
			switch {
			case kind == 0:
				return
			case kind == 0x8004 && digits == "4711":
				c.say(c.frame(0x05, "\x00"))
			case kind == 0x8004:
				c.say(c.frame(0x05, "\x01") + c.frame(0x04, ""))
			}
		}
	}
	for name, tt := range map[string]struct {
		passcode string
		want     error
		code     string
		saw      []string
	}{
		"right":  {"4711", nil, "", []string{`200ms frame 0x8004 "4711"`}},
		"wrong":  {"1234", ps4.ErrPasscodeWrong, "passcode_wrong", []string{`200ms frame 0x8004 "1234"`, "200ms RST"}},
		"absent": {"", ps4.ErrPasscodeNeeded, "passcode_needed", []string{"200ms RST"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFamily(t, rp.PS5, "13600007", func(ctx context.Context, _ *testing.T, p *peer) {
				p.control = asks
				o := &remoteplay.Options{}
				if tt.passcode != "" {
					var err error
					if o.Passcode, err = ps4.ParsePasscode(tt.passcode); err != nil {
						t.Fatal(err)
					}
				}
				err := p.console(o).Do(ctx, nothing)
				if tt.want == nil && err != nil {
					t.Error(err)
				}
				if tt.want != nil {
					fails(t, err, tt.want, tt.code)
				}
				p.happened(append([]string{"0s SRC3", "0s GET " + p.paths[1], "0s FIN", "200ms GET " + p.paths[2]}, tt.saw...)...)
			})
		})
	}
}

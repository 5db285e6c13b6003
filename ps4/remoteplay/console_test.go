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

// The order and the times of docs/protocol.md §14, for every family.
func TestStandby(t *testing.T) {
	t.Parallel()
	for system, family := range map[string]rp.Family{"13600007": rp.PS5, "13020000": rp.PS4, "07550000": rp.PS4At7, "06720000": rp.PS4At6} {
		t.Run(family.String(), func(t *testing.T) {
			t.Parallel()
			withFamily(t, family, system, func(ctx context.Context, _ *testing.T, p *peer) {
				word := "SRC2"
				if family == rp.PS5 {
					word = "SRC3"
				}
				if err := p.console(nil).Standby(ctx); err != nil {
					t.Fatal(err)
				}
				p.happened(
					"0s "+word, "0s GET "+p.paths[1], "0s FIN",
					"200ms GET "+p.paths[2], `250ms frame 0x50 ""`, "350ms FIN",
				)
			})
		})
	}
}

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

func nothing(context.Context, *remoteplay.Session) error { return nil }

// fails checks an error and its code.
func fails(t *testing.T, err, want error, code string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	var e ps4.Error
	if !errors.As(err, &e) || e.Code() != code || e.Hint() == "" {
		t.Errorf("%v: code and hint of %v, want %s", err, e, code)
	}
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
				if name != "no nonce" && !strings.HasSuffix(last, "RST") || requests > 2 {
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

// Frames are cut exactly: at once behind the reply, and byte by byte.
func TestFramesHoweverTCPCutsThem(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(*call, string){
		"at once": (*call).say,
		"byte by byte": func(c *call, text string) {
			for i := range len(text) {
				c.say(text[i : i+1])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFamily(t, rp.PS5, "13600007", func(ctx context.Context, _ *testing.T, p *peer) {
				p.control = func(c *call) {
					say(c, c.opened()+c.frame(0x16, "\x01\x02")+c.frame(0x05, "\x00")+c.frame(0x06, "\x00\x01")+
						c.frame(0x41, "")+c.frame(0x33, "\x10InvalidSessionId"))
					c.obey()
				}
				err := p.console(nil).Do(ctx, func(_ context.Context, s *remoteplay.Session) error {
					synctest.Wait()
					if s.ID() != "InvalidSessionId" {
						t.Errorf("session id %q", s.ID())
					}
					return s.Home(ctx)
				})
				if err != nil {
					t.Error(err)
				}
				p.happened("0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2],
					`200ms frame 0x14 "\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"`)
			})
		})
	}
}

func TestHeartbeats(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.control = func(c *call) {
			c.say(c.opened() + c.frame(0x05, "\x00"))
			for range 3 {
				time.Sleep(5 * time.Second)
				c.say(c.frame(0xfe, ""))
				c.next()
			}
			c.linger()
		}
		var held *remoteplay.Session
		err := p.console(nil).Do(ctx, func(_ context.Context, s *remoteplay.Session) error {
			held = s
			<-s.Done()
			return s.Err()
		})
		fails(t, err, ps4.ErrSilent, "closed")
		if held.Err() == nil {
			t.Error("the session is open")
		}
		p.happened("0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2],
			`5.2s frame 0x1fe ""`, `10.2s frame 0x1fe ""`, `15.2s frame 0x1fe ""`, "45.2s FIN")
	})
}

func TestIdleSessionCloses(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		c := p.console(nil)
		for range 2 {
			if err := c.Do(ctx, nothing); err != nil {
				t.Fatal(err)
			}
			time.Sleep(9 * time.Second)
		}
		if open, _ := c.State(); !open {
			t.Error("the session is closed")
		}
		p.happened("0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2])
		time.Sleep(time.Second)
		p.happened("19.25s FIN")
		if open, _ := c.State(); open {
			t.Error("the session is open")
		}
	})
}

func TestOneCommandAtATime(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		c := p.console(nil)
		running := make(chan struct{}, 1)
		done := make(chan error)
		for range 3 {
			go func() {
				done <- c.Do(ctx, func(context.Context, *remoteplay.Session) error {
					select {
					case running <- struct{}{}:
					default:
						t.Error("two commands run at once")
					}
					time.Sleep(time.Second)
					<-running
					return nil
				})
			}()
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		p.happened("0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2])
	})
}

func TestCancelResets(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.control = (*call).linger
		limited, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := p.console(nil).Do(limited, nothing); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		p.happened("0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2], "1s RST")
	})
}

func TestCloseEndsACommand(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		c := p.console(nil)
		done := make(chan error)
		go func() {
			done <- c.Do(ctx, func(ctx context.Context, _ *remoteplay.Session) error {
				<-ctx.Done()
				return context.Cause(ctx)
			})
		}()
		time.Sleep(time.Second)
		go c.Close()
		fails(t, <-done, ps4.ErrClosed, "closed")
		fails(t, c.Do(ctx, nothing), ps4.ErrClosed, "closed")
	})
}

func TestDropEndsACommand(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.control = func(c *call) {
			c.say(c.opened() + c.frame(0x05, "\x00"))
			c.linger()
		}
		c := p.console(nil)
		done := make(chan error)
		go func() {
			done <- c.Do(ctx, func(ctx context.Context, s *remoteplay.Session) error { return s.Standby(ctx) })
		}()
		time.Sleep(time.Second)
		go c.Drop()
		err := <-done
		fails(t, err, ps4.ErrClosed, "closed")
		fails(t, err, ps4.ErrUnanswered, "closed")
		if open, _ := c.State(); open || time.Since(p.start) != time.Second {
			t.Errorf("open: %v, after %v", open, time.Since(p.start))
		}
	})
}

func TestNotNow(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		c := p.console(nil)
		p.change(func() { p.code = 620 })
		fails(t, c.Do(ctx, nothing), ps4.ErrStandby, "standby")
		p.change(func() { p.code = 0 })
		fails(t, c.Do(ctx, nothing), ps4.ErrUnreachable, "unreachable")
		c.SetRegistration(remoteplay.Registration{})
		fails(t, c.Standby(ctx), remoteplay.ErrNotRegistered, "not_linked")
		fails(t, c.Wake(ctx), remoteplay.ErrNotRegistered, "not_linked")
		p.happened()
	})
}

// Discovery alone decides whether a standby had an effect.
func TestStandbyIsConfirmed(t *testing.T) {
	t.Parallel()
	acknowledge := func(c *call) {
		c.say(c.opened() + c.frame(0x05, "\x00"))
		c.next()
		c.say(c.frame(0x8050, ""))
	}
	hangUp := func(c *call) {
		c.say(c.opened() + c.frame(0x05, "\x00"))
		c.next()
	}
	for name, tt := range map[string]struct {
		control func(*call)
		codes   map[time.Duration]int // of discovery, after the standby
		want    error
		code    string
		took    time.Duration
	}{
		"silent for 20 s":         {acknowledge, map[time.Duration]int{time.Second: 0, 20 * time.Second: 620}, nil, "", 20 * time.Second},
		"on for 10 s":             {acknowledge, map[time.Duration]int{10 * time.Second: 620}, nil, "", 10 * time.Second},
		"no answer, but it rests": {hangUp, map[time.Duration]int{3 * time.Second: 620}, nil, "", 3 * time.Second},
		"still on":                {acknowledge, nil, remoteplay.ErrStandbyIgnored, "standby_ignored", 30 * time.Second},
		"on again after silence":  {acknowledge, map[time.Duration]int{time.Second: 0, 40 * time.Second: 200}, remoteplay.ErrStandbyIgnored, "standby_ignored", 40 * time.Second},
		"silent for good":         {acknowledge, map[time.Duration]int{5 * time.Second: 0}, ps4.ErrUnanswered, "silent", 64 * time.Second},
		"no answer, still on":     {hangUp, nil, ps4.ErrUnanswered, "closed", 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFamily(t, rp.PS5, "13600007", func(ctx context.Context, _ *testing.T, p *peer) {
				p.control = tt.control
				for after, code := range tt.codes {
					p.group.Go(func() {
						time.Sleep(after)
						p.change(func() { p.code = code })
					})
				}
				err := p.console(nil).Standby(ctx)
				if tt.want == nil && err != nil {
					t.Error(err)
				}
				if tt.want != nil {
					fails(t, err, tt.want, tt.code)
				}
				if took := time.Since(p.start); took < tt.took || took > tt.took+2*time.Second {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				sent := 0
				for _, e := range p.events {
					if strings.Contains(e, "frame 0x50") {
						sent++
					}
				}
				if sent != 1 {
					t.Errorf("%d standbys: %q", sent, p.events)
				}
			})
		})
	}
}

func TestWakeWait(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.code = 620
		p.group.Go(func() {
			time.Sleep(9 * time.Second)
			p.change(func() { p.code = 200 })
		})
		status, err := p.console(nil).WakeWait(ctx)
		if err != nil || status.State != ps4.StateAwake || time.Since(p.start) != 10*time.Second {
			t.Errorf("%v: %v, %v", time.Since(p.start), status.State, err)
		}
		p.happened("0s WAKEUP 3521311652", "1s WAKEUP 3521311652", "2s WAKEUP 3521311652")
	})
}

func TestNotWoken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		family rp.Family
		code   int
		want   error
		text   string
		took   time.Duration
	}{
		"PS5":        {rp.PS5, 620, remoteplay.ErrNotWoken, "not_woken", 30 * time.Second},
		"PS4":        {rp.PS4, 620, ps4.ErrNotWoken, "not_woken", 45 * time.Second},
		"no console": {rp.PS5, 0, ps4.ErrUnreachable, "unreachable", 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFamily(t, tt.family, "13020000", func(ctx context.Context, _ *testing.T, p *peer) {
				p.code = tt.code
				_, err := p.console(nil).WakeWait(ctx)
				fails(t, err, tt.want, tt.text)
				if took := time.Since(p.start); took != tt.took {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// A console that has just been woken may report itself on before it is ready.
func TestNotReadyAfterWaking(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		c := p.console(nil)
		if err := c.Wake(ctx); err != nil {
			t.Fatal(err)
		}
		p.init = func(c *call) {
			c.change(func() { c.init = (*call).initialized })
			c.refuse("80108bff")
		}
		if err := c.Do(ctx, nothing); err != nil {
			t.Fatal(err)
		}
		p.happened("0s WAKEUP 3521311652", "0s SRC3", "0s GET "+p.paths[1], "0s RST",
			"5s SRC3", "5s GET "+p.paths[1], "5s FIN", "5.2s GET "+p.paths[2])
	})
}

func TestKeyboard(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.control = func(c *call) {
			c.say(c.opened() + c.frame(0x05, "\x00"))
			for {
				switch kind, payload := c.next(); kind {
				case 0:
					return
				case 0x20:
					c.say(c.frame(0x21, strings.Repeat("\x00", 28)+"\x00\x00\x00\x03old"))
				case 0x23:
					c.say(c.frame(0x24, payload))
				case 0x25:
					c.say(c.frame(0x22, ""))
				}
			}
		}
		c := p.console(nil)
		err := c.Do(ctx, func(ctx context.Context, s *remoteplay.Session) error {
			k, err := s.Keyboard(ctx)
			if err != nil {
				return err
			}
			if _, open := c.State(); !open || k.Text() != "old" {
				t.Errorf("open: %v, text %q", open, k.Text())
			}
			if err := k.SetText(ctx, strings.Repeat("x", 4097)); !errors.Is(err, ps4.ErrTextTooLong) {
				t.Error(err)
			}
			if err := k.SetText(ctx, "Grüße"); err != nil || k.Text() != "Grüße" {
				t.Errorf("text %q, %v", k.Text(), err)
			}
			if err := k.Submit(ctx); err != nil {
				t.Error(err)
			}
			if err := k.Close(ctx); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			return k.Submit(ctx)
		})
		fails(t, err, ps4.ErrKeyboardClosed, "keyboard_closed")
		p.happened("0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2],
			`200ms frame 0xd "\x00\x00\x00\x01\x00\x00\x05\xae\x00\x00\x00\x00\x00\x00\x00\x00"`, `200ms frame 0x20 "\x01"`,
			`200ms frame 0x23 "\x00\x00\x00\x01\x00\x00\x00\a`+strings.Repeat(`\x00`, 24)+`\x00\x00\x00\aGrüße"`,
			`200ms frame 0x25 "\x00\x00\x00\x00"`, "200ms FIN")
	})
}

func TestKeyboardClosed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		err := p.console(nil).Do(ctx, func(ctx context.Context, s *remoteplay.Session) error {
			_, err := s.Keyboard(ctx)
			return err
		})
		fails(t, err, ps4.ErrKeyboardClosed, "keyboard_closed")
	})
}

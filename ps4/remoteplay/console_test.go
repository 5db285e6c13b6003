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

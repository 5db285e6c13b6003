package ps4_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// story is what a watch said, with times, until now.
type story struct {
	f     *fake
	lines []string
	done  chan struct{}
}

func (f *fake) watch(ctx context.Context, c *ps4.Console, o *ps4.WatchOptions) *story {
	s := &story{f: f, done: make(chan struct{})}
	updates := ps4.Watch(ctx, c, o)
	go func() {
		defer close(s.done)
		for u := range updates {
			f.change(func() {
				line := time.Since(f.start).String() + " " + u.State.String()
				if u.TitleID != "" {
					line += " " + u.TitleID
				}
				s.lines = append(s.lines, line)
			})
		}
	}()
	return s
}

func (s *story) is(t *testing.T, want ...string) {
	t.Helper()
	same(t, s.told(), want...)
}

func (s *story) told() []string {
	synctest.Wait()
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	return slices.Clone(s.lines)
}

func TestWatchPollsHalfAsOftenInRestMode(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.watch(ctx, f.console(f.options()), nil)
		time.Sleep(2500 * time.Millisecond)
		f.change(func() { f.reply.Code = ddp.CodeStandby })
		time.Sleep(5 * time.Second)
		same(t, f.take(), "0s SRCH", "1s SRCH", "2s SRCH", "3s SRCH", "5s SRCH", "7s SRCH")
	})
}

func TestWatchPollsOnQuartersOfTheInterval(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		time.Sleep(600 * time.Millisecond)
		f.watch(ctx, f.console(f.options()), nil)
		time.Sleep(2 * time.Second)
		same(t, f.take(), "600ms SRCH", "1.5s SRCH", "2.5s SRCH")
	})
}

func TestWatchPollsABusyConsoleEachSecond(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.Code = ddp.CodeStandby
		f.watch(ctx, f.console(f.options()), &ps4.WatchOptions{Busy: func() bool { return true }})
		time.Sleep(2500 * time.Millisecond)
		same(t, f.take(), "0s SRCH", "1s SRCH", "2s SRCH")
	})
}

func TestWatchGoesOnWhenPokeIsClosed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		ctx, cancel := context.WithCancel(ctx)
		poke := make(chan struct{})
		s := f.watch(ctx, f.console(f.options()), &ps4.WatchOptions{Poke: poke})
		close(poke)
		time.Sleep(2500 * time.Millisecond)
		cancel()
		<-s.done
		same(t, f.take(), "0s SRCH", "1s SRCH", "2s SRCH")
	})
}

func TestWatchSendsChanges(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		ctx, cancel := context.WithCancel(ctx)
		poke := make(chan struct{})
		c := f.console(f.options())
		s := f.watch(ctx, c, &ps4.WatchOptions{Poke: poke, Interval: 5 * time.Second})
		time.Sleep(12 * time.Second)
		f.change(func() { f.reply.TitleID = title })
		time.Sleep(10 * time.Second)
		f.change(func() { f.reply.TitleID, f.reply.Code = "", ddp.CodeStandby })
		poke <- struct{}{}
		s.is(t, "0s awake", "15s awake CUSA00127", "22s standby")
		if c.HostID() != hostID {
			t.Errorf("host id %q was not learned", c.HostID())
		}
		cancel()
		<-s.done
	})
}

func TestWatchSendsEveryPoll(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.deaf = true
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		updates := ps4.Watch(ctx, f.console(f.options()), &ps4.WatchOptions{
			Every: true, Last: ps4.Status{State: ps4.StateAwake, HostName: "Den"},
		})
		for _, want := range []struct {
			missed int
			state  ps4.State
		}{{1, ps4.StateAwake}, {2, ps4.StateAwake}, {3, ps4.StateUnreachable}} {
			if u := <-updates; u.Missed != want.missed || u.State != want.state || u.HostName != "Den" {
				t.Errorf("got %+v, want %+v", u, want)
			}
		}
		f.change(func() { f.deaf = false })
		began := time.Now()
		if u := <-updates; u.Missed != 0 || u.State != ps4.StateAwake || u.Asked.Before(began) {
			t.Errorf("got %+v", u)
		}
	})
}

func TestWatchMissesPolls(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.watch(ctx, f.console(f.options()), nil)
		time.Sleep(500 * time.Millisecond)
		f.change(func() { f.deaf = true })
		time.Sleep(2 * time.Second) // two polls are missed
		f.change(func() { f.deaf = false })
		time.Sleep(10 * time.Second)
		s.is(t, "0s awake")
		f.change(func() { f.deaf = true })
		time.Sleep(time.Minute)
		f.change(func() { f.deaf = false })
		time.Sleep(10 * time.Second)
		told := s.told()
		if len(told) != 3 || told[1] != "16s unreachable" || !strings.HasSuffix(told[2], " awake") {
			t.Errorf("told %q", told)
		}
	})
}

func TestWatchKnowsTheDeafMinute(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		c := f.console(f.options())
		s := f.watch(ctx, c, nil)
		session, err := c.Open(ctx)
		ok(t, err)
		ok(t, session.Standby(ctx))
		ok(t, session.Close())
		time.Sleep(2 * time.Second) // it still says 200
		f.change(func() { f.deaf = true })
		status, err := c.Status(ctx)
		ok(t, err)
		if status.State != ps4.StateStandby {
			t.Errorf("status is %v, want rest mode", status.State)
		}
		time.Sleep(50 * time.Second)
		f.change(func() { f.deaf, f.reply.Code = false, ddp.CodeStandby })
		time.Sleep(10 * time.Second)
		if told := s.told(); len(told) != 2 || !strings.HasSuffix(told[1], " standby") {
			t.Errorf("told %q", told)
		}
		f.change(func() { f.deaf = true })
		time.Sleep(2 * time.Minute)
		if told := s.told(); len(told) != 3 || !strings.HasSuffix(told[2], " unreachable") {
			t.Errorf("told %q", told)
		}
		if _, err := c.Status(ctx); err == nil {
			t.Error("a console that is silent for long is not unreachable")
		}
	})
}

// A console that somebody turns on at once is on, whatever its silence was.
func TestWatchKnowsTheEndOfTheDeafMinute(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		c := f.console(f.options())
		s := f.watch(ctx, c, nil)
		time.Sleep(1500 * time.Millisecond)
		f.change(func() { f.reply.Code = ddp.CodeStandby })
		time.Sleep(5 * time.Second)
		f.change(func() { f.reply.Code = ddp.CodeAwake })
		time.Sleep(5 * time.Second)
		f.change(func() { f.deaf = true })
		time.Sleep(5 * time.Second)
		s.is(t, "0s awake", "2s standby", "8s awake", "15s unreachable")
	})
}

func TestWatchFollowsAConsoleThatMoved(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, s *story) {
		l.move(oldAddr, newAddr)
		time.Sleep(10 * time.Second)
		s.is(t, "5ms awake", "5.005s awake") // at its new address
		if c.Addr().Addr() != newAddr || len(l.warned) != 1 || !strings.Contains(l.warned[0], "has moved") {
			t.Errorf("the console is asked at %v; warnings: %q", c.Addr(), l.warned)
		}
	})
}

// Forged replies: none of these moves a console.
func TestWatchStays(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]func(l *lan){
		"where the console answers": func(l *lan) { l.claim(newAddr) },
		"when two claim its host id": func(l *lan) {
			l.claim(newAddr)
			l.claim(thirdAddr)
			l.silence(oldAddr)
		},
		"on its network": func(l *lan) { l.move(oldAddr, farAddr) },
		"until it is silent": func(l *lan) {
			l.silence(oldAddr)
			l.claim(newAddr)
			time.AfterFunc(1200*time.Millisecond, func() { l.move(newAddr, oldAddr) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
				attack(l)
				time.Sleep(time.Minute)
				if c.Addr().Addr() != oldAddr {
					t.Errorf("the console is asked at %v", c.Addr())
				}
			})
		})
	}
}

// Rivals for a host id cause one warning, however often and in whatever order
// they claim it.
func TestWatchWarnsOnceOfRivals(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, _ *story) {
		for range 10 {
			for _, rivals := range [][]netip.Addr{{newAddr, thirdAddr}, {thirdAddr, newAddr}} {
				for _, from := range rivals {
					l.forge(from, hostID)
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(time.Second) // the console answers a poll meanwhile
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.warned) != 1 || !strings.Contains(l.warned[0], "both claim") {
			t.Errorf("warnings: %q", l.warned)
		}
	})
}

// A lost link says nothing about the console, whether the kernel refuses to
// send or the datagrams vanish.
func TestWatchOutlivesALostLink(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(l *lan, down bool){
		"no route":   func(l *lan, down bool) { l.noRoute = down },
		"no carrier": func(l *lan, down bool) { l.noCarrier = down },
	} {
		t.Run(name, func(t *testing.T) {
			inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, s *story) {
				l.change(func() { cut(l, true) })
				time.Sleep(25 * time.Second)
				l.change(func() { cut(l, false) })
				time.Sleep(5 * time.Second)
				s.is(t, "5ms awake")
			})
		})
	}
}

// All consoles falling silent at once is the network's doing, for a while.
func TestWatchDoubtsThatAllConsolesFellSilent(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, s *story) {
		l.set(thirdAddr, "0A0A0A0A0A0A")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		other := s.f.watch(ctx, l.network.Console(netip.AddrPortFrom(thirdAddr, 987), ps4.Credential{}), nil)
		time.Sleep(2 * time.Second)
		l.change(func() { l.deaf = true })
		time.Sleep(25 * time.Second)
		s.is(t, "5ms awake")
		l.change(func() { l.deaf = false })
		time.Sleep(5 * time.Second)
		s.is(t, "5ms awake")
		other.is(t, "1.505s awake")
		l.silence(oldAddr) // now just one
		time.Sleep(6 * time.Second)
		if told := s.told(); len(told) != 2 {
			t.Errorf("told %q, want it to be unreachable", told)
		}
		l.change(func() { l.deaf = true })
		time.Sleep(time.Minute)
		if told := other.told(); len(told) != 2 {
			t.Errorf("told %q, want it to be unreachable in the end", told)
		}
	})
}

// One console is no outage, however many follow it.
func TestWatchCountsAConsoleOnce(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, s *story) {
		ctx, cancel := context.WithCancel(t.Context())
		again := s.f.watch(ctx, l.network.Console(testAddr, ps4.Credential{}), nil)
		time.Sleep(2 * time.Second)
		l.silence(oldAddr)
		time.Sleep(10 * time.Second)
		for _, told := range [][]string{s.told(), again.told()} {
			if len(told) != 2 || !strings.HasSuffix(told[1], " unreachable") {
				t.Errorf("told %q", told)
			}
		}
		cancel()
		<-again.done
	})
}

// A closed network says nothing about the console.
func TestWatchOutlivesItsNetwork(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, s *story) {
		ok(t, l.network.Close())
		time.Sleep(10 * time.Second)
		s.is(t, "5ms awake")
	})
}

// A poll waits for its answer from when its question leaves, which may be
// later: a console gets only so many questions in a second.
func TestWatchWaitsForItsTurn(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := newLAN(t)
		defer l.network.Close()
		l.set(oldAddr, hostID)
		c := l.network.Console(testAddr, ps4.Credential{})
		for range 3 {
			_, err := c.Status(ctx)
			ok(t, err)
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		updates := ps4.Watch(ctx, c, &ps4.WatchOptions{Interval: 500 * time.Millisecond, Every: true})
		if u := <-updates; u.Missed != 0 || u.State != ps4.StateAwake {
			t.Errorf("got %+v", u)
		}
		cancel()
		for range updates {
		}
	})
}

// A console that has never answered has no host id to search for.
func TestWatchSearchesByHostID(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		l := newLAN(t)
		defer l.network.Close()
		ctx, cancel := context.WithCancel(ctx)
		s := f.watch(ctx, l.network.Console(testAddr, ps4.Credential{}), nil)
		time.Sleep(10 * time.Second)
		cancel()
		<-s.done
		for _, sent := range l.takeSent() {
			if !strings.Contains(sent, testAddr.String()) {
				t.Errorf("searched: %s", sent)
			}
		}
	})
}

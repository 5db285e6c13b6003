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

// story is the states that a watch told, with their times, until now.
type story struct {
	f     *fake
	lines []string
	done  chan struct{}
}

func (f *fake) watch(ctx context.Context, c *ps4.Console, o *ps4.WatchOptions) *story {
	s := &story{f: f, done: make(chan struct{})}
	changes := ps4.Watch(ctx, c, o)
	go func() {
		defer close(s.done)
		for status := range changes {
			f.change(func() {
				line := time.Since(f.start).String() + " " + status.State.String()
				if status.TitleID != "" {
					line += " " + status.TitleID
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

func TestWatchGoesOnWhenPokeIsClosed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		ctx, cancel := context.WithCancel(ctx)
		poke := make(chan struct{})
		s := f.watch(ctx, f.console(f.options()), &ps4.WatchOptions{Poke: poke})
		close(poke)
		time.Sleep(12 * time.Second)
		cancel()
		<-s.done
		same(t, f.take(), "0s SRCH", "5s SRCH", "10s SRCH")
	})
}

func TestWatchTellsChanges(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		ctx, cancel := context.WithCancel(ctx)
		poke := make(chan struct{})
		c := f.console(f.options())
		s := f.watch(ctx, c, &ps4.WatchOptions{Poke: poke})
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

func TestWatchMissesPolls(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.watch(ctx, f.console(f.options()), &ps4.WatchOptions{Interval: 4 * time.Second})
		time.Sleep(time.Second)
		f.change(func() { f.deaf = true })
		time.Sleep(8500 * time.Millisecond) // two polls are missed
		f.change(func() { f.deaf = false })
		time.Sleep(10 * time.Second)
		s.is(t, "0s awake")
		f.change(func() { f.deaf = true })
		time.Sleep(time.Minute)
		f.change(func() { f.deaf = false })
		time.Sleep(10 * time.Second)
		// 20s, 24s and 28s are missed, 3 s each, and then it searched for 2 s.
		s.is(t, "0s awake", "33s unreachable", "1m20s awake")
	})
}

func TestWatchKnowsTheDeafMinute(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		c := f.console(f.options())
		s := f.watch(ctx, c, &ps4.WatchOptions{Interval: time.Second})
		session, err := c.Open(ctx)
		ok(t, err)
		ok(t, session.Standby(ctx))
		ok(t, session.Close())
		time.Sleep(2 * time.Second) // it still says 200
		f.change(func() { f.deaf = true })
		time.Sleep(50 * time.Second)
		f.change(func() { f.deaf, f.reply.Code = false, ddp.CodeStandby })
		time.Sleep(10 * time.Second)
		s.is(t, "0s awake", "4s standby") // and one change less than an unreachable console makes
		f.change(func() { f.deaf = true })
		time.Sleep(2 * time.Minute)
		if told := s.told(); len(told) != 3 || !strings.HasSuffix(told[2], " unreachable") {
			t.Errorf("told %q", told)
		}
	})
}

func TestWatchFollowsTheHostID(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		moved := netip.MustParseAddrPort("192.0.2.77:987")
		c := f.console(f.options())
		searches := 0
		s := f.watch(ctx, c, &ps4.WatchOptions{Search: func(context.Context) ([]ps4.Status, error) {
			searches++
			f.change(func() { f.deaf = false })
			return []ps4.Status{{HostID: "000000000001"}, {Addr: moved, HostID: hostID, State: ps4.StateAwake}}, nil
		}})
		time.Sleep(time.Second)
		f.change(func() { f.deaf, f.from = true, netip.AddrPortFrom(moved.Addr(), 5000) })
		time.Sleep(time.Minute)
		synctest.Wait()
		if c.Addr() != moved || searches != 1 {
			t.Errorf("the address is %v after %d searches", c.Addr(), searches)
		}
		told := s.told()
		if !strings.HasSuffix(told[len(told)-1], " awake") {
			t.Errorf("told %q", told)
		}
	})
}

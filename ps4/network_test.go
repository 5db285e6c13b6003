package ps4_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Everyone who asks at the same time shares one question, from one port.
func TestNetworkSharesAnswers(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.takeSent()
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				status, err := c.Status(t.Context())
				if err != nil || status.HostID != hostID {
					t.Errorf("%+v, %v", status, err)
				}
			})
		}
		group.Wait()
		same(t, l.takeSent(), "SRCH 192.0.2.20:987 from 1987")
		if c.Addr() != testAddr {
			t.Errorf("the address is %v", c.Addr())
		}
	})
}

func TestNetworkAsksNoMoreThanAConsoleCanTake(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.takeSent()
		began := time.Now()
		for range 20 {
			_, err := c.Status(t.Context())
			ok(t, err)
		}
		sent := len(l.takeSent())
		if limit := 3 + 3*int(time.Since(began).Seconds()); sent > limit {
			t.Errorf("%d questions in %v", sent, time.Since(began))
		}
	})
}

func TestNetworkTakesItsPortBack(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := &lan{hosts: map[netip.Addr]string{oldAddr: hostID}, taken: true}
		l.listen(t)
		defer l.network.Close()
		c := l.network.Console(testAddr, ps4.Credential{})
		for range 30 {
			_, err := c.Status(ctx)
			ok(t, err)
			time.Sleep(time.Second)
		}
		if port := l.network.LocalPort(); port != 50000 || len(l.warned) != 1 || !strings.Contains(l.warned[0], "1987") {
			t.Errorf("port %d, warnings %q", port, l.warned)
		}
		l.change(func() { l.taken = false })
		for range 15 {
			_, err := c.Status(ctx)
			ok(t, err)
			time.Sleep(time.Second)
		}
		if port := l.network.LocalPort(); port != 1987 {
			t.Errorf("port %d", port)
		}
	})
}

func TestNetworkIgnoresRepliesFromAfar(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, _ *story) {
		time.AfterFunc(time.Second, func() {
			l.forge(farAddr, "0A0A0A0A0A0A")
			l.forge(thirdAddr, "0B0B0B0B0B0B")
		})
		found, err := l.network.Discover(t.Context(), 2*time.Second)
		ok(t, err)
		var ids []string
		for _, s := range found {
			ids = append(ids, s.HostID)
		}
		same(t, ids, "0B0B0B0B0B0B", hostID)
	})
}

// An address that was asked may be on another network.
func TestNetworkAsksAcrossARouter(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, _ *story) {
		l.set(farAddr, "0A0A0A0A0A0A")
		status, err := l.network.Console(netip.AddrPortFrom(farAddr, 0), ps4.Credential{}).Status(t.Context())
		if err != nil || status.HostID != "0A0A0A0A0A0A" {
			t.Errorf("%+v, %v", status, err)
		}
	})
}

func TestStatusWithoutALink(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.change(func() { l.noRoute = true })
		_, err := c.Status(t.Context())
		wantErr(t, err, ps4.ErrNoNetwork)
	})
}

func TestNetworkIsClosed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := newLAN(t)
		ok(t, l.network.Close())
		_, err := l.network.Console(testAddr, ps4.Credential{}).Status(ctx)
		wantErr(t, err, net.ErrClosed)
		simulated := netip.MustParseAddrPort("127.0.0.1:40987")
		_, err = l.network.Discover(ctx, time.Second, simulated)
		wantErr(t, err, net.ErrClosed)
		if err.Error() != net.ErrClosed.Error() {
			t.Errorf("the error is %q", err)
		}
	})
}

// A datagram that is being sent while the network moves to another port is
// sent from that one.
func TestNetworkTakesItsPortBackDuringAQuestion(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := &lan{hosts: map[netip.Addr]string{oldAddr: hostID, newAddr: "0A0A0A0A0A0A"}, taken: true}
		l.listen(t)
		defer l.network.Close()
		time.Sleep(9500 * time.Millisecond)
		l.change(func() { l.taken, l.stuck = false, true })
		failed := make(chan error, 1)
		go func() {
			_, err := l.network.Console(testAddr, ps4.Credential{}).Status(ctx)
			failed <- err
		}()
		time.Sleep(time.Second)
		_, err := l.network.Console(netip.AddrPortFrom(newAddr, 987), ps4.Credential{}).Status(ctx)
		ok(t, err)
		ok(t, <-failed)
		if port := l.network.LocalPort(); port != 1987 {
			t.Errorf("port %d", port)
		}
	})
}

// Close ends questions and searches at once, those from a socket of their own
// too.
func TestNetworkIsClosedDuringAQuestion(t *testing.T) {
	simulated := netip.AddrPortFrom(oldAddr, 40001)
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		l := newLAN(t)
		failed := make(chan error)
		for _, addr := range []netip.AddrPort{testAddr, simulated} {
			go func() {
				_, err := l.network.Console(addr, ps4.Credential{}).Status(ctx)
				failed <- err
			}()
			go func() {
				_, err := l.network.Discover(ctx, time.Minute, addr)
				failed <- err
			}()
		}
		time.Sleep(300 * time.Millisecond)
		ok(t, l.network.Close())
		for range 4 {
			wantErr(t, <-failed, net.ErrClosed)
		}
		if took := time.Since(f.start); took != 300*time.Millisecond {
			t.Errorf("ended after %v", took)
		}
		l.set(oldAddr, hostID)
		_, err := l.network.Console(simulated, ps4.Credential{}).Status(ctx)
		wantErr(t, err, net.ErrClosed)
	})
}

// A question that starts during another does not hide who answered that one.
func TestStatusOfAnotherConsoleDuringAWatch(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.set(oldAddr, "0A0A0A0A0A0A")
		time.Sleep(100 * time.Millisecond) // 400 ms before a poll, which shares the question
		_, err := c.Status(t.Context())
		wantErr(t, err, ps4.ErrOtherConsole)
	})
}

// A search for a console that may have moved leaves time to ask it again.
func TestStatusSearchesSimulatedConsolesAtOnce(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := &lan{hosts: map[netip.Addr]string{oldAddr: hostID}, deaf: true}
		for i := range uint16(20) {
			l.broadcast = append(l.broadcast, netip.AddrPortFrom(newAddr, 40000+i))
		}
		l.listen(t)
		defer l.network.Close()
		c := l.network.Console(testAddr, ps4.Credential{})
		c.SetHostID(hostID)
		time.AfterFunc(500*time.Millisecond, func() { l.change(func() { l.deaf = false }) })
		_, err := c.Status(ctx)
		ok(t, err)
	})
}

// WakeWait follows a console that a Watch finds at another address.
func TestWakeWaitFollowsAConsoleThatMoved(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		credential, err := ps4.ParseCredential(testHex)
		ok(t, err)
		c.SetUser(ps4.User{Credential: credential})
		l.change(func() { l.rests = true })
		l.move(oldAddr, newAddr)
		status, err := c.WakeWait(t.Context())
		ok(t, err)
		if status.State != ps4.StateAwake || status.Addr.Addr() != newAddr {
			t.Errorf("got %+v", status)
		}
	})
}

// Status follows a console that was silent for 3 s and seen elsewhere, and says
// that it is unreachable if it is silent there too.
func TestStatusFollowsAConsoleThatMoved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limit time.Duration // of ctx; 0: none
		gone  bool          // silent at its new address
		want  error
	}{
		"found":         {0, false, nil},
		"silent again":  {0, true, ps4.ErrUnreachable},
		"at a deadline": {3500 * time.Millisecond, false, ps4.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
				l := newLAN(t)
				defer l.network.Close()
				l.claim(newAddr)
				c := l.network.Console(testAddr, ps4.Credential{})
				c.SetHostID(hostID)
				if test.gone {
					time.AfterFunc(2*time.Second, func() { l.silence(newAddr) })
				}
				if test.limit > 0 {
					limited, cancel := context.WithTimeout(ctx, test.limit)
					defer cancel()
					ctx = limited
				}
				_, err := c.Status(ctx)
				wantErr(t, err, test.want)
				if c.Addr().Addr() != newAddr {
					t.Errorf("the console is asked at %v", c.Addr())
				}
			})
		})
	}
}

// A question is shared only among callers that hear its answer: without a host
// id, a simulated console is asked from a port of its own.
func TestNetworkSharesAnswersOfOnePort(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		l := newLAN(t)
		defer l.network.Close()
		l.set(oldAddr, hostID)
		simulated := netip.AddrPortFrom(oldAddr, 40001)
		known, unknown := l.network.Console(simulated, ps4.Credential{}), l.network.Console(simulated, ps4.Credential{})
		known.SetHostID(hostID)
		var group sync.WaitGroup
		for _, c := range []*ps4.Console{known, unknown, known, unknown} {
			group.Go(func() {
				_, err := c.Status(ctx)
				ok(t, err)
			})
			synctest.Wait() // its question has left
		}
		group.Wait()
		if took := time.Since(f.start); took > 100*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

package ps4test_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func TestNetworkBroadcast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := ps4test.NewNetwork()
		for i, addr := range []string{"127.0.0.5", "127.0.0.6", "127.0.0.7"} {
			ps4test.Start(t, ps4test.Config{Network: network, Addr: addr, DDPPort: 987, TCPPort: 997, Broadcast: i < 2})
		}
		s, err := network.ListenPacket(t.Context(), "udp4", ":1987")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.WriteTo(ddp.NewSearch("").Marshal(), &net.UDPAddr{IP: net.IPv4bcast, Port: 987}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		buf := make([]byte, 2048)
		for {
			n, from, err := s.ReadFrom(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ddp.ParseReply(buf[:n]); err != nil {
				t.Errorf("reply: %v", err)
			}
			found[from.(*net.UDPAddr).IP.String()] = true //nolint:forcetypeassert // a UDP socket
		}
		if len(found) != 2 || !found["127.0.0.5"] || !found["127.0.0.6"] {
			t.Errorf("found %v", found)
		}
	})
}

func TestNetworkPorts(t *testing.T) {
	t.Parallel()
	n := ps4test.NewNetwork()
	first, err := n.ListenPacket(t.Context(), "udp4", "0.0.0.0:1987")
	if err != nil || first.LocalAddr().String() != "127.0.0.1:1987" {
		t.Fatalf("%v, %v", first.LocalAddr(), err)
	}
	if _, err := n.ListenPacket(t.Context(), "udp4", ":1987"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port twice: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing twice: %v", err)
	}
	again, err := n.ListenPacket(t.Context(), "udp4", ":1987")
	if err != nil {
		t.Fatalf("a port that was closed: %v", err)
	}
	_ = again.Close()
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:x", "localhost:1"} {
		if _, err := n.ListenPacket(t.Context(), "udp4", bad); err == nil {
			t.Errorf("address %q was taken", bad)
		}
		if _, err := n.Dial(t.Context(), "tcp", bad); err == nil {
			t.Errorf("address %q was dialled", bad)
		}
	}
	ps4test.Start(t, ps4test.Config{Network: n, DDPPort: 987, TCPPort: 997})
	if c, err := ps4test.New(ps4test.Config{Network: n, DDPPort: 988, TCPPort: 997}); !errors.Is(err, syscall.EADDRINUSE) {
		_ = c.Close()
		t.Errorf("a TCP port twice: %v", err)
	}
}

func TestNetworkDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := ps4test.NewNetwork().ListenPacket(t.Context(), "udp4", ":0")
		if err != nil {
			t.Fatal(err)
		}
		read := func() error {
			_, _, err := s.ReadFrom(make([]byte, 1))
			return err
		}
		start := time.Now()
		set := func(d time.Duration) {
			if err := s.SetDeadline(start.Add(d)); err != nil {
				t.Error(err)
			}
		}
		set(time.Second)
		time.AfterFunc(500*time.Millisecond, func() { set(3 * time.Second) }) // moves while read waits
		if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("again: %v after %v", err, time.Since(start))
		}
		set(5 * time.Second)
		time.AfterFunc(time.Second, func() { _ = s.Close() })
		if err := read(); !errors.Is(err, net.ErrClosed) || time.Since(start) != 4*time.Second {
			t.Errorf("closed: %v after %v", err, time.Since(start))
		}
		if _, err := s.WriteTo([]byte("x"), s.LocalAddr()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing to a closed socket: %v", err)
		}
	})
}

func TestNetworkConnErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		p := newPeer(t, c)
		p.signIn()
		c.SetStandby()
		if _, err := io.Copy(io.Discard, p.conn); err != nil {
			t.Errorf("reading what the console closed: %v", err)
		}
		if _, err := p.conn.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("writing to what the console closed: %v", err)
		}
		deadlines := []func(time.Time) error{p.conn.SetDeadline, p.conn.SetReadDeadline, p.conn.SetWriteDeadline}
		for i, set := range deadlines {
			if err := set(time.Now()); err != nil {
				t.Errorf("setting deadline %d of what the console closed: %v", i, err)
			}
		}
		p.close()
		if _, err := p.conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading what we closed: %v", err)
		}
		for i, set := range deadlines {
			if err := set(time.Now()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("setting deadline %d of what we closed: %v", i, err)
			}
		}
		if p.conn.RemoteAddr().String() != c.TCPAddr().String() || p.conn.LocalAddr().Network() != "tcp" {
			t.Errorf("addresses %v, %v", p.conn.LocalAddr(), p.conn.RemoteAddr())
		}
	})
}

func TestNetworkDialEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := memory(t, ps4test.Config{})
	newPeer(t, c).launch()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Options().Dial(ctx, "tcp", c.TCPAddr().String()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// The console drops a client that does not read after the time limit of a write.
func TestStuckClientIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		p := newPeer(t, c)
		p.signIn()
		p.send(wire.Empty{Type: wire.TypeLogout}) // its answer is never read
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if n := c.Snapshot().Connections; n != 0 {
			t.Errorf("%d connections", n)
		}
	})
}

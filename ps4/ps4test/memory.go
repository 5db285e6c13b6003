package ps4test

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// memoryPacketConn is a UDP socket of a Network.
type memoryPacketConn struct {
	network *Network
	at      netip.AddrPort
	unread  chan datagram // when it is full, further ones are lost, as in a kernel
	closed  chan struct{}

	// guarded by network.mu
	deadline time.Time
	changed  chan struct{} // closed and replaced with the deadline
}

type datagram struct {
	bytes []byte
	from  net.Addr
}

// ReadFrom implements [net.PacketConn].
func (c *memoryPacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		c.network.mu.Lock()
		deadline, changed := c.deadline, c.changed
		c.network.mu.Unlock()
		var late <-chan time.Time
		if !deadline.IsZero() {
			if !time.Now().Before(deadline) {
				return 0, nil, c.err("read", os.ErrDeadlineExceeded)
			}
			late = time.After(time.Until(deadline))
		}
		select {
		case <-c.closed:
			return 0, nil, c.err("read", net.ErrClosed)
		case d := <-c.unread:
			return copy(b, d.bytes), d.from, nil
		case <-late:
		case <-changed:
		}
	}
}

// WriteTo implements [net.PacketConn]. It sends to every socket at an address.
func (c *memoryPacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-c.closed:
		return 0, c.err("write", net.ErrClosed)
	default:
	}
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	d, at := datagram{bytes.Clone(b), c.LocalAddr()}, addrPort(to)
	arrivals := []time.Duration{0}
	if c.network.post != nil {
		arrivals = c.network.post(d.bytes, at)
	}
	for _, after := range arrivals {
		if after <= 0 {
			c.network.deliverLocked(d, at)
			continue
		}
		time.AfterFunc(after, func() {
			c.network.mu.Lock()
			defer c.network.mu.Unlock()
			c.network.deliverLocked(d, at)
		})
	}
	return len(b), nil
}

func (n *Network) deliverLocked(d datagram, to netip.AddrPort) {
	for _, c := range n.udp[to] {
		select {
		case c.unread <- d:
		default:
		}
	}
}

func (c *memoryPacketConn) err(op string, cause error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Err: cause}
}

// Close implements [net.PacketConn].
func (c *memoryPacketConn) Close() error {
	n := c.network
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.Index(n.udp[c.at], c)
	if i < 0 {
		return c.err("close", net.ErrClosed)
	}
	close(c.closed)
	n.udp[c.at] = slices.Delete(n.udp[c.at], i, i+1)
	if len(n.udp[c.at]) == 0 {
		delete(n.udp, c.at)
	}
	return nil
}

// LocalAddr implements [net.PacketConn].
func (c *memoryPacketConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.at) }

// SetDeadline implements [net.PacketConn]; writes never wait.
func (c *memoryPacketConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements [net.PacketConn].
func (c *memoryPacketConn) SetReadDeadline(t time.Time) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.deadline = t
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// SetWriteDeadline implements [net.PacketConn].
func (c *memoryPacketConn) SetWriteDeadline(time.Time) error { return nil }

// memoryConn is one end of a TCP connection of a Network. It adds addresses and
// resets to a net.Pipe.
type memoryConn struct {
	net.Conn
	local, remote net.Addr
	abort         atomic.Bool  // SetLinger(0): Close resets
	closed        atomic.Bool  // this end
	broken        *atomic.Bool // shared by both ends: the connection was reset
}

// Read implements [net.Conn].
func (c *memoryConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.wrap("read", err)
}

// Write implements [net.Conn].
func (c *memoryConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.wrap("write", err)
}

// wrap converts the errors of a pipe to those of TCP.
func (c *memoryConn) wrap(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case c.closed.Load():
		err = net.ErrClosed
	case c.broken.Load():
		err = os.NewSyscallError(op, syscall.ECONNRESET)
	case err == io.EOF: //nolint:errorlint // net.Pipe returns it unwrapped, and so must we
		return err
	case err == io.ErrClosedPipe: //nolint:errorlint // as above: the other end is closed
		err = os.NewSyscallError(op, syscall.EPIPE)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// SetDeadline implements [net.Conn]. Like those of TCP, and unlike those of a
// pipe, deadlines can be set after the other end has closed.
func (c *memoryConn) SetDeadline(t time.Time) error { return c.unlessClosed(c.Conn.SetDeadline(t)) }

// SetReadDeadline implements [net.Conn].
func (c *memoryConn) SetReadDeadline(t time.Time) error {
	return c.unlessClosed(c.Conn.SetReadDeadline(t))
}

// SetWriteDeadline implements [net.Conn].
func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	return c.unlessClosed(c.Conn.SetWriteDeadline(t))
}

// unlessClosed returns an error only if this end is closed.
func (c *memoryConn) unlessClosed(err error) error {
	if err != nil && c.closed.Load() {
		return c.wrap("set", err)
	}
	return nil
}

// SetLinger makes Close a reset when sec is 0, as net.TCPConn does.
func (c *memoryConn) SetLinger(sec int) error {
	c.abort.Store(sec == 0)
	return nil
}

// Close implements [net.Conn].
func (c *memoryConn) Close() error {
	if c.abort.Load() {
		c.broken.Store(true)
	}
	c.closed.Store(true)
	return c.Conn.Close()
}

// LocalAddr implements [net.Conn].
func (c *memoryConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements [net.Conn].
func (c *memoryConn) RemoteAddr() net.Addr { return c.remote }

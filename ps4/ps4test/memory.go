package ps4test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// datagram is one UDP datagram in transit.
type datagram struct {
	bytes []byte
	from  netip.AddrPort
}

// inbox is the limit of unread datagrams of a socket. Further ones are lost, as
// in a kernel.
const inbox = 256

// memoryPacketConn is a UDP socket of a Network.
type memoryPacketConn struct {
	network *Network
	at      netip.AddrPort
	in      chan datagram
	done    chan struct{}
	once    sync.Once
	limit   deadline
}

func newMemoryPacketConn(n *Network, at netip.AddrPort) *memoryPacketConn {
	return &memoryPacketConn{network: n, at: at, in: make(chan datagram, inbox), done: make(chan struct{})}
}

func (c *memoryPacketConn) take(d datagram) {
	select {
	case c.in <- d:
	default:
	}
}

// ReadFrom implements [net.PacketConn].
func (c *memoryPacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	expired := c.limit.expired()
	select {
	case <-c.done:
		return 0, nil, c.err("read", net.ErrClosed)
	case <-expired:
		return 0, nil, c.err("read", os.ErrDeadlineExceeded)
	default:
	}
	select {
	case d := <-c.in:
		return copy(b, d.bytes), net.UDPAddrFromAddrPort(d.from), nil
	case <-c.done:
		return 0, nil, c.err("read", net.ErrClosed)
	case <-expired:
		return 0, nil, c.err("read", os.ErrDeadlineExceeded)
	}
}

// WriteTo implements [net.PacketConn].
func (c *memoryPacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-c.done:
		return 0, c.err("write", net.ErrClosed)
	default:
	}
	c.network.deliver(datagram{bytes: append([]byte(nil), b...), from: c.at}, addrPort(to))
	return len(b), nil
}

func (c *memoryPacketConn) err(op string, cause error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Err: cause}
}

// Close implements [net.PacketConn].
func (c *memoryPacketConn) Close() error {
	err := c.err("close", net.ErrClosed)
	c.once.Do(func() {
		c.network.forget(c)
		close(c.done)
		c.limit.set(time.Time{})
		err = nil
	})
	return err
}

// LocalAddr implements [net.PacketConn].
func (c *memoryPacketConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.at) }

// SetDeadline implements [net.PacketConn]; writes never wait.
func (c *memoryPacketConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements [net.PacketConn].
func (c *memoryPacketConn) SetReadDeadline(t time.Time) error { c.limit.set(t); return nil }

// SetWriteDeadline implements [net.PacketConn].
func (c *memoryPacketConn) SetWriteDeadline(time.Time) error { return nil }

// deadline closes a channel at a set time. The zero value never does.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	ch    chan struct{} // nil until needed
	past  bool          // ch is closed
}

func (d *deadline) expired() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.channel()
}

func (d *deadline) channel() chan struct{} {
	if d.ch == nil {
		d.ch = make(chan struct{})
	}
	return d.ch
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if d.past {
		d.ch, d.past = nil, false
	}
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.expire()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.timer == timer { // not replaced meanwhile
			d.expire()
		}
	})
	d.timer = timer
}

func (d *deadline) expire() {
	close(d.channel())
	d.past = true
}

// memoryListener is a TCP listener of a Network.
type memoryListener struct {
	at      netip.AddrPort
	backlog chan net.Conn
	done    chan struct{}
	once    sync.Once
	end     func()
}

// Accept implements [net.Listener].
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.backlog:
		return conn, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close implements [net.Listener].
func (l *memoryListener) Close() error {
	l.once.Do(func() { l.end(); close(l.done) })
	return nil
}

// Addr implements [net.Listener].
func (l *memoryListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// memoryConn is one end of a TCP connection of a Network. It adds addresses and
// resets to a net.Pipe.
type memoryConn struct {
	net.Conn
	local, remote net.Addr
	abort         atomic.Bool  // SetLinger(0): Close resets
	closed        atomic.Bool  // this end
	broken        *atomic.Bool // shared by both ends: the connection was reset
}

func memoryPipe(client, server netip.AddrPort) (*memoryConn, *memoryConn) {
	a, b := net.Pipe()
	broken := &atomic.Bool{}
	at, to := net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(server)
	return &memoryConn{Conn: a, local: at, remote: to, broken: broken},
		&memoryConn{Conn: b, local: to, remote: at, broken: broken}
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
	return c.Conn.Close() //nolint:wrapcheck // never fails
}

// LocalAddr implements [net.Conn].
func (c *memoryConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements [net.Conn].
func (c *memoryConn) RemoteAddr() net.Addr { return c.remote }

package ps4test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Limits of TCP connections.
const (
	maxConns   = 16              // of both protocols together; the console closes further ones at once
	queueLimit = 256             // messages that wait for a client that does not read
	writeLimit = 5 * time.Second // of one message, for such a client
)

// client is a TCP connection of a client of either protocol. One goroutine
// reads and handles what the client sends, and another one sends answers and
// heartbeats.
type client struct {
	console *Console
	conn    net.Conn
	since   time.Time     // when it was accepted
	done    chan struct{} // closed by close
	close   func()

	// guarded by console.mu
	queue    chan outgoing // nil once nothing more is sent
	loggedIn bool
	epoch    int       // counts logins and logouts
	answered time.Time // last answer to a heartbeat, or the login
	typing   bool      // uses the on-screen keyboard
}

// outgoing is what to send, with the faults of its time.
type outgoing struct {
	bytes  []byte
	faults Faults
	then   func() // nil, or called with the console's lock held after sending
}

// listenTCP makes a TCP port accept or refuse connections. stop ends listening,
// and is nil if the port refuses them; listenTCP returns the next one. Each
// connection runs serve in a goroutine of its own, and is closed after that.
func (c *Console) listenTCP(stop func(), open bool, at netip.AddrPort, serve func(*client)) func() {
	open = open && !c.closed
	if open == (stop != nil) {
		return stop
	}
	if !open {
		stop()
		return nil
	}
	stop, err := c.net.listen(at, &c.wg, func(conn net.Conn) {
		since := time.Now()
		c.update(func() { c.admitLocked(conn, since, serve) })
	})
	if err != nil {
		c.cfg.Logf("simulated console %s: %v", c.cfg.Name, err)
	}
	return stop
}

// admitLocked serves a connection unless a fault or a limit prevents it.
func (c *Console) admitLocked(conn net.Conn, since time.Time, serve func(*client)) {
	c.log.counters.Connections++
	switch {
	case c.closed || len(c.conns) >= maxConns:
		_ = conn.Close()
		return
	case use(&c.faults.Reset):
		reset(conn)
		return
	}
	cl := &client{
		console: c, conn: conn, since: since, done: make(chan struct{}), queue: make(chan outgoing, queueLimit),
	}
	cl.close = sync.OnceFunc(func() { close(cl.done); _ = conn.Close() })
	c.conns[cl] = struct{}{}
	if limit := c.cfg.Timing.Handshake; limit > 0 {
		_ = conn.SetReadDeadline(since.Add(limit))
	}
	c.wg.Go(func() {
		serve(cl)
		cl.close()
		c.update(func() { delete(c.conns, cl) })
	})
}

// run calls next, which reads and handles what the client sends, until it fails.
// Then it calls ended with the lock held and sends what is still queued.
func (cl *client) run(next func() error, ended func(error)) {
	var sender sync.WaitGroup
	queue := cl.queue
	sender.Go(func() { cl.send(queue) })
	var err error
	for err == nil {
		err = next()
	}
	cl.console.update(func() {
		cl.epoch++
		close(queue)
		cl.queue = nil
		if errors.Is(err, wire.ErrProtocol) || errors.Is(err, rp.ErrProtocol) {
			cl.console.log.counters.ProtocolErrors++
			cl.console.cfg.Logf("simulated console %s: %v", cl.console.cfg.Name, err)
		}
		ended(err)
	})
	sender.Wait()
}

// queueLocked queues a message. It closes the connection if the client does not
// read.
func (cl *client) queueLocked(message []byte, then func()) {
	select {
	case cl.queue <- outgoing{message, cl.console.takeFaultsLocked(), then}:
	default:
		cl.close()
	}
}

// send sends queued messages until the queue is closed, or closes the connection
// after an error.
func (cl *client) send(queue <-chan outgoing) {
	defer cl.close()
	for m := range queue {
		err := cl.write(m.bytes, m.faults)
		if m.then != nil {
			cl.console.update(m.then)
		}
		if err != nil {
			return
		}
	}
}

// write sends bytes with faults.
func (cl *client) write(b []byte, faults Faults) error {
	if faults.Delay > 0 {
		select {
		case <-time.After(faults.Delay):
		case <-cl.done:
			return net.ErrClosed
		}
	}
	if faults.GarbageTCP != 0 {
		_, _ = rand.Read(b)
	}
	size := len(b)
	if faults.Split > 0 {
		size = faults.Split
	}
	if err := cl.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	for piece := range slices.Chunk(b, size) {
		if _, err := cl.conn.Write(piece); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
	}
	return nil
}

// logInLocked notes a login. It calls beat now and then to send a heartbeat, or
// drop if the client has answered none for Timing.Grace.
func (cl *client) logInLocked(beat, drop func()) {
	cl.epoch++
	cl.loggedIn, cl.answered = true, time.Now()
	cl.beatLocked(beat, drop)
}

func (cl *client) beatLocked(beat, drop func()) {
	c := cl.console
	period, grace := c.cfg.Timing.Heartbeat, c.cfg.Timing.Grace
	if period <= 0 {
		return
	}
	c.stepLocked(&cl.epoch, period, func() {
		if grace > 0 && time.Since(cl.answered) >= grace {
			c.log.counters.Dropped++
			drop()
			return
		}
		beat()
		cl.beatLocked(beat, drop)
	})
}

// trace reports what the client sent.
func (cl *client) trace(what, outcome string) {
	cl.console.trace(cl.conn.RemoteAddr(), cl.conn.LocalAddr(), what, outcome)
}

// reset closes a connection with a TCP reset where the network supports it.
func reset(conn net.Conn) {
	if r, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = r.SetLinger(0)
	}
	_ = conn.Close()
}

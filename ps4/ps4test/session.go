package ps4test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// writeLimit is the time limit of a write, for clients that do not read.
const writeLimit = 5 * time.Second

// session is one TCP connection. One goroutine reads; any goroutine may write a
// packet under the writing lock.
type session struct {
	console *Console
	conn    net.Conn
	since   time.Time
	done    chan struct{}
	end     sync.Once

	writing chan struct{} // locks out and the sending side of wire; a mutex would stop the time of a synctest bubble
	out     *outlet
	wire    *wire.Conn // nil until the handshake
	outcome string     // of the packet that is being handled, for the trace

	// guarded by console.mu
	loggedIn bool
	logins   int       // logins that were accepted
	answered time.Time // the last answer to a heartbeat, or the login
	remote   remote
	typing   bool // asked for the on-screen keyboard
}

func newSession(c *Console, conn net.Conn, now time.Time) *session {
	return &session{console: c, conn: conn, since: now, done: make(chan struct{}), writing: make(chan struct{}, 1), out: &outlet{conn: conn}}
}

// stop ends the session's goroutines. close drops its connection too.
func (s *session) stop() { s.end.Do(func() { close(s.done) }) }

func (s *session) close() {
	s.stop()
	_ = s.conn.Close()
}

// run serves the connection until either side ends it.
func (s *session) run() {
	err := s.greet()
	for err == nil {
		err = s.next()
	}
	s.close()
	s.console.update(func() { s.console.forgetLocked(s, err) })
}

// forgetLocked removes a session that has ended.
func (c *Console) forgetLocked(s *session, cause error) {
	delete(c.conns, s)
	c.logoutLocked(s)
	if errors.Is(cause, wire.ErrProtocol) {
		c.log.counters.ProtocolErrors++
		c.cfg.Logf("simulated console %s: %v", c.cfg.Name, cause)
	}
}

// greet exchanges hellos and receives the session key (docs/protocol.md §4).
func (s *session) greet() error {
	c := s.console
	if limit := c.cfg.Timing.Handshake; limit > 0 {
		_ = s.conn.SetReadDeadline(time.Now().Add(limit))
	}
	iv, err := s.hello()
	if err != nil {
		return err
	}
	p, err := wire.ReadClear(s.conn)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	handshake, err := wire.UnmarshalHandshake(p)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	key, err := handshake.Open(c.key())
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if handshake.IV != iv {
		return fmt.Errorf("%w: the handshake does not echo the IV", wire.ErrProtocol)
	}
	s.trace("handshake", "")
	s.wire = wire.NewConn(readWriter{s.conn, s.out}, key, iv)
	c.update(func() { c.log.counters.Handshakes++ })
	return s.conn.SetReadDeadline(time.Time{}) //nolint:wrapcheck // ends the session and is not reported
}

// hello answers the client's hello with a new IV.
func (s *session) hello() (iv [wire.IVSize]byte, err error) {
	c := s.console
	p, err := wire.ReadClear(s.conn)
	if err != nil {
		return iv, fmt.Errorf("hello: %w", err)
	}
	hello, err := wire.UnmarshalHello(p)
	if err != nil {
		return iv, fmt.Errorf("hello: %w", err)
	}
	if hello.Version != wire.ProtocolVersion {
		return iv, fmt.Errorf("%w: hello of version %#x", wire.ErrProtocol, hello.Version)
	}
	s.trace("hello", "")
	_, _ = rand.Read(iv[:])
	var faults Faults
	c.update(func() { c.log.counters.Hellos++; faults = c.takeFaultsLocked() })
	// The meaning of the option is unknown, and peers skip it.
	reply := wire.HelloReply{Version: wire.ProtocolVersion, Status: faults.HelloStatus, Option: 1, IV: iv}
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	return iv, s.transmit(faults, func() error { return s.out.queue(reply.Marshal()) })
}

// next reads and handles one packet.
func (s *session) next() error {
	p, err := s.wire.Read()
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	s.console.update(func() { s.console.log.counters.Packets++ })
	s.outcome = ""
	err = s.handle(p)
	if errors.Is(err, wire.ErrProtocol) {
		s.outcome = "malformed"
	}
	s.trace(describePacket(p), s.outcome)
	return err
}

func (s *session) trace(what, outcome string) {
	s.console.trace(s.conn.RemoteAddr(), s.conn.LocalAddr(), what, outcome)
}

var errBye = errors.New("ps4test: the client said bye")

func (s *session) handle(p wire.Packet) error {
	switch p.Type {
	case wire.TypeLogin:
		return s.login(p)
	case wire.TypeStatus:
		return s.status(p)
	case wire.TypeRemote:
		return s.operate(p)
	case wire.TypeBoot:
		return s.boot(p)
	case wire.TypeStandby:
		return s.standby()
	case wire.TypeKeyboardStart:
		return s.startKeyboard()
	case wire.TypeKeyboardText:
		return s.takeText(p)
	case wire.TypeKeyboardControl:
		return s.controlKeyboard(p)
	case wire.TypeLogout:
		return s.logout()
	case wire.TypeBye:
		s.console.update(func() { s.console.log.counters.Byes++; s.noteRemoteOpenLocked() })
		return errBye
	}
	s.console.update(func() { s.console.log.counters.UnknownPackets++ })
	return nil
}

// decide sends the result that f chooses with the console's lock held.
func (s *session) decide(t wire.Type, f func(c *Console) uint32) error {
	var result uint32
	s.console.update(func() { result = f(s.console) })
	s.outcome = fmt.Sprintf("result %d", result)
	return s.send(wire.Word{Type: t, Value: result})
}

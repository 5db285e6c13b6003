package ps4test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

const (
	writeLimit = 5 * time.Second // of one packet, for clients that do not read
	queueLimit = 256             // packets that wait to be sent to such a client
)

// typeUnknown is a packet type without meaning, which clients must skip.
const typeUnknown wire.Type = 0x7fff

// session is one TCP connection. One goroutine reads and handles packets, and
// another one sends the queued answers and heartbeats.
type session struct {
	console *Console
	conn    net.Conn
	since   time.Time
	done    chan struct{} // closed by close
	close   func()
	queue   chan outgoing // closed by run

	wire *wire.Conn   // nil until the handshake; writes to out
	out  bytes.Buffer // bytes to send

	// guarded by console.mu
	loggedIn bool
	logins   int       // accepted logins
	answered time.Time // last answer to a heartbeat, or the login
	remote   remote
	typing   bool // has requested the on-screen keyboard
}

// outgoing is a packet to send with the faults of its time.
type outgoing struct {
	message wire.Message
	faults  Faults
	then    func() // nil, or called with the console's lock held after sending
}

func newSession(c *Console, conn net.Conn) *session {
	s := &session{
		console: c, conn: conn, since: time.Now(),
		done: make(chan struct{}), queue: make(chan outgoing, queueLimit),
	}
	s.close = sync.OnceFunc(func() { close(s.done); _ = conn.Close() })
	return s
}

// run serves the connection until either side ends it. It sends what is queued
// before it closes the connection.
func (s *session) run() {
	c := s.console
	var sender sync.WaitGroup
	err := s.greet()
	if err == nil {
		sender.Go(s.sendQueue)
	}
	for err == nil {
		err = s.next()
	}
	c.update(func() {
		c.logoutLocked(s)
		close(s.queue)
		if errors.Is(err, wire.ErrProtocol) {
			c.log.counters.ProtocolErrors++
			c.cfg.Logf("simulated console %s: %v", c.cfg.Name, err)
		}
	})
	sender.Wait()
	s.close()
	c.update(func() { delete(c.conns, s) })
}

// greet exchanges hellos and receives the session key (docs/protocol.md §4).
func (s *session) greet() error {
	c := s.console
	if limit := c.cfg.Timing.Handshake; limit > 0 {
		_ = s.conn.SetReadDeadline(time.Now().Add(limit))
	}
	p, err := wire.ReadClear(s.conn)
	if err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	hello, err := wire.UnmarshalHello(p)
	if err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	if hello.Version != wire.ProtocolVersion {
		return fmt.Errorf("%w: hello of version %#x", wire.ErrProtocol, hello.Version)
	}
	s.trace("hello", "")

	var faults Faults
	c.update(func() { faults = c.takeFaultsLocked() })
	reply := wire.HelloReply{Version: wire.ProtocolVersion, Status: faults.HelloStatus, Option: 1}
	_, _ = rand.Read(reply.IV[:])
	s.out.Write(reply.Marshal())
	if err := s.flush(faults); err != nil {
		return err
	}

	if p, err = wire.ReadClear(s.conn); err != nil {
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
	if handshake.IV != reply.IV {
		return fmt.Errorf("%w: the handshake does not echo the IV", wire.ErrProtocol)
	}
	s.trace("handshake", "")
	s.wire = wire.NewConn(struct {
		io.Reader
		io.Writer
	}{s.conn, &s.out}, key, reply.IV)
	return s.conn.SetReadDeadline(time.Time{})
}

// next reads and handles one packet.
func (s *session) next() error {
	p, err := s.wire.Read()
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	var outcome string
	s.console.update(func() { outcome, err = s.handleLocked(p) })
	if errors.Is(err, wire.ErrProtocol) {
		outcome = "malformed"
	}
	s.trace(describePacket(p), outcome)
	return err
}

func (s *session) trace(what, outcome string) {
	s.console.trace(s.conn.RemoteAddr(), s.conn.LocalAddr(), what, outcome)
}

var errBye = errors.New("the client said bye")

// handleLocked handles a packet. It returns the outcome for the trace, and an
// error to end the session.
func (s *session) handleLocked(p wire.Packet) (outcome string, err error) {
	n := &s.console.log.counters
	n.Packets++
	switch p.Type {
	case wire.TypeLogin:
		return s.handleLoginLocked(p)
	case wire.TypeStatus:
		if _, err := wire.UnmarshalWord(p); err != nil {
			return "", err
		}
		n.Statuses++
		s.answered = time.Now()
	case wire.TypeRemote:
		return s.handleRemoteLocked(p)
	case wire.TypeBoot:
		return s.handleBootLocked(p)
	case wire.TypeStandby:
		return s.handleStandbyLocked(), nil
	case wire.TypeKeyboardStart:
		return s.handleKeyboardStartLocked(), nil
	case wire.TypeKeyboardText:
		return "", s.handleKeyboardTextLocked(p)
	case wire.TypeKeyboardControl:
		return "", s.handleKeyboardControlLocked(p)
	case wire.TypeLogout:
		return s.handleLogoutLocked(), nil
	case wire.TypeBye:
		n.Byes++
		s.noteRemoteOpenLocked()
		return "", errBye
	default:
		n.UnknownPackets++
	}
	return "", nil
}

// handleStandbyLocked puts the console into rest mode once the answer has left.
func (s *session) handleStandbyLocked() (outcome string) {
	c := s.console
	c.log.counters.Standbys++
	s.noteRemoteOpenLocked()
	switch {
	case c.faults.Standby != resultOK:
		return s.answerLocked(wire.TypeStandbyResult, c.faults.Standby)
	case !s.loggedIn:
		return s.answerLocked(wire.TypeStandbyResult, ps4.ErrNotLoggedIn)
	case c.cfg.StandbyDisabled:
		return s.answerLocked(wire.TypeStandbyResult, ps4.ErrStandbyDisabled)
	}
	s.sendLocked(wire.Word{Type: wire.TypeStandbyResult}, c.standbyLocked)
	return "result 0"
}

// answerLocked sends a result and returns it for the trace.
func (s *session) answerLocked(t wire.Type, result ps4.ResultError) string {
	s.sendLocked(wire.Word{Type: t, Value: uint32(result)}, nil)
	return fmt.Sprintf("result %d", result)
}

// beatLocked sends the heartbeats of the nth login. It drops a client that
// answers none for Timing.Grace.
func (s *session) beatLocked(nth int) {
	c := s.console
	period, grace := c.cfg.Timing.Heartbeat, c.cfg.Timing.Grace
	if period <= 0 {
		return
	}
	c.afterLocked(period, func() {
		if !s.loggedIn || s.logins != nth {
			return
		}
		if grace > 0 && time.Since(s.answered) >= grace {
			c.log.counters.Dropped++
			s.close()
			return
		}
		s.heartbeatLocked()
		s.beatLocked(nth)
	})
}

// heartbeatLocked sends one heartbeat unless a fault suppresses it.
func (s *session) heartbeatLocked() {
	c := s.console
	if c.faults.HoldBeats {
		return
	}
	c.log.counters.Heartbeats++
	beat := wire.Word{Type: wire.TypeHeartbeat}
	if c.screen.open {
		beat.Value = wire.HeartbeatKeyboard
	}
	s.sendLocked(beat, nil)
}

// sendLocked queues a packet. It closes the session if the client does not
// read.
func (s *session) sendLocked(m wire.Message, then func()) {
	select {
	case s.queue <- outgoing{m, s.console.takeFaultsLocked(), then}:
	default:
		s.close()
	}
}

// sendQueue sends the queued packets until the queue is closed, or closes the
// session after an error.
func (s *session) sendQueue() {
	defer s.close()
	for p := range s.queue {
		if p.faults.Coalesce {
			_ = s.wire.Write(wire.Word{Type: typeUnknown}) // to out, without errors
		}
		_ = s.wire.Write(p.message)
		err := s.flush(p.faults)
		if p.then != nil {
			s.console.update(p.then)
		}
		if err != nil {
			return
		}
	}
}

// flush sends the bytes of out with faults.
func (s *session) flush(faults Faults) error {
	return send(s.conn, s.out.Next(s.out.Len()), faults, s.done)
}

// send sends bytes with faults, unless done is closed before.
func send(conn net.Conn, b []byte, faults Faults, done <-chan struct{}) error {
	if faults.Delay > 0 {
		select {
		case <-time.After(faults.Delay):
		case <-done:
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
	if err := conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	for piece := range slices.Chunk(b, size) {
		if _, err := conn.Write(piece); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
	}
	return nil
}

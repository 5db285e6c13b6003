package ps4test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// typeUnknown is a packet type without meaning, which clients must skip.
const typeUnknown wire.Type = 0x7fff

// session is a connection of the 2nd Screen protocol.
type session struct {
	*client
	wire   *wire.Conn   // nil until the handshake; writes to out
	out    bytes.Buffer // bytes to send
	remote remote
}

// serveSession serves a connection until either side ends it.
func (c *Console) serveSession(cl *client) {
	s := &session{client: cl}
	s.run(func() error {
		if s.wire == nil {
			return s.greet()
		}
		return s.next()
	}, func(error) { c.logoutLocked(s) })
}

// greet exchanges hellos and receives the session key (docs/protocol.md §4).
func (s *session) greet() error {
	c := s.console
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
	if err := s.write(reply.Marshal(), faults); err != nil {
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
	var what, outcome string
	s.console.update(func() { what, outcome, err = s.handleLocked(p) })
	if errors.Is(err, wire.ErrProtocol) {
		what, outcome = unknownPacket(p), "malformed"
	}
	s.trace(what, outcome)
	return err
}

var errBye = errors.New("the client said bye")

// unknownPacket is the trace of a packet that this package doesn't understand.
func unknownPacket(p wire.Packet) string {
	return fmt.Sprintf("type %d with %d bytes of fields", p.Type, len(p.Body))
}

// handleLocked handles a packet. It returns the packet and the outcome for the
// trace, and an error to end the session.
func (s *session) handleLocked(p wire.Packet) (what, outcome string, err error) {
	n := &s.console.log.counters
	n.Packets++
	switch p.Type {
	case wire.TypeLogin:
		return s.handleLoginLocked(p)
	case wire.TypeStatus:
		if _, err := wire.UnmarshalWord(p); err != nil {
			return "", "", err
		}
		n.Statuses++
		s.answered = time.Now()
		return "status", "", nil
	case wire.TypeRemote:
		return s.handleRemoteLocked(p)
	case wire.TypeBoot:
		return s.handleBootLocked(p)
	case wire.TypeStandby:
		return "standby", s.handleStandbyLocked(), nil
	case wire.TypeKeyboardStart:
		return "keyboard start", s.handleKeyboardStartLocked(), nil
	case wire.TypeKeyboardText:
		return s.handleKeyboardTextLocked(p)
	case wire.TypeKeyboardControl:
		return s.handleKeyboardControlLocked(p)
	case wire.TypeLogout:
		return "logout", s.handleLogoutLocked(), nil
	case wire.TypeBye:
		n.Byes++
		s.noteRemoteOpenLocked()
		return "bye", "", errBye
	}
	n.UnknownPackets++
	return unknownPacket(p), "", nil
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

// sendLocked queues a packet.
func (s *session) sendLocked(m wire.Message, then func()) {
	if s.console.faults.Coalesce {
		_ = s.wire.Write(wire.Word{Type: typeUnknown}) // to out, without errors
	}
	_ = s.wire.Write(m)
	s.queueLocked(bytes.Clone(s.out.Next(s.out.Len())), then)
}

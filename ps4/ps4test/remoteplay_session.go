package ps4test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// rpSession is a Remote Play connection after the reply to control.
type rpSession struct {
	*client
	cipher   *rp.Cipher
	counters *rp.Counters
}

// startLocked handles a control request. It returns no reply if the console
// falls silent, as it does for a client that connects too soon after init
// (docs/protocol.md §14).
func (s *rpSession) startLocked(req rp.Request) (reply []byte, reason remoteplay.ResultError) {
	c := s.console
	c.log.counters.Controls++
	started := c.rp.init
	c.rp.init = nil
	if started == nil || use(&c.faults.Silent) ||
		c.cfg.Timing.ControlGap > 0 && (started.closed.IsZero() || s.since.Sub(started.closed) < c.cfg.Timing.ControlGap) {
		return nil, 0
	}
	s.cipher = rp.SessionCipher(c.rp.family, started.nonce, started.key)
	s.counters = rp.NewCounters(s.cipher)
	request, err := rp.ParseControlRequest(c.rp.family, s.counters, req)
	if err != nil || request.RegistKey != started.registKey {
		return nil, remoteplay.ErrOther
	}
	c.rp.session = s
	model := byte(rp.ModelPS4)
	if c.rp.family == rp.PS5 {
		model = rp.ModelPS5
	}
	reply = rp.ControlReply{Model: model}.Marshal(s.counters)
	c.stepLocked(&s.epoch, c.cfg.Timing.Login, func() { // signs the user in, or asks for the passcode
		if c.cfg.Passcode == "" {
			s.welcomeLocked()
		} else {
			s.sendLocked(rp.Frame{Type: rp.TypePasscodeWanted}, nil)
		}
	})
	return reply, 0
}

// welcomeLocked signs the user in.
func (s *rpSession) welcomeLocked() {
	s.logInLocked(s.heartbeatLocked, func() { reset(s.conn); s.close() })
	s.console.log.counters.RemotePlayLogins++
	s.sendLocked(rp.Frame{Type: rp.TypeLogin, Payload: []byte{rp.LoginGood}}, nil)
	s.sendLocked(rp.Frame{Type: 0x06, Payload: []byte{0, 1}}, nil)
	s.sendLocked(rp.SessionID(fmt.Sprintf("%010d", time.Now().Unix())+strings.Repeat("ABCDEFG2", 8)).Marshal(), nil)
}

func (s *rpSession) heartbeatLocked() {
	if c := s.console; !c.faults.HoldBeats {
		c.log.counters.Heartbeats++
		s.sendLocked(rp.Frame{Type: rp.TypeHeartbeat}, nil)
	}
}

// next reads and handles one frame.
func (s *rpSession) next(in io.Reader) error {
	f, err := rp.ReadFrame(in, s.counters)
	if err != nil {
		return err
	}
	var outcome string
	s.console.update(func() { outcome, err = s.handleLocked(f) })
	if err != nil {
		outcome = "malformed"
	}
	s.trace(fmt.Sprintf("Remote Play %v", f), outcome)
	return err
}

// handleLocked handles a frame. It returns the outcome for the trace, and an
// error if the frame is malformed.
func (s *rpSession) handleLocked(f rp.Frame) (outcome string, err error) {
	c := s.console
	n := &c.log.counters
	n.Frames++
	switch f.Type {
	case rp.TypePasscode:
		if string(f.Payload) != c.cfg.Passcode {
			n.LoginsRefused++
			s.sendLocked(rp.Frame{Type: rp.TypeLogin, Payload: []byte{rp.LoginWrongPasscode}}, nil)
			return "wrong", nil
		}
		s.welcomeLocked()
	case rp.TypeHeartbeat:
		s.sendLocked(rp.Frame{Type: rp.TypeHeartbeatAnswer}, nil)
	case rp.TypeHeartbeatAnswer:
		n.Statuses++
		s.answered = time.Now()
	case rp.TypeStandby:
		n.Standbys++
		switch {
		case !s.loggedIn || c.cfg.StandbyDisabled:
			return "ignored", nil
		case c.faults.IgnoreStandby:
			s.sendLocked(rp.Frame{Type: rp.TypeStandbyAck, Payload: make([]byte, 4)}, nil)
			return "acknowledged, and ignored", nil
		}
		s.sendLocked(rp.Frame{Type: rp.TypeStandbyAck, Payload: make([]byte, 4)}, c.standbyLocked)
	case rp.TypeHome:
		if !s.loggedIn {
			return "ignored", nil
		}
		n.Homes++
	case rp.TypeProbe:
		s.sendLocked(rp.Frame{Type: rp.TypeProbeAck}, nil)
	case rp.TypeKeyboardEnable:
		s.typing = s.loggedIn && len(f.Payload) == 1 && f.Payload[0] == 1
		s.showKeyboardLocked()
	case rp.TypeKeyboardText:
		m, err := rp.ParseKeyboardText(f)
		if err != nil {
			return "", err
		}
		if k := &c.screen; s.typing && k.open {
			k.text = cut(m.Text, k.max)
			s.sendLocked(rp.KeyboardText{Counter: m.Counter, Text: k.text}.Marshal(rp.TypeKeyboardResult), nil)
		}
	case rp.TypeKeyboardEnd:
		if !s.typing || !c.screen.open {
			return "", nil
		}
		n.KeyboardControls++
		if len(f.Payload) == 4 && f.Payload[3] == 0 { // accepted
			c.log.submitted = add(c.log.submitted, c.screen.text)
		}
		c.screen = keyboard{}
		s.showKeyboardLocked()
	default:
		n.UnknownPackets++
	}
	return "", nil
}

// showKeyboardLocked tells a client that has enabled the keyboard what it shows.
func (s *rpSession) showKeyboardLocked() {
	k := s.console.screen
	switch {
	case !s.typing:
	case k.open:
		s.sendLocked(rp.KeyboardOpen{Text: k.text}.Marshal(), nil)
	default:
		s.sendLocked(rp.Frame{Type: rp.TypeKeyboardClosed}, nil)
	}
}

// sendLocked queues a frame.
func (s *rpSession) sendLocked(f rp.Frame, then func()) {
	s.queueLocked(f.Append(nil, s.counters), then)
}

// endLocked notes how the session ended. One that ends before the login, and
// not with a reset, leaves the console in use (docs/protocol.md §14).
func (s *rpSession) endLocked(err error) {
	c := s.console
	if c.rp.session == s {
		c.closeStreamsLocked("Server shutting down")
		c.rp.session = nil
	}
	if !s.loggedIn && !errors.Is(err, syscall.ECONNRESET) {
		c.inUseLocked()
	}
}

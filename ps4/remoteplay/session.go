package remoteplay

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/remoteplay/internal/stream"
)

// A Session is a connection on which the user is signed in. [Console.Do] hands
// one to its caller. A method that waits ends early with the cause of ctx's end
// or, if the session ends, with an error that is [ps4.ErrClosed] and wraps the
// reason.
//
// The session answers heartbeats by itself, and ends with [ps4.ErrSilent] if
// the console sends nothing for 30 s.
type Session struct {
	console *Console
	conn    net.Conn
	in      *bufio.Reader
	group   sync.WaitGroup
	life    context.Context // done when the session ends
	leave   context.CancelCauseFunc
	ended   sync.Once
	reason  error // why it ended; nil if this program closed it; set before life is done

	writing  chan struct{} // held for one frame, so that counters match the order; a channel for synctest
	counters *rp.Counters

	pressing     chan struct{} // held while keys are pressed; a channel for synctest
	streamConfig stream.Config // without the session id

	mu       sync.Mutex
	stream   *stream.Conn  // nil: not open
	noStream bool          // no stream may be opened, because the session ends
	news     chan struct{} // closed after each frame
	login    loginResult
	id       string
	rests    bool // the standby was acknowledged
	keyboard keyboardState
}

type loginResult uint8

const (
	loginPending loginResult = iota
	loginPasscode
	loginWrong
	loginDone
)

// keyboardState is what the console said about its on-screen keyboard.
type keyboardState struct {
	enabled bool // by this session
	open    bool
	text    string
	counter uint32 // of the last change of this session
	result  uint32 // of the last change that the console confirmed
}

// Done returns a channel that is closed when the session is over. After that,
// Err returns the reason.
func (s *Session) Done() <-chan struct{} { return s.life.Done() }

// Err returns nil while the session is open, and then an error that is
// [ps4.ErrClosed] and wraps the reason: [ps4.ErrStandby] after a standby,
// [ps4.ErrSilent], [ErrProtocol], or an error of the connection.
func (s *Session) Err() error { return context.Cause(s.life) }

// ID returns the id that the console gave the session, or "" before it did.
func (s *Session) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// Home presses the PS button. Whether the console obeys without a stream is
// unknown (docs/protocol.md §14).
func (s *Session) Home(context.Context) error { return s.write(rp.HomePressed()) }

// Standby closes the stream, asks the console to go into rest mode, waits until
// it acknowledges that, and ends the session. Only discovery tells whether the
// console obeys: see [Console.Standby].
//
// An error that is [ps4.ErrUnanswered] leaves open whether the console obeys,
// and wraps the reason. After any other error the console was not asked.
func (s *Session) Standby(ctx context.Context) error {
	if err := cmp.Or(s.Err(), context.Cause(ctx)); err != nil {
		return err
	}
	s.closeStream() // while the console can still acknowledge that
	err := s.write(rp.Frame{Type: rp.TypeStandby})
	if err == nil {
		err = s.await(ctx, ackLimit, ps4.ErrSilent, func() bool { return s.rests })
	}
	s.console.discovery.SetRested(time.Now())
	s.end(ps4.ErrStandby)
	if err != nil {
		return fmt.Errorf("%w (%w)", err, ps4.ErrUnanswered)
	}
	return nil
}

// end ends the session, once. The reason is nil if this program closes it.
func (s *Session) end(reason error) {
	s.closeStream()
	s.ended.Do(func() {
		s.reason = reason
		err := ps4.ErrClosed
		if reason != nil {
			err = fmt.Errorf("%w: %w", ps4.ErrClosed, reason)
			s.console.set.Logf("session with %v: %v", s.conn.RemoteAddr(), reason)
		}
		s.leave(err)
		s.mu.Lock()
		loggedIn := s.login == loginDone
		s.mu.Unlock()
		if loggedIn {
			shutdown(s.conn)
		} else {
			reset(s.conn)
		}
		s.console.noteChange()
	})
}

// write sends one frame. A failure ends the session, because the console no
// longer counts alike.
func (s *Session) write(f rp.Frame) error {
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	if err := s.Err(); err != nil {
		return err
	}
	err := s.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err == nil {
		_, err = s.conn.Write(f.Append(nil, s.counters))
	}
	if err != nil {
		s.end(connErr(err))
		return s.Err()
	}
	return nil
}

// await waits until ready returns true, which it calls with s.mu held after
// each frame. After the limit it fails with late.
func (s *Session) await(ctx context.Context, limit time.Duration, late error, ready func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	for {
		s.mu.Lock()
		done, news := ready(), s.news
		s.mu.Unlock()
		if done {
			return nil
		}
		if err := s.Err(); err != nil {
			return err
		}
		select {
		case <-news:
		case <-s.life.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// read handles the console's frames until the session ends, and then closes the
// connection.
func (s *Session) read() {
	defer drain(s.conn, s.in)
	for {
		err := s.conn.SetReadDeadline(time.Now().Add(silentLimit))
		if s.Err() != nil { // checked now, because the deadline of shutdown is overwritten
			return
		}
		if err == nil {
			var f rp.Frame
			if f, err = rp.ReadFrame(s.in, s.counters); err == nil {
				err = s.handle(f)
			}
		}
		if err != nil {
			s.end(connErr(err))
			return
		}
	}
}

// handle takes in a frame. Those of unknown type are ignored.
func (s *Session) handle(f rp.Frame) error {
	if f.Type == rp.TypeHeartbeat {
		return s.write(rp.Frame{Type: rp.TypeHeartbeatAnswer})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.keyboard.open
	if err := s.note(f); err != nil {
		return err
	}
	close(s.news)
	s.news = make(chan struct{})
	if s.keyboard.open != before {
		s.console.noteChange()
	}
	return nil
}

// note takes in what a frame says; s.mu is held.
func (s *Session) note(f rp.Frame) error {
	switch f.Type {
	case rp.TypePasscodeWanted:
		if s.login == loginPending { // a wrong passcode may be asked for again
			s.login = loginPasscode
		}
	case rp.TypeLogin:
		switch {
		case s.login == loginDone:
		case len(f.Payload) > 0 && f.Payload[0] == rp.LoginGood:
			s.login = loginDone
		case len(f.Payload) > 0 && f.Payload[0] == rp.LoginWrongPasscode:
			s.login = loginWrong
		default:
			return fmt.Errorf("%w: login result of %d bytes", rp.ErrProtocol, len(f.Payload))
		}
	case rp.TypeSessionID:
		id, err := rp.ParseSessionID(f)
		s.id = string(id)
		return err
	case rp.TypeStandbyAck:
		s.rests = true
	case rp.TypeKeyboardOpen:
		keyboard, err := rp.ParseKeyboardOpen(f)
		s.keyboard.open, s.keyboard.text = err == nil, keyboard.Text
		return err
	case rp.TypeKeyboardClosed:
		s.keyboard.open = false
	case rp.TypeKeyboardResult:
		result, err := rp.ParseKeyboardText(f)
		s.keyboard.result, s.keyboard.text = result.Counter, result.Text
		return err
	}
	return nil
}

// connErr returns the error of this package for one of the connection.
func connErr(err error) error {
	switch {
	case errors.Is(err, rp.ErrProtocol):
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ps4.ErrSilent, err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the console closed the connection: %w", err)
	}
	return fmt.Errorf("connection: %w", err)
}

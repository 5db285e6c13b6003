package remoteplay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

// open opens a session with a console that is on. It starts again once if the
// console is silent, or not ready because it has just been woken; and once with
// another RP-Version if the console names one (docs/protocol.md §14).
func (c *Console) open(ctx context.Context) (*Session, error) {
	status, family, err := awake(ctx, c.discovery)
	if err != nil {
		return nil, err
	}
	to := netip.AddrPortFrom(status.Addr.Addr(), c.set.Port)
	restarted, switched := false, false
	for {
		s, err := c.connect(ctx, to, family)
		refusal, refused := errors.AsType[*versionError](err)
		switch {
		case err == nil:
			return s, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, ErrInUse):
			return nil, c.pause()
		case refused && !switched && refusal.speaks != family:
			switched, family = true, refusal.speaks
			c.set.Logf("%v speaks the protocol of the %v", to, family)
			continue
		case restarted || !c.worthRestart(err):
			return nil, err
		}
		restarted = true
		pause := c.set.Timings.RestartPause
		if c.justWoken() {
			pause = c.set.Timings.ReadyPause
		}
		c.set.Logf("session with %v: %v; starting again in %v", to, err, pause)
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// worthRestart reports whether a session that failed may succeed soon.
func (c *Console) worthRestart(err error) bool {
	var stale *staleError
	if errors.As(err, &stale) {
		return true
	}
	for _, final := range []error{ps4.ErrPasscodeNeeded, ps4.ErrPasscodeWrong, ps4.ErrNoNetwork, ErrVersion} {
		if errors.Is(err, final) {
			return false
		}
	}
	return c.justWoken()
}

// versionError is a refusal that names another RP-Version.
type versionError struct {
	ResultError
	speaks rp.Family
}

func (e *versionError) Unwrap() error { return e.ResultError }

// staleError is a console that accepted a connection but did not reply to the
// request on it.
type staleError struct{ cause error }

func (e *staleError) Error() string { return e.cause.Error() }
func (e *staleError) Unwrap() error { return e.cause }

// connect opens a session: search word, init, control, login.
func (c *Console) connect(ctx context.Context, to netip.AddrPort, f rp.Family) (*Session, error) {
	if _, err := c.set.search(ctx, to, f, c.set.Timings.SearchWait); err != nil {
		return nil, err
	}
	k := c.keys()
	nonce, err := c.init(ctx, to, f, k)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, c.set.Timings.ControlPause); err != nil {
		return nil, err
	}
	conn, err := c.set.dial(ctx, to)
	if err != nil {
		return nil, err
	}
	cipher := rp.SessionCipher(f, nonce, k.rpKey)
	counters := rp.NewCounters(cipher)
	request := rp.ControlRequest{Family: f, Host: to.String(), RegistKey: k.registKey, DeviceID: c.set.DeviceID}
	in := bufio.NewReader(conn) // frames may follow the reply in the same segment
	reply, err := c.set.exchange(ctx, conn, in, request.Marshal(counters))
	if err == nil {
		_, err = rp.ParseControlReply(counters, reply)
	}
	if err != nil {
		reset(conn)
		return nil, requestErr(err, reply)
	}
	s := newSession(c, conn, in, counters, newKeyStream(to, f, cipher))
	if err := s.logIn(ctx); err != nil {
		s.end(err)
		s.group.Wait()
		return nil, s.loginErr(err)
	}
	return s, nil
}

// init sends the first request and returns the nonce. It leaves no connection
// behind.
func (c *Console) init(ctx context.Context, to netip.AddrPort, f rp.Family, k keys) (rp.Block, error) {
	conn, err := c.set.dial(ctx, to)
	if err != nil {
		return rp.Block{}, err
	}
	in := bufio.NewReader(conn)
	reply, err := c.set.exchange(ctx, conn, in, rp.InitRequest{Family: f, Host: to.String(), RegistKey: k.registKey}.Marshal())
	if err != nil {
		reset(conn)
		return rp.Block{}, requestErr(err, reply)
	}
	drain(conn, in)
	answer, err := rp.ParseInitReply(reply)
	return answer.Nonce, requestErr(err, reply)
}

// requestErr returns what the error of a request means for the session.
func requestErr(err error, reply rp.Reply) error {
	reason, refused := errors.AsType[ResultError](err)
	speaks := rp.FamilyByVersion(reply.Header.Get("RP-Version"))
	switch {
	case errors.Is(err, ps4.ErrSilent) || errors.Is(err, ErrNoReply):
		return &staleError{err}
	case errors.Is(err, rp.ErrProtocol) && !errors.Is(err, ErrNotPlayStation):
		return fmt.Errorf("%w: %w", ErrNotPlayStation, err)
	case refused && (reason == ErrVersion || reason == ErrOther) && speaks != 0:
		return &versionError{reason, speaks}
	}
	return err
}

// loginErr returns why a login failed. That the session is over because of it
// would not help the user.
func (s *Session) loginErr(err error) error {
	if !errors.Is(err, ps4.ErrClosed) || s.reason == nil {
		return err
	}
	if _, ok := errors.AsType[ps4.Error](s.reason); ok {
		return s.reason
	}
	return fmt.Errorf("%w: %w", ErrNoReply, s.reason)
}

// logIn waits for the result of the login, and sends the passcode if the
// console wants it.
func (s *Session) logIn(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, s.set.Timings.LoginLimit, ps4.ErrSilent)
	defer cancel()
	sent, passcode := false, s.console.passcode()
	for {
		var result loginResult
		err := s.await(limited, func() bool {
			result = s.login
			return result != loginPending && (result != loginPasscode || !sent)
		})
		switch {
		case err != nil:
			return err
		case result == loginDone:
			return nil
		case result == loginWrong && sent:
			return ps4.ErrPasscodeWrong
		case passcode.IsZero() || result == loginWrong:
			return ps4.ErrPasscodeNeeded
		}
		sent = true
		if err := s.write(rp.Frame{Type: rp.TypePasscode, Payload: []byte(passcode.Reveal())}); err != nil {
			return err
		}
	}
}

// pause makes the console be left alone, and returns why.
func (c *Console) pause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inUse = time.Now().Add(c.set.Timings.InUsePause)
	return &InUseError{Until: c.inUse}
}

// paused returns an InUseError while the console has to be left alone.
func (c *Console) paused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.inUse) {
		return &InUseError{Until: c.inUse}
	}
	return nil
}

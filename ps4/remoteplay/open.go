package remoteplay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/remoteplay/internal/stream"
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
		stale := errors.Is(err, ps4.ErrSilent) || errors.Is(err, ErrNoReply)
		if err == nil {
			err = s.start(ctx)
		}
		refusal, refused := errors.AsType[*versionError](err)
		switch {
		case err == nil:
			return s, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, ErrInUse):
			c.inUse = time.Now().Add(inUsePause)
			return nil, c.paused()
		case refused && !switched && refusal.speaks != family:
			switched, family = true, refusal.speaks
			c.set.Logf("%v speaks the protocol of the %v", to, family)
			continue
		case restarted || !stale && !(c.justWoken() && maybeNotReady(err)):
			return nil, err
		}
		restarted = true
		pause := restartPause
		if c.justWoken() {
			pause = readyPause
		}
		c.set.Logf("session with %v: %v; starting again in %v", to, err, pause)
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// paused returns an InUseError while the console has to be left alone; the lock
// is held.
func (c *Console) paused() error {
	if time.Now().Before(c.inUse) {
		return &InUseError{Until: c.inUse}
	}
	return nil
}

// maybeNotReady reports whether an error may be that of a console that has just
// been woken.
func maybeNotReady(err error) bool {
	for _, other := range []error{ps4.ErrPasscodeNeeded, ps4.ErrPasscodeWrong, ps4.ErrNoNetwork, ErrVersion} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}

// connect opens a session up to the login: search word, init, control. It leaves
// no connection of init behind.
func (c *Console) connect(ctx context.Context, to netip.AddrPort, f rp.Family) (*Session, error) {
	if _, err := c.set.search(ctx, to, f, searchWait); err != nil {
		return nil, err
	}
	k := c.Registration().Keys.reveal()
	init := rp.InitRequest{Family: f, Host: to.String(), RegistKey: k.registKey}
	var reply rp.InitReply
	conn, in, err := c.set.exchange(ctx, to, init.Marshal(), func(r rp.Reply) (err error) {
		reply, err = rp.ParseInitReply(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	drain(conn, in)
	if err := sleep(ctx, controlPause); err != nil {
		return nil, err
	}
	cipher := rp.SessionCipher(f, reply.Nonce, k.rpKey)
	counters := rp.NewCounters(cipher)
	control := rp.ControlRequest{Family: f, Host: to.String(), RegistKey: k.registKey, DeviceID: c.set.DeviceID}
	conn, in, err = c.set.exchange(ctx, to, control.Marshal(counters), func(r rp.Reply) error {
		_, err := rp.ParseControlReply(counters, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	s := &Session{
		console: c, conn: conn, in: in, counters: counters, writing: make(chan struct{}, 1), news: make(chan struct{}),
		pressing: make(chan struct{}, 1), streamConfig: stream.Config{
			Console: to, PS5: f == rp.PS5, Cipher: cipher.Seal, ListenPacket: c.set.ListenPacket, Logf: c.set.Logf,
		},
	}
	s.life, s.leave = context.WithCancelCause(context.Background())
	s.group.Go(s.read)
	return s, nil
}

// start logs in, and ends the session if that fails. That the session is over
// because of it would not help the user.
func (s *Session) start(ctx context.Context) error {
	err := s.logIn(ctx)
	if err == nil {
		return nil
	}
	s.end(err)
	s.group.Wait()
	if !errors.Is(err, ps4.ErrClosed) {
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
	deadline := time.Now().Add(loginLimit)
	s.console.mu.Lock()
	sent, passcode := false, s.console.passcode
	s.console.mu.Unlock()
	for {
		var result loginResult
		err := s.await(ctx, time.Until(deadline), ps4.ErrSilent, func() bool {
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

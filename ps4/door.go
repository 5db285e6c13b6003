package ps4

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Open opens a session: it asks for the status, sends LAUNCH, connects and logs
// the user in (docs/protocol.md §3, §4, §7). It never wakes a console. A
// connection that is refused is tried five more times within about 7 s, for
// longer after a wake-up; one that is reset, twice more. The caller must Close
// the session.
//
// Open fails with [ErrNoCredential], with [ErrStandby], with [ErrUnsupported]
// for a PS5, with [ErrDoorClosed] or [ErrServiceHung] if it cannot connect,
// with [ErrProtocol] or [ErrSilent] if the console does not follow the
// protocol, with a [ResultError] if the console refuses the login, and
// otherwise as [Console.Status] does. [ErrPINNeeded] means that the console
// does not know this program yet: see [Console.Link].
func (c *Console) Open(ctx context.Context) (*Session, error) { return c.open(ctx, PIN{}) }

// Link links this program with the console, once for each user. The console
// shows the PIN under Settings > Mobile App Connection Settings > Add Device.
//
// Link fails with [ErrPINFormat] for a zero PIN, with [ErrPINWrong], and
// otherwise as [Console.Open] does.
func (c *Console) Link(ctx context.Context, pin PIN) error {
	if pin.IsZero() {
		return ErrPINFormat
	}
	s, err := c.open(ctx, pin)
	if err != nil {
		return err
	}
	return s.Close()
}

func (c *Console) open(ctx context.Context, pin PIN) (*Session, error) {
	user, err := c.currentUser()
	if err != nil {
		return nil, err
	}
	var address netip.AddrPort
	wait := doorBackoff
	for refused, resets := 0, 0; ; {
		if !address.IsValid() || c.watches.Load() > 0 { // a Watch may learn that it is no longer on
			status, err := c.recentStatus(ctx)
			switch {
			case err != nil:
				return nil, err
			case status.HostType == TypePS5:
				return nil, ErrUnsupported
			case status.State == StateStandby:
				return nil, ErrStandby
			}
			address = netip.AddrPortFrom(status.Addr.Addr(), status.RequestPort)
		}
		s, err := c.tryDoor(ctx, address, user, pin)
		switch {
		case err == nil:
			c.set.Counters.Sessions.Add(1)
			return s, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case isReset(err):
			resets++
			c.set.Counters.Resets.Add(1)
		case errors.Is(err, errConnecting):
			refused++
		default:
			return nil, err
		}
		c.set.Logf("%v: %v", address, err)
		c.mu.Lock()
		woken := time.Since(c.power.woken) < wokenGrace // TCP may still be refused
		c.mu.Unlock()
		switch {
		case resets >= hungResets && errors.Is(err, errKeyRefused):
			return nil, err
		case resets >= hungResets:
			return nil, fmt.Errorf("%w: %w", ErrServiceHung, err)
		case woken:
			wait = wokenWait
		case refused > doorRetries:
			return nil, fmt.Errorf("%w: %w", ErrDoorClosed, err)
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		wait = min(2*wait, doorMaxWait)
	}
}

// errConnecting means that no TCP connection was established.
var errConnecting = errors.New("connecting")

// tryDoor tries once. It sends LAUNCH but never WAKEUP, which would wake a
// console that has entered rest mode in the meantime (docs/protocol.md §3).
func (c *Console) tryDoor(ctx context.Context, address netip.AddrPort, user User, pin PIN) (*Session, error) {
	if err := c.Launch(ctx); err != nil {
		return nil, err
	}
	if err := sleep(ctx, launchDelay); err != nil {
		return nil, err
	}
	dialCtx, cancel := context.WithTimeout(ctx, dialLimit)
	conn, err := c.set.Dial(dialCtx, "tcp", address.String())
	cancel()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConnecting, err)
	}
	connected := time.Now()
	encrypted, err := c.greet(ctx, conn)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	s := newSession(c, conn, encrypted, connected)
	if err := s.logIn(ctx, user, pin); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// greet exchanges hellos and sends a session key, which is random for each
// connection (docs/protocol.md §4).
func (c *Console) greet(ctx context.Context, conn net.Conn) (_ *wire.Conn, err error) {
	_ = conn.SetDeadline(time.Now().Add(greetingLimit))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() {
			err = context.Cause(ctx)
		} else if err == nil {
			err = conn.SetDeadline(time.Time{})
		}
	}()
	if _, err := conn.Write(wire.Hello{Version: wire.ProtocolVersion}.Marshal()); err != nil {
		return nil, fmt.Errorf("sending hello: %w", err)
	}
	packet, err := wire.ReadClear(conn)
	if err != nil {
		return nil, fmt.Errorf("waiting for hello: %w", wireError(err))
	}
	hello, err := wire.UnmarshalHelloReply(packet)
	if err != nil {
		return nil, wireError(err)
	}
	if hello.Status != 0 {
		return nil, fmt.Errorf("%w: hello with status %d", ErrProtocol, hello.Status)
	}
	var key [wire.KeySize]byte
	_, _ = rand.Read(key[:]) // never fails
	sealed, err := wire.SealKey(c.set.ServerKey, key, hello.IV)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(sealed.Marshal()); err != nil {
		return nil, fmt.Errorf("sending the session key: %w", wireError(err))
	}
	return wire.NewConn(conn, key, hello.IV), nil
}

// isReset reports whether the console accepted a connection and then closed it
// or stayed silent.
func isReset(err error) bool {
	resets := []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, ErrSilent}
	return slices.ContainsFunc(resets, func(reset error) bool { return errors.Is(err, reset) })
}

// logIn sends the first command of a session.
func (s *Session) logIn(ctx context.Context, user User, pin PIN) error {
	err := s.command(ctx, func(ctx context.Context) error {
		err := s.request(ctx, wire.Login{
			Passcode:   user.Passcode.Reveal(),
			Credential: user.Credential.Reveal(),
			AppLabel:   s.set.AppLabel,
			OSVersion:  "4.4", // as the phone app (docs/protocol.md §5)
			Model:      user.Model,
			PIN:        pin.Reveal(),
		}, wire.TypeLoginResult)
		if err != nil {
			return err
		}
		return s.write(wire.Word{Type: wire.TypeStatus})
	})
	switch {
	case isReset(err) && !errors.Is(err, ErrSilent):
		return fmt.Errorf("%w: %w", errKeyRefused, err)
	case err != nil || !s.set.SwitchUser:
		return err
	}
	return s.command(ctx, func(ctx context.Context) error { // as pyps4-2ndscreen does (docs/protocol.md §7)
		s.remote.ready = time.Now().Add(switchUserDelay)
		return s.key(ctx, wire.OpPS, 0)
	})
}

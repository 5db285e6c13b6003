package ps4

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Open opens a session: status, LAUNCH, TCP, hello, handshake, login
// (docs/protocol.md §3, §4, §7). It never wakes a console. A refused
// connection is tried five times more, one reset twice more; ctx limits it all.
//
// It fails with [ErrNoCredential], [ErrUnreachable], [ErrStandby],
// [ErrUnsupported] (a PS5), [ErrDoorClosed], [ErrServiceHung], [ErrProtocol],
// [ErrSilent] or the [ResultError] of the login, [ErrPINNeeded] when the
// console does not know this program yet: see Link. The caller must Close the
// session.
func (c *Console) Open(ctx context.Context) (*Session, error) { return c.open(ctx, PIN{}) }

// Link links this program with the console, which shows the PIN under Settings
// > Mobile App Connection Settings > Add Device. It logs in like Open, with
// Open's errors, and says bye. A wrong PIN is [ErrPINWrong].
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
	status, err := c.recentStatus(ctx)
	switch {
	case err != nil:
		return nil, err
	case status.HostType == TypePS5:
		return nil, ErrUnsupported
	case status.State == StateStandby:
		return nil, ErrStandby
	}
	s, err := c.enter(ctx, status, login{user, pin})
	if err != nil {
		return nil, err
	}
	c.set.Counters.Sessions.Add(1)
	return s, nil
}

// login is who logs in.
type login struct {
	User
	pin PIN
}

// enter tries the door until it is through or has to give up.
func (c *Console) enter(ctx context.Context, status Status, who login) (*Session, error) {
	address := netip.AddrPortFrom(status.Addr.Addr(), status.RequestPort)
	wait := doorBackoff
	for refused, resets := 0, 0; ; {
		s, err := c.tryDoor(ctx, address, who)
		switch {
		case err == nil:
			return s, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case isReset(err):
			resets++
			c.set.Counters.Resets.Add(1)
		case isRefusal(err):
			refused++
		default:
			return nil, err
		}
		c.set.Logf("%v: %v", address, err)
		if resets >= hungResets {
			return nil, fmt.Errorf("%w: %w", ErrServiceHung, err)
		}
		woken := c.justWoken()
		if refused > doorRetries && !woken {
			return nil, fmt.Errorf("%w: %w", ErrDoorClosed, err)
		}
		if woken {
			wait = wokenWait
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		wait = min(2*wait, doorMaxWait)
	}
}

// tryDoor knocks with LAUNCH and never with WAKEUP, which would wake a console
// that went to rest meanwhile (docs/protocol.md §3).
func (c *Console) tryDoor(ctx context.Context, address netip.AddrPort, who login) (*Session, error) {
	if err := c.Launch(ctx); err != nil {
		return nil, err
	}
	if err := sleep(ctx, launchDelay); err != nil {
		return nil, err
	}
	conn, err := c.dial(ctx, address)
	if err != nil {
		return nil, &refusedError{err}
	}
	connected := time.Now()
	encrypted, err := c.greet(ctx, conn)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	s := newSession(c, conn, encrypted, connected)
	if err := s.logIn(ctx, who); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (c *Console) dial(ctx context.Context, address netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	return c.set.Dial(ctx, "tcp", address.String())
}

// greet does what goes in the clear, and starts the cipher.
func (c *Console) greet(ctx context.Context, conn net.Conn) (*wire.Conn, error) {
	if err := conn.SetDeadline(time.Now().Add(greetingLimit)); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	encrypted, err := handshake(conn, c.set.ServerKey)
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, wireError(err)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	return encrypted, nil
}

// handshake says hello and hands over a key that is new for each connection.
func handshake(conn io.ReadWriter, serverKey *rsa.PublicKey) (*wire.Conn, error) {
	if _, err := conn.Write(wire.Hello{Version: wire.ProtocolVersion}.Marshal()); err != nil {
		return nil, fmt.Errorf("saying hello: %w", err)
	}
	packet, err := wire.ReadClear(conn)
	if err != nil {
		return nil, fmt.Errorf("waiting for hello: %w", err)
	}
	hello, err := wire.UnmarshalHelloReply(packet)
	if err != nil {
		return nil, err
	}
	if hello.Status != 0 {
		return nil, fmt.Errorf("%w: hello with status %d", wire.ErrProtocol, hello.Status)
	}
	var key [wire.KeySize]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, fmt.Errorf("making a session key: %w", err)
	}
	sealed, err := wire.SealKey(serverKey, key, hello.IV)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(sealed.Marshal()); err != nil {
		return nil, fmt.Errorf("handing over the key: %w", err)
	}
	return wire.NewConn(conn, key, hello.IV), nil
}

// refusedError is a TCP connection that did not come about.
type refusedError struct{ cause error }

func (e *refusedError) Error() string { return "connecting: " + e.cause.Error() }
func (e *refusedError) Unwrap() error { return e.cause }

func isRefusal(err error) bool {
	var refused *refusedError
	return errors.As(err, &refused)
}

// isReset reports whether the console cut a connection that it had taken, or
// took one and then said nothing.
func isReset(err error) bool {
	for _, cut := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, ErrSilent} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return false
}

// sleep waits, or fails with the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

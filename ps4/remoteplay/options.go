package remoteplay

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

// Options configures how to talk to a console. Nil is valid everywhere, and a
// zero field means its default. Options are copied when they are passed.
type Options struct {
	// Passcode is that of the PSN user, if the user has one on the console.
	Passcode ps4.Passcode
	// DeviceID names this installation to the console. It should stay the
	// same. Default: zero, as playactor sends.
	DeviceID [16]byte
	// OnlineID is the name of the PSN account. Only Register needs it, and only
	// for a PS4 with system software before 7.00, which wants it instead of the
	// account id.
	OnlineID string
	// Idle is how long a session without a stream stays open without use.
	// Default: 10 s.
	Idle time.Duration
	// Stream permits sessions to open the stream, without which they press no
	// button but PS: see Session.Keys.
	Stream bool
	// KeyLinger is how long a session with a stream stays open without use, so
	// that the next key is fast. Default: 45 s.
	KeyLinger time.Duration
	// Port is the TCP and UDP port of the console. Default: 9295.
	Port uint16

	// Dial opens TCP connections. Default: that of a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// ListenPacket opens the UDP sockets for a search word and a stream.
	// Default: that of a net.ListenConfig.
	ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	// Logf reports details for developers. It gets no secret. Default: discard.
	Logf func(format string, args ...any)
}

// withDefaults returns a copy of o with defaults for zero fields.
func (o *Options) withDefaults() *Options {
	s := &Options{}
	if o != nil {
		*s = *o
	}
	s.Idle = cmp.Or(s.Idle, defaultIdle)
	s.KeyLinger = cmp.Or(s.KeyLinger, defaultKeyLinger)
	s.Port = cmp.Or(s.Port, rp.Port)
	if s.Dial == nil {
		s.Dial = (&net.Dialer{}).DialContext
	}
	if s.ListenPacket == nil {
		s.ListenPacket = (&net.ListenConfig{}).ListenPacket
	}
	if s.Logf == nil {
		s.Logf = func(string, ...any) {}
	}
	return s
}

// search sends the search word each second until the console answers it, and
// reports whether it did within the limit.
func (o *Options) search(ctx context.Context, to netip.AddrPort, f rp.Family, limit time.Duration) (bool, error) {
	conn, err := o.ListenPacket(ctx, "udp4", "0.0.0.0:0")
	if err != nil {
		return false, fmt.Errorf("opening a UDP socket: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	end := time.Now().Add(limit)
	buf := make([]byte, 64)
	for time.Now().Before(end) {
		if _, err := conn.WriteTo([]byte(f.Dialect().SearchWord), net.UDPAddrFromAddrPort(to)); err != nil {
			return false, cmp.Or(context.Cause(ctx), fmt.Errorf("%w: %w", ps4.ErrNoNetwork, err))
		}
		next := time.Now().Add(pollEvery)
		if next.After(end) {
			next = end
		}
		if err := conn.SetReadDeadline(next); err != nil {
			return false, cmp.Or(context.Cause(ctx), err)
		}
		for {
			size, from, err := conn.ReadFrom(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return false, cmp.Or(context.Cause(ctx), err)
			}
			udp, ok := from.(*net.UDPAddr)
			if ok && udp.AddrPort().Addr().Unmap() == to.Addr() && strings.HasPrefix(string(buf[:size]), f.Dialect().SearchAnswer) {
				return true, nil
			}
		}
	}
	return false, nil
}

// dial connects to the console. A refusal is tried once more.
func (o *Options) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	for again := true; ; again = false {
		limited, cancel := context.WithTimeout(ctx, dialLimit)
		conn, err := o.Dial(limited, "tcp4", to.String())
		cancel()
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET):
			return nil, fmt.Errorf("connecting: %w: %w", ps4.ErrUnreachable, err)
		case !again:
			return nil, fmt.Errorf("%w: %w", ErrRefused, err)
		}
		if err := sleep(ctx, refusedPause); err != nil {
			return nil, err
		}
	}
}

// exchange connects to the console, sends a request, reads the reply, which has
// to come in time, and calls parse with it. It returns the connection, and a
// reader for the frames that follow. It fails as dial does, with [ps4.ErrSilent],
// [ErrNoReply] or [ErrNotPlayStation], or with the ResultError of a refusal, and
// resets the connection then.
func (o *Options) exchange(
	ctx context.Context, to netip.AddrPort, request []byte, parse func(rp.Reply) error,
) (_ net.Conn, _ *bufio.Reader, err error) {
	conn, err := o.dial(ctx, to)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			reset(conn)
		}
	}()
	in := bufio.NewReader(conn) // frames may follow the reply in the same segment
	if err := conn.SetDeadline(time.Now().Add(replyLimit)); err != nil {
		return nil, nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	var reply rp.Reply
	if _, err = conn.Write(request); err == nil {
		reply, err = rp.ReadReply(in)
	}
	if err == nil && reply.Status == 200 {
		err = parse(reply)
	}
	switch {
	case ctx.Err() != nil:
		return nil, nil, context.Cause(ctx)
	case errors.Is(err, rp.ErrProtocol):
		return nil, nil, fmt.Errorf("%w: %w", ErrNotPlayStation, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, nil, fmt.Errorf("%w: %w", ps4.ErrSilent, err)
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", ErrNoReply, err)
	case reply.Status == 200:
		return conn, in, nil
	}
	reason, version := ResultError(reply.Reason()), reply.Header.Get("RP-Version")
	o.Logf("refused: status %d, reason %08x, RP-Version %q", reply.Status, uint32(reason), version)
	speaks := rp.FamilyByVersion(version)
	switch {
	case reason == 0:
		return nil, nil, fmt.Errorf("%w: status %d", ErrNotPlayStation, reply.Status)
	case speaks != 0 && (reason == ErrVersion || reason == ErrOther):
		return nil, nil, &versionError{reason, speaks}
	}
	return nil, nil, reason
}

// versionError is a refusal that names another RP-Version.
type versionError struct {
	ResultError
	speaks rp.Family
}

func (e *versionError) Unwrap() error { return e.ResultError }

// reset closes a connection with RST, which frees the console at once: after a
// FIN before the login it is in use for minutes (docs/protocol.md §14).
func reset(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// shutdown sends FIN and ends the wait for the next frame, after which drain
// closes the connection. Closing it at once would be a reset if anything is
// unread, and the console might lose our last frame.
func shutdown(conn net.Conn) {
	if tcp, ok := conn.(interface{ CloseWrite() error }); ok && tcp.CloseWrite() == nil {
		_ = conn.SetReadDeadline(time.Unix(1, 0))
		return
	}
	_ = conn.Close()
}

// drain reads to the end of a connection, for a while, and closes it.
func drain(conn net.Conn, in io.Reader) {
	_ = conn.SetDeadline(time.Now().Add(eofLimit))
	_, _ = io.Copy(io.Discard, io.LimitReader(in, rp.MaxBody))
	_ = conn.Close()
}

// within returns a context that also ends when life does, with its cause.
func within(life, ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(life, func() { cancel(context.Cause(life)) })
	return ctx, func() { stop(); cancel(nil) }
}

// sleep waits for d, or returns the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

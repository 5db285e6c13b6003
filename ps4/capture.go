package ps4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// CaptureOptions says how to capture a credential. nil is usable.
type CaptureOptions struct {
	// Addr is where to listen. Default: port 987 of every address; the phone
	// app asks no other port. Only root, or a program with
	// CAP_NET_BIND_SERVICE, may listen there.
	Addr netip.AddrPort
	// Name is what the phone app lists. Default "ps4kit".
	Name string
	// ListenPacket opens the UDP socket. Default: a net.ListenConfig.
	ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	// Logf gets a line for what was ignored; never a secret. nil: discarded.
	Logf func(format string, args ...any)
}

// CaptureCredential plays a console in rest mode until the PS4 Second Screen
// app on a phone of the same network wakes it; the app sends the credential of
// its user with that (docs/protocol.md §2). Everything else that comes is
// ignored. It returns when it has the credential or ctx is done.
//
// It fails with [ErrPortRights] and [ErrPortTaken] when it cannot listen.
func CaptureCredential(ctx context.Context, o *CaptureOptions) (Credential, error) {
	c := newCapture(o)
	conn, err := c.ListenPacket(ctx, "udp4", c.Addr.String())
	switch {
	case errors.Is(err, syscall.EACCES):
		return Credential{}, fmt.Errorf("%w: %w", ErrPortRights, err)
	case errors.Is(err, syscall.EADDRINUSE):
		return Credential{}, fmt.Errorf("%w: %w", ErrPortTaken, err)
	case err != nil:
		return Credential{}, fmt.Errorf("listening for the phone app: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	return c.serve(ctx, conn)
}

type capture struct {
	CaptureOptions
	reply []byte
}

func newCapture(o *CaptureOptions) *capture {
	c := &capture{}
	if o != nil {
		c.CaptureOptions = *o
	}
	if !c.Addr.IsValid() {
		c.Addr = netip.AddrPortFrom(netip.IPv4Unspecified(), ddp.Port)
	}
	if c.ListenPacket == nil {
		c.ListenPacket = (&net.ListenConfig{}).ListenPacket
	}
	if c.Logf == nil {
		c.Logf = func(string, ...any) {}
	}
	// A phone app ignores anything that a console would not say.
	c.reply = ddp.Reply{
		Code: ddp.CodeStandby, HostID: fakeHostID, HostType: TypePS4, HostName: cmp.Or(c.Name, "ps4kit"),
		RequestPort: ddp.DefaultRequestPort, Version: ddp.Version, SystemVersion: fakeVersion,
	}.Marshal()
	return c
}

// fakeVersion is the system version of a real console (docs/protocol.md §1).
const fakeVersion = "09508011"

func (c *capture) serve(ctx context.Context, conn net.PacketConn) (Credential, error) {
	buf := make([]byte, ddp.MaxDatagram+1)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
			return Credential{}, context.Cause(ctx)
		}
		if err != nil {
			return Credential{}, fmt.Errorf("listening for the phone app: %w", err)
		}
		request, err := ddp.ParseRequest(buf[:n])
		if err != nil {
			c.Logf("ignored a datagram of %v: %v", from, err)
			continue
		}
		if request.Method == ddp.Search {
			if _, err := conn.WriteTo(c.reply, from); err != nil {
				c.Logf("answering %v: %v", from, err)
			}
			continue
		}
		if credential, ok := captured(request); ok {
			return credential, nil
		}
		c.Logf("ignored a %s of %v that is not the phone app's", request.Method, from)
	}
}

// captured takes the WAKEUP of the 2nd Screen app and nothing else: a Remote
// Play one has auth-type R and a decimal number.
func captured(r ddp.Request) (Credential, bool) {
	if r.Method != ddp.Wakeup || r.AuthType != ddp.AuthCode {
		return Credential{}, false
	}
	credential, err := ParseCredential(r.Credential)
	return credential, err == nil
}

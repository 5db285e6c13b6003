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

// CaptureOptions configures [CaptureCredential]. Nil is valid; a zero field
// means its default.
type CaptureOptions struct {
	// Addr is where to listen. Default: port 987 of every address. The phone
	// app asks no other port, and on Linux only root or a program with
	// CAP_NET_BIND_SERVICE may listen there.
	Addr netip.AddrPort
	// Name is the name that the phone app lists. Default: ps4kit.
	Name string
	// ListenPacket opens the UDP socket. Default: that of a net.ListenConfig.
	ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	// Logf reports datagrams that were ignored, without secrets. Default:
	// discard.
	Logf func(format string, args ...any)
}

// CaptureCredential pretends to be a console in rest mode until the PS4 Second
// Screen app on a phone in the same network wakes it: the app sends the
// credential of its user along (docs/protocol.md §2). All other datagrams are
// ignored. CaptureCredential returns the credential, or the cause of ctx's end.
//
// It fails with [ErrPortRights] or [ErrPortTaken] if it cannot listen.
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
	// The phone app ignores any reply that a console would not send.
	c.reply = ddp.Reply{
		Code: ddp.CodeStandby, HostID: captureHostID, HostType: TypePS4, HostName: cmp.Or(c.Name, "ps4kit"),
		RequestPort: ddp.DefaultRequestPort, Version: ddp.Version, SystemVersion: captureVersion,
	}.Marshal()
	return c
}

// What a program that captures a credential claims to be.
const (
	captureHostID  = "1234567890AB" // no console has it; pyps4-2ndscreen and playactor use it too
	captureVersion = "09508011"     // of a real console (docs/protocol.md §1)
)

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
			c.Logf("ignored a datagram from %v: %v", from, err)
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
		c.Logf("ignored a %s from %v that is not the phone app's", request.Method, from)
	}
}

// captured returns the credential in a WAKEUP of the 2nd Screen app. A WAKEUP
// of Remote Play has auth-type R and a decimal number instead.
func captured(r ddp.Request) (Credential, bool) {
	if r.Method != ddp.Wakeup || r.AuthType != ddp.AuthCode {
		return Credential{}, false
	}
	credential, err := ParseCredential(r.Credential)
	return credential, err == nil
}

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
	var set CaptureOptions
	if o != nil {
		set = *o
	}
	if !set.Addr.IsValid() {
		set.Addr = netip.AddrPortFrom(netip.IPv4Unspecified(), ddp.Port)
	}
	if set.ListenPacket == nil {
		set.ListenPacket = (&net.ListenConfig{}).ListenPacket
	}
	if set.Logf == nil {
		set.Logf = func(string, ...any) {}
	}
	conn, err := set.ListenPacket(ctx, "udp4", set.Addr.String())
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

	// The phone app ignores any reply that a console would not send.
	reply := ddp.Reply{
		Code: ddp.CodeStandby, HostID: captureHostID, HostType: TypePS4, HostName: cmp.Or(set.Name, "ps4kit"),
		RequestPort: ddp.DefaultRequestPort, Version: ddp.Version, SystemVersion: "09508011",
	}.Marshal()
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
		switch {
		case err != nil:
			set.Logf("ignored a datagram from %v: %v", from, err)
			continue
		case request.Method == ddp.Search:
			if _, err := conn.WriteTo(reply, from); err != nil {
				set.Logf("answering %v: %v", from, err)
			}
			continue
		case request.Method == ddp.Wakeup && request.AuthType == ddp.AuthCode: // R is Remote Play, with a decimal number
			if credential, err := ParseCredential(request.Credential); err == nil {
				return credential, nil
			}
		}
		set.Logf("ignored a %s from %v that is not the phone app's", request.Method, from)
	}
}

// captureHostID is that of the console that CaptureCredential pretends to be.
// No real one has it; pyps4-2ndscreen and playactor use it too.
const captureHostID = "1234567890AB"

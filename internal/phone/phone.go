// Package phone gets a credential from the PS4 Second Screen app on a phone: it opens
// the one port where that app looks for consoles, or says why that port cannot be had
// and what to do, and waits.
package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// Limit is how long the app is waited for unless somebody says otherwise.
const Limit = 5 * time.Minute

// Listen opens the port: UDP 987 of every address, if addr is not valid. It fails with
// the codes port_rights and port_taken.
func Listen(ctx context.Context, addr netip.AddrPort) (net.PacketConn, error) {
	if !addr.IsValid() {
		addr = netip.AddrPortFrom(netip.IPv4Unspecified(), ps4.DefaultPort)
	}
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", addr.String())
	if err != nil {
		return nil, portError(err, addr.Port())
	}
	return conn, nil
}

// portError tells what to do when the port cannot be had.
func portError(err error, port uint16) error {
	switch {
	case errors.Is(err, syscall.EACCES):
		return &api.Error{
			Code: "port_rights", Message: fmt.Sprintf("this program may not listen on UDP port %d", port),
			Hint: "Run it with sudo, or give it the right once: sudo setcap cap_net_bind_service=+ep " + Program(),
		}
	case errors.Is(err, syscall.EADDRINUSE):
		return &api.Error{
			Code: "port_taken", Message: fmt.Sprintf("UDP port %d is taken by %s", port, Holder(port)),
			Hint: "Stop that program first; it may run again afterwards.",
		}
	}
	return fmt.Errorf("listening for the phone app: %w", err)
}

// Credential waits for the app until limit is over, and closes conn. It fails with the
// code no_credential when the app sent none.
func Credential(ctx context.Context, conn net.PacketConn, limit time.Duration, logf func(string, ...any)) (ps4.Credential, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &api.Error{
		Code: "no_credential", Message: fmt.Sprintf("no phone app sent a credential within %v", limit),
		Hint: "The phone must be in the same network. With the account id no app is needed: ps4kit credential --account-id ID.",
	})
	defer cancel()
	return ps4.CaptureCredential(ctx, &ps4.CaptureOptions{
		ListenPacket: func(context.Context, string, string) (net.PacketConn, error) { return conn, nil },
		Logf:         logf,
	})
}

// Holder names who holds a UDP port of this machine.
func Holder(port uint16) string { return udpHolder(os.DirFS("/proc"), port).String() }

// Program is the file of this program, for a shell: setcap takes no symbolic link.
func Program() string {
	path, err := os.Executable()
	if err != nil {
		return "ps4kit"
	}
	if file, err := filepath.EvalSymlinks(path); err == nil {
		path = file
	}
	return shellQuote(path)
}

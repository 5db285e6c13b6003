// Package phone gets a credential from the PS4 Second Screen app on a phone. It
// listens on the UDP port where the app searches for consoles and waits for the
// app to send the credential.
package phone

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
)

// Limit is the default time to wait for the app.
const Limit = 5 * time.Minute

// Listen opens addr, or UDP port 987 of every address if addr is invalid. It fails
// with the codes port_rights and port_taken.
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

func portError(err error, port uint16) error {
	switch {
	case errors.Is(err, syscall.EACCES):
		return &api.Error{
			Code: "port_rights", Message: fmt.Sprintf("not permitted to listen on UDP port %d", port),
			Hint: "Grant the right once: sudo setcap cap_net_bind_service=+ep " + executable(),
		}
	case errors.Is(err, syscall.EADDRINUSE):
		holder, _ := Holder(port, 0)
		return &api.Error{
			Code: "port_taken", Message: fmt.Sprintf("UDP port %d is in use by %s", port, holder),
			Hint: "Stop that program until the credential is captured.",
		}
	}
	return fmt.Errorf("listening for the phone app: %w", err)
}

// Credential waits for the app for at most limit, and closes conn. It fails with
// the code no_credential if the app sent none.
func Credential(ctx context.Context, conn net.PacketConn, limit time.Duration, logf func(string, ...any)) (ps4.Credential, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &api.Error{
		Code: "no_credential", Message: fmt.Sprintf("no phone app sent a credential within %v", limit),
		Hint: "Connect the phone to the same network, or do without the app: ps4kit credential --account-id ID.",
	})
	defer cancel()
	return ps4.CaptureCredential(ctx, &ps4.CaptureOptions{
		ListenPacket: func(context.Context, string, string) (net.PacketConn, error) { return conn, nil },
		Logf:         logf,
	})
}

// executable returns the file of this program. setcap accepts no symbolic link.
func executable() string {
	file, err := os.Executable()
	if err != nil {
		return "ps4kit"
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	return file
}

// Holder finds the process, other than except, that has a UDP port of this
// machine open. It returns "avahi (process 7)" and the id, or "another program"
// and 0 if it can't be found: without root, Linux shows the sockets of the user's
// own processes only.
func Holder(port uint16, except int) (name string, pid int) {
	return holder(os.DirFS("/proc"), port, except)
}

func holder(proc fs.FS, port uint16, except int) (name string, pid int) {
	const unknown = "another program"
	sockets := udpSockets(proc, port)
	if len(sockets) == 0 {
		return unknown, 0
	}
	links, _ := fs.Glob(proc, "[0-9]*/fd/*")
	for _, link := range links {
		target, _ := fs.ReadLink(proc, link)
		if !sockets[target] {
			continue
		}
		dir, _, _ := strings.Cut(link, "/")
		pid, _ := strconv.Atoi(dir)
		if pid == except {
			continue
		}
		comm, _ := fs.ReadFile(proc, path.Join(dir, "comm"))
		return fmt.Sprintf("%s (process %d)", text.Line(string(comm)), pid), pid // any user can choose the name
	}
	return unknown, 0
}

// udpSockets returns the sockets with a local port, as /proc/PID/fd names them.
func udpSockets(proc fs.FS, port uint16) map[string]bool {
	sockets := map[string]bool{}
	for _, table := range []string{"net/udp", "net/udp6"} {
		text, _ := fs.ReadFile(proc, table)
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line) // number, address:port, …, inode in the tenth
			if len(fields) < 10 {
				continue
			}
			_, local, _ := strings.Cut(fields[1], ":")
			if n, err := strconv.ParseUint(local, 16, 16); err == nil && uint16(n) == port {
				sockets["socket:["+fields[9]+"]"] = true
			}
		}
	}
	return sockets
}

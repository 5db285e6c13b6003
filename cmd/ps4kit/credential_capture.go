package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/internal/web"
	"github.com/ps4kit/ps4kit/ps4"
)

// captureLimit is how long the phone app is waited for without --timeout.
const captureLimit = 5 * time.Minute

// phoneApp waits for the app on a phone that gives its credential away.
type phoneApp struct {
	p     *program
	conn  net.PacketConn
	limit time.Duration
}

// listenForPhone opens the port where the phone app asks for consoles, and then gives
// up root: nothing that comes from the network is read as root, and what is stored
// belongs to whoever uses it.
//
// The flags --port, --bind and --timeout are about the capture here.
func (o *credentialOptions) listenForPhone(ctx context.Context, p *program) (*phoneApp, error) {
	f := &o.console
	override, err := f.override()
	if err != nil {
		return nil, usageError{err}
	}
	a := &phoneApp{p: p, limit: cmp.Or(f.timeout, captureLimit)}
	f.localPort, f.bind, f.timeout = 0, "", 0
	addr := netip.AddrPortFrom(netip.IPv4Unspecified(), cmp.Or(override.LocalPort, ps4.DefaultPort))
	if override.Bind.IsValid() {
		addr = netip.AddrPortFrom(override.Bind, addr.Port())
	}
	a.conn, err = (&net.ListenConfig{}).ListenPacket(ctx, "udp4", addr.String())
	if err != nil {
		return nil, portError(err, addr.Port())
	}
	if err := p.dropRoot(); err != nil {
		a.close()
		return nil, fmt.Errorf("giving up root: %w", err)
	}
	return a, nil
}

func (a *phoneApp) close() { _ = a.conn.Close() }

const captureSteps = `On a phone in this network open the PS4 Second Screen app, sign in as the PSN user,
and choose "ps4kit" in its list of consoles.
`

// credential waits for the phone app.
func (a *phoneApp) credential(ctx context.Context) (ps4.Credential, error) {
	c, err := a.p.configuration()
	if err != nil {
		return ps4.Credential{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.limit, &web.Error{
		Code: "no_credential", Message: fmt.Sprintf("no phone app sent a credential within %v", a.limit),
		Hint: "The phone must be in the same network. With the account id no app is needed: ps4kit credential --account-id ID.",
	})
	defer cancel()
	if !a.p.json() {
		_, _ = fmt.Fprint(a.p.stderr, captureSteps)
	}
	defer a.p.progress("Waiting for the phone app")()
	return ps4.CaptureCredential(ctx, &ps4.CaptureOptions{
		ListenPacket: func(context.Context, string, string) (net.PacketConn, error) { return a.conn, nil },
		Logf:         a.p.logger(c).Debugf,
	})
}

// portError tells what to do when the port cannot be had.
func portError(err error, port uint16) error {
	switch {
	case errors.Is(err, syscall.EACCES):
		return asUsage(&web.Error{
			Code: "port_rights", Message: fmt.Sprintf("this program may not listen on UDP port %d", port),
			Hint: fmt.Sprintf("Run it with sudo, or give it the right once: sudo setcap cap_net_bind_service=+ep %s", shellQuote(executable())),
		})
	case errors.Is(err, syscall.EADDRINUSE):
		return asUsage(&web.Error{
			Code: "port_taken", Message: fmt.Sprintf("UDP port %d is taken by %s", port, udpHolder(os.DirFS("/proc"), port)),
			Hint: "Stop that program first; it may run again afterwards.",
		})
	}
	return fmt.Errorf("listening for the phone app: %w", err)
}

// executable is the file of this program: setcap takes no symbolic link.
func executable() string {
	path, err := os.Executable()
	if err != nil {
		return "ps4kit"
	}
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	return path
}

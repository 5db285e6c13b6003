package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ps4kit/ps4kit/internal/phone"
	"github.com/ps4kit/ps4kit/ps4"
)

// phoneApp waits for the phone app to send its credential.
type phoneApp struct {
	p     *program
	conn  net.PacketConn
	limit time.Duration
}

// listenForPhone opens the port on which the phone app searches for consoles. The
// flags --port, --bind and --timeout apply to the capture here.
func (o *credentialOptions) listenForPhone(ctx context.Context, p *program) (*phoneApp, error) {
	f := &o.console
	override, err := f.override()
	if err != nil {
		return nil, usageError(err)
	}
	a := &phoneApp{p: p, limit: cmp.Or(f.timeout, phone.Limit)}
	f.localPort, f.bind, f.timeout = 0, "", 0
	addr := netip.AddrPortFrom(netip.IPv4Unspecified(), cmp.Or(override.LocalPort, ps4.DefaultPort))
	if override.Bind.IsValid() {
		addr = netip.AddrPortFrom(override.Bind, addr.Port())
	}
	if a.conn, err = phone.Listen(ctx, addr); err != nil {
		return nil, err
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
	if !a.p.json() {
		_, _ = fmt.Fprint(a.p.stderr, captureSteps)
	}
	defer a.p.progress("Waiting for the phone app")()
	return phone.Credential(ctx, a.conn, a.limit, a.p.logger(c).Debugf)
}

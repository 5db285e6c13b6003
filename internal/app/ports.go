package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/ps4kit/ps4kit/ps4"
)

// HAP servers without a configured port take one below the ephemeral ports of
// Linux, so that no outgoing connection can sit on it after a restart.
const (
	firstFreePort = 20000
	lastFreePort  = 32767
	portTries     = 64
)

// listenHAP listens for a console's HAP server: on want, the port that is
// configured or was remembered, or on a free one when want is 0 or is remembered
// and taken (fixed says that it is configured, and then taken is an error).
func listenHAP(ctx context.Context, bind netip.Addr, want uint16, fixed bool) (net.Listener, error) {
	if want != 0 {
		ln, err := listenTCP(ctx, bind, want)
		if err == nil || fixed || !errors.Is(err, syscall.EADDRINUSE) {
			return ln, err
		}
	}
	var err error
	for range portTries {
		var ln net.Listener
		port := firstFreePort + rand.IntN(lastFreePort-firstFreePort+1) //nolint:gosec // any free port will do
		if ln, err = listenTCP(ctx, bind, uint16(port)); err == nil {
			return ln, nil
		}
	}
	return nil, fmt.Errorf("no free port between %d and %d: %w", firstFreePort, lastFreePort, err)
}

func listenTCP(ctx context.Context, bind netip.Addr, port uint16) (net.Listener, error) {
	host := ""
	if bind.IsValid() {
		host = bind.String()
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, fmt.Errorf("HomeKit server (homekit.bind, homekit.port): %w", err)
	}
	return ln, nil
}

func portOf(ln net.Listener) uint16 {
	if a, ok := ln.Addr().(*net.TCPAddr); ok {
		return a.AddrPort().Port()
	}
	return 0
}

// FormatAddress writes where a console answers as the configuration takes it:
// ADDR, or ADDR:DDPPORT when the port is not that of a PS4.
func FormatAddress(a netip.AddrPort) string {
	switch {
	case !a.IsValid():
		return ""
	case a.Port() == ps4.DefaultPort || a.Port() == 0:
		return a.Addr().String()
	}
	return a.String()
}

// addressToward returns this machine's address on the way to a console, or the
// address that HomeKit is bound to; nothing is sent.
func addressToward(bind netip.Addr, console netip.AddrPort) string {
	if bind.IsValid() && !bind.IsUnspecified() {
		return bind.String()
	}
	if !console.IsValid() {
		return ""
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(console))
	if err != nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	if local, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		return local.IP.String()
	}
	return ""
}

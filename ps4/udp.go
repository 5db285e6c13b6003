package ps4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// socket is a UDP socket that asks consoles. It is never connected, because
// replies come from a fresh port each time (docs/protocol.md §1).
type socket struct {
	net.PacketConn
	set *settings
	buf []byte
}

// listen opens a socket on the port, or on an ephemeral one when it is taken.
func (s *settings) listen(ctx context.Context, port uint16) (*socket, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	conn, err := s.listenPort(ctx, port)
	if err != nil && port != 0 {
		s.Logf("ps4: UDP port %d: %v; using another", port, err)
		conn, err = s.listenPort(ctx, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("ps4: opening a UDP socket: %w", err)
	}
	return &socket{PacketConn: conn, set: s, buf: make([]byte, ddp.MaxDatagram+1)}, nil
}

func (s *settings) listenPort(ctx context.Context, port uint16) (net.PacketConn, error) {
	host := "0.0.0.0"
	if s.Bind.IsValid() {
		host = s.Bind.String()
	}
	return s.ListenPacket(ctx, "udp4", net.JoinHostPort(host, strconv.Itoa(int(port))))
}

// askFrom returns the local port for a console. Simulated ones may share an
// address; a fresh port for each question keeps late replies apart.
func (s *settings) askFrom(target netip.AddrPort) uint16 {
	if !isReal(target) && s.LocalPort == defaultUDPPort {
		return 0
	}
	return s.LocalPort
}

// isReal reports whether a real console may answer there.
func isReal(target netip.AddrPort) bool {
	return target.Port() == ddp.Port || target.Port() == ddp.PortPS5
}

// send sends one datagram; it fails when it reached no target.
func (s *socket) send(datagram []byte, targets ...netip.AddrPort) error {
	var failed error
	sent := false
	for _, target := range targets {
		if _, err := s.WriteTo(datagram, net.UDPAddrFromAddrPort(target)); err != nil {
			failed = fmt.Errorf("ps4: asking %v: %w", target, err)
			continue
		}
		sent = true
		s.set.Counters.DDPSent.Add(1)
	}
	if sent {
		return nil
	}
	return failed
}

// receive hands replies to the handler until it returns true, the time has
// come or ctx is done; only the first of these returns true.
func (s *socket) receive(ctx context.Context, until time.Time, handle func(netip.Addr, ddp.Reply) bool) (bool, error) {
	if err := s.SetReadDeadline(until); err != nil {
		return false, fmt.Errorf("ps4: UDP socket: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		n, from, err := s.ReadFrom(s.buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false, ended(ctx)
		}
		if err != nil {
			return false, fmt.Errorf("ps4: UDP socket: %w", err)
		}
		reply, err := ddp.ParseReply(s.buf[:n])
		if err != nil || reply.HostID == fakeHostID {
			s.set.Counters.DDPDropped.Add(1)
			continue
		}
		if handle(addrOf(from), reply) {
			s.set.Counters.DDPReceived.Add(1)
			return true, nil
		}
	}
}

// ended returns the cause of ctx's end; at the very instant of its deadline too.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return context.Cause(ctx)
}

// fakeHostID is what a program that captures a credential calls itself: this
// one, and pyps4-2ndscreen and playactor too. It is nobody's console.
const fakeHostID = "1234567890AB"

func addrOf(a net.Addr) netip.Addr {
	if udp, ok := a.(*net.UDPAddr); ok {
		return udp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// searchFor returns the SRCH datagram for a port.
func searchFor(port uint16) []byte {
	if port == ddp.PortPS5 {
		return ddp.NewSearch(ddp.VersionPS5).Marshal()
	}
	return ddp.NewSearch(ddp.Version).Marshal()
}

// withPort fills in the DDP port of a PS4 and drops the IPv6 form of IPv4.
func withPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), cmp.Or(a.Port(), ddp.Port))
}

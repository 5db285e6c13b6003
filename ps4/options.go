package ps4

import (
	"cmp"
	"context"
	"crypto/rsa"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Options says how to speak with consoles. nil is usable everywhere; a zero
// field means its default. Options are copied when they are given: changing
// them later has no effect.
type Options struct {
	// ServerKey is the public key that session keys are sealed with, 2048
	// bits. Default: ConsoleKey, that of real consoles.
	ServerKey *rsa.PublicKey

	// AppLabel shows in the console's toast; at most 256 bytes, longer ones
	// are cut. Default "ps4kit".
	AppLabel string
	// Model names this program in the console's list of linked devices: at
	// most 16 bytes, longer ones are cut. It must be unique for each
	// installation and user, and stay the same: a second user's link with the
	// same model replaces the first (docs/protocol.md §5). Default "ps4kit".
	Model string
	// Passcode of the PSN user, if he has one on the console.
	Passcode Passcode
	// SwitchUser presses PS one second after login, which makes the console
	// switch to the user that logs in (docs/protocol.md §7).
	SwitchUser bool
	// Idle is how long a Keeper holds a session that nobody uses. Default 60 s.
	Idle time.Duration

	// LocalPort is the UDP port of the network; any free one is used while it
	// is taken. Default 1987; AnyPort is any free one.
	LocalPort int
	// Bind is the local address of every socket. Zero: any.
	Bind netip.Addr
	// Broadcast lists where Discover searches; port 0 means 987, and port
	// 9302 is asked as a PS5. 255.255.255.255 stands for every interface too
	// (see Interfaces). Addresses of single consoles are fine. Default:
	// 255.255.255.255 on the ports of PS4 and PS5.
	Broadcast []netip.AddrPort
	// Interfaces names the interfaces on whose networks 255.255.255.255 is
	// sent; empty: all that are up and have an IPv4 broadcast address.
	Interfaces []string

	// Dial opens TCP connections. Default: a net.Dialer, from Bind.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// ListenPacket opens UDP sockets. Default: a net.ListenConfig.
	ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	// OnLink reports whether an address is on a network of this machine, and
	// LinkUp whether the link towards it works. Default: as the operating
	// system says, and always true if ListenPacket is set.
	OnLink, LinkUp func(netip.Addr) bool
	// Logf gets a line for what a developer may want to know, Warnf for what
	// the owner should know, such as a local port that is taken; neither gets
	// a secret. nil: Logf discards, Warnf is Logf.
	Logf, Warnf func(format string, args ...any)
	// Counters, if set, counts datagrams and packets.
	Counters *Counters
}

// Counters counts what goes over the network; all of it only grows.
type Counters struct {
	DDPSent     atomic.Uint64 // datagrams sent
	DDPReceived atomic.Uint64 // replies understood
	DDPDropped  atomic.Uint64 // datagrams that made no sense or came from elsewhere
	Sessions    atomic.Uint64 // sessions opened
	Resets      atomic.Uint64 // connections that the console cut before a session was open
	Lost        atomic.Uint64 // sessions that ended otherwise than by Close
	Heartbeats  atomic.Uint64 // heartbeats answered
	Skipped     atomic.Uint64 // packets of unknown or unexpected type
}

// UDP ports on which consoles answer discovery (docs/protocol.md §1).
const (
	DefaultPort = ddp.Port    // a PS4
	PortPS5     = ddp.PortPS5 // a PS5
)

// AnyPort as Options.LocalPort is any free port.
const AnyPort = -1

// settings are options with every default filled in.
type settings struct {
	Options
	links *linkTable
}

func newSettings(o *Options) *settings {
	s := &settings{links: &linkTable{}}
	if o != nil {
		s.Options = *o
	}
	if s.ServerKey == nil {
		s.ServerKey = ConsoleKey()
	}
	s.AppLabel = cmp.Or(s.AppLabel, "ps4kit")
	s.Model = cmp.Or(wire.Truncate(s.Model, wire.ModelSize), "ps4kit")
	s.Idle = cmp.Or(s.Idle, defaultIdle)
	s.LocalPort = cmp.Or(s.LocalPort, defaultUDPPort)
	if len(s.Broadcast) == 0 {
		s.Broadcast = defaultBroadcast()
	}
	if s.Dial == nil {
		s.Dial = (&net.Dialer{LocalAddr: s.tcpAddr()}).DialContext
	}
	s.setLinks()
	if s.ListenPacket == nil {
		s.ListenPacket = (&net.ListenConfig{}).ListenPacket
	}
	if s.Logf == nil {
		s.Logf = func(string, ...any) {}
	}
	if s.Warnf == nil {
		s.Warnf = s.Logf
	}
	if s.Counters == nil {
		s.Counters = &Counters{}
	}
	return s
}

// setLinks fills in how the networks of this machine are known.
func (s *settings) setLinks() {
	always := func(netip.Addr) bool { return true }
	inMemory := s.ListenPacket != nil
	switch {
	case s.OnLink == nil && inMemory:
		s.OnLink = always
	case s.OnLink == nil:
		s.OnLink = s.links.onLink
	}
	switch {
	case s.LinkUp == nil && inMemory:
		s.LinkUp = always
	case s.LinkUp == nil:
		s.LinkUp = s.links.linkUp
	}
}

// localPort returns the port to bind; 0 is any.
func (s *settings) localPort() uint16 {
	return uint16(max(s.LocalPort, 0)) //nolint:gosec // a port
}

func (s *settings) tcpAddr() net.Addr {
	if !s.Bind.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(s.Bind, 0))
}

package ps4

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Options configures how to talk to consoles. Nil is valid everywhere, and a
// zero field means its default. Options are copied when they are passed; later
// changes have no effect.
type Options struct {
	// ServerKey is the public key that encrypts session keys, of 2048 bits. Set
	// it for simulated consoles: see [ParseServerKey]. Default: ConsoleKey,
	// that of real ones.
	ServerKey *rsa.PublicKey

	// AppLabel shows in the console's toast. It is cut to 256 bytes. Default:
	// ps4kit.
	AppLabel string
	// Model names this program in the console's list of linked devices. It is
	// cut to 16 bytes, must be unique for each installation and user, and must
	// stay the same: linking a second user with the same model replaces the
	// first (docs/protocol.md §5). Default: ps4kit.
	Model string
	// Passcode is that of the PSN user, if the user has one on the console.
	Passcode Passcode
	// SwitchUser presses PS one second after login, which makes the console
	// switch to the user that logs in (docs/protocol.md §7).
	SwitchUser bool
	// Idle is how long a [Keeper] holds an unused session. Default: 60 s.
	Idle time.Duration

	// LocalPort is the local UDP port. While it is taken, any free one is used.
	// Default: 1987. [AnyPort] uses any free port from the start.
	LocalPort int
	// Bind is the local address of every socket. Default: any.
	Bind netip.Addr
	// Broadcast lists the addresses that Discover asks; those of single
	// consoles may be among them. Port 0 means 987, and port 9302 is asked with
	// the protocol version of a PS5. 255.255.255.255 stands for the broadcast
	// addresses of Interfaces too. Default: 255.255.255.255 on ports 987 and
	// 9302.
	Broadcast []netip.AddrPort
	// Interfaces names the interfaces whose networks 255.255.255.255 reaches.
	// Default: all that are up and have an IPv4 broadcast address.
	Interfaces []string

	// Dial opens TCP connections. Default: that of a net.Dialer, from Bind.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// ListenPacket opens UDP sockets. Default: that of a net.ListenConfig.
	ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	// OnLink reports whether an address is on a network of this machine, and
	// LinkUp whether the link to it works. Default: ask the operating system,
	// or always true if ListenPacket is set.
	OnLink, LinkUp func(netip.Addr) bool
	// Logf reports details for developers, and Warnf conditions that the owner
	// should know about, such as a local port that is taken. Neither receives a
	// secret. Default: Logf discards, and Warnf is Logf.
	Logf, Warnf func(format string, args ...any)
	// Counters, if set, counts datagrams and packets.
	Counters *Counters
}

// Counters counts datagrams, packets and sessions. The numbers only grow. It is
// safe for concurrent use.
type Counters struct {
	DDPSent     atomic.Uint64 // datagrams sent
	DDPReceived atomic.Uint64 // replies of a known console
	DDPDropped  atomic.Uint64 // datagrams that did not parse or concern no console
	Sessions    atomic.Uint64 // sessions opened
	Resets      atomic.Uint64 // connections that the console cut before login
	Lost        atomic.Uint64 // sessions that ended other than by Close
	Heartbeats  atomic.Uint64 // heartbeats answered
	Skipped     atomic.Uint64 // packets of unknown or unexpected type
}

// UDP ports where consoles answer discovery (docs/protocol.md §1).
const (
	DefaultPort = ddp.Port    // a PS4
	PortPS5     = ddp.PortPS5 // a PS5
)

// ParseAddress parses the address of a console: an IP address, with a port if
// the console doesn't answer on [DefaultPort].
func ParseAddress(text string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, DefaultPort), nil
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is not an IP address, or an address and a port", text)
	}
	return a, nil
}

// AnyPort is any free port, for Options.LocalPort.
const AnyPort = -1

// settings are Options with their defaults filled in.
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
	s.Model = cmp.Or(text.Truncate(s.Model, wire.ModelSize), "ps4kit")
	s.Idle = cmp.Or(s.Idle, defaultIdle)
	s.LocalPort = cmp.Or(s.LocalPort, defaultUDPPort)
	if len(s.Broadcast) == 0 {
		s.Broadcast = []netip.AddrPort{
			netip.AddrPortFrom(ddp.LimitedBroadcast, DefaultPort),
			netip.AddrPortFrom(ddp.LimitedBroadcast, PortPS5),
		}
	}
	if s.Dial == nil {
		var dialer net.Dialer
		if s.Bind.IsValid() {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(s.Bind, 0))
		}
		s.Dial = dialer.DialContext
	}
	onLink, linkUp := s.links.onLink, s.links.linkUp
	if s.ListenPacket == nil {
		s.ListenPacket = (&net.ListenConfig{}).ListenPacket
	} else {
		always := func(netip.Addr) bool { return true }
		onLink, linkUp = always, always
	}
	if s.OnLink == nil {
		s.OnLink = onLink
	}
	if s.LinkUp == nil {
		s.LinkUp = linkUp
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

// consoleKey is the public key of every PS4 (docs/protocol.md §4).
const consoleKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxfAO/MDk5ovZpp7xlG9J
JKc4Sg4ztAz+BbOt6Gbhub02tF9bryklpTIyzM0v817pwQ3TCoigpxEcWdTykhDL
cGhAbcp6E7Xh8aHEsqgtQ/c+wY1zIl3fU//uddlB1XuipXthDv6emXsyyU/tJWqc
zy9HCJncLJeYo7MJvf2TE9nnlVm1x4flmD0k1zrvb3MONqoZbKb/TQVuVhBv7SM+
U5PSi3diXIx1Nnj4vQ8clRNUJ5X1tT9XfVmKQS1J513XNZ0uYHYRDzQYujpLWucu
ob7v50wCpUm3iKP1fYCixMP6xFm0jPYz1YQaMV35VkYwc40qgk3av0PDS+1G0dCm
swIDAQAB
-----END PUBLIC KEY-----`

// ConsoleKey returns the RSA public key of real consoles, which has 2048 bits
// (docs/protocol.md §4). It is the default of Options.ServerKey.
func ConsoleKey() *rsa.PublicKey {
	key, err := ParseServerKey([]byte(consoleKey))
	if err != nil {
		panic("ps4: the console key is damaged: " + err.Error())
	}
	return key
}

// ParseServerKey parses the public key of a simulated console, for
// Options.ServerKey. It accepts PEM with a PKIX "PUBLIC KEY" or a PKCS #1 "RSA
// PUBLIC KEY" of 2048 bits. Its errors have no sentinel.
func ParseServerKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	var key any
	var err error
	if block.Type == "RSA PUBLIC KEY" {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	} else {
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, err
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok || k.N.BitLen() != 2048 { // its ciphertext fills a field of the handshake
		return nil, errors.New("a console key is an RSA public key of 2048 bits")
	}
	return k, nil
}

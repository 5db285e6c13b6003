// Package ps4test simulates PlayStation consoles, much as net/http/httptest
// provides servers: for testing programs that talk to a console, and for trying
// them without one.
//
//	console, err := ps4test.New(ps4test.Config{
//		Name:   "Den",
//		PIN:    "12345678",
//		Titles: []ps4test.Title{{ID: "CUSA00129", Name: "Netflix"}},
//		Timing: ps4test.FastTiming(),
//	})
//	if err != nil { ... }
//	defer console.Close()
//	den := ps4.NewConsole(console.Addr(), credential, console.Options())
//
// A console answers on UDP, opens its TCP port for a while after a LAUNCH, and
// handles logins, heartbeats, keys, titles, text and rest mode:
//
//	client                                                     console
//	UDP   SRCH, WAKEUP or LAUNCH  ->  <-  reply to SRCH, from a fresh port
//	TCP   hello                   ->  <-  hello
//	      handshake, login        ->  <-  login result
//	      status                  ->  <-  heartbeat
//	      key, boot, text, ...    ->  <-  results
//
// A PS5, and a PS4 with [Config.RemotePlay], speaks Remote Play (docs/protocol.md
// §10 to §15). Its stream takes buttons, and sends junk for pictures and sound.
//
// The rules are those of docs/protocol.md §1 to §7. Questions that only hardware
// can settle (§9) are fields of [Timing] or [Config], so that a test can try
// both answers.
//
// A console counts and records everything it receives: see [Snapshot] and
// [Counters]. [Console.WaitFor] blocks until a Snapshot meets a condition, so
// tests need no sleeps. [Console.SetFaults] makes the network or the console
// misbehave.
//
// With [Config.Network] set, consoles and clients share an in-memory network
// whose waits are durably blocking: inside a testing/synctest bubble, minutes
// of protocol take no time. Without it they use real sockets on [Config.Addr].
//
// A simulated console has its own key pair. Its clients need
// [Console.PublicKey], and are otherwise unchanged.
package ps4test

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Console is a simulated console. Its methods are safe for concurrent use.
type Console struct {
	cfg     Config
	net     transport
	udpAddr netip.AddrPort
	tcpAddr netip.AddrPort
	sockets []net.PacketConn
	free    func() // frees the reserved TCP port; nil if none is
	wg      sync.WaitGroup

	mu      sync.Mutex // guards everything below
	closed  bool
	changed chan struct{} // closed and replaced on each change
	timers  map[*time.Timer]struct{}
	faults  Faults
	power   power
	rp      remotePlay
	door    door
	titles  titles
	screen  keyboard
	linked  map[string]ps4.Credential // devices by model
	conns   map[*client]struct{}
	active  *session // the session that is logged in
	log     records
}

// New starts a simulated console, which runs until Close. Its errors wrap
// ErrConfig or come from the sockets.
func New(cfg Config) (*Console, error) {
	cfg, addr, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Console{
		cfg:     cfg,
		net:     realNetwork{},
		changed: make(chan struct{}),
		timers:  map[*time.Timer]struct{}{},
		conns:   map[*client]struct{}{},
		linked:  map[string]ps4.Credential{},
		power:   power{awake: !cfg.Standby, service: !cfg.Standby},
	}
	if cfg.Network != nil {
		c.net = cfg.Network
	}
	if err := c.bind(addr); err != nil {
		c.release()
		return nil, err
	}
	sum := sha256.Sum256([]byte(c.udpAddr.String()))
	c.cfg.HostID = cmp.Or(c.cfg.HostID, fmt.Sprintf("02%X", sum[:5])) // a locally administered MAC address
	c.titles.running, _ = cfg.title(cfg.Running)
	for _, socket := range c.sockets {
		c.wg.Go(func() { c.serveUDP(socket, c.requestLocked) })
	}
	if c.rp.addr.IsValid() {
		c.wg.Go(func() { c.serveUDP(c.rp.sockets[searchPort], c.searchWordLocked) })
		for _, port := range []int{streamPort, probePort} {
			c.wg.Go(func() {
				c.serveUDP(c.rp.sockets[port], func(from netip.AddrPort, packet []byte) (what, outcome string) {
					return c.streamPacketLocked(port, from, packet)
				})
			})
		}
	}
	c.update(func() {}) // opens the Remote Play port
	return c, nil
}

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Start starts a console that is closed when the test ends. It fails the test
// on an error.
func Start(tb TB, cfg Config) *Console {
	tb.Helper()
	c, err := New(cfg)
	if err != nil {
		tb.Fatalf("starting a simulated console: %v", err)
		return nil
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// bind opens the UDP sockets and reserves the TCP port.
func (c *Console) bind(addr netip.Addr) error {
	socket, err := c.net.packet(netip.AddrPortFrom(addr, c.cfg.DDPPort), false)
	if err != nil {
		return err
	}
	c.sockets = append(c.sockets, socket)
	c.udpAddr = addrPort(socket.LocalAddr())
	// A socket on a unicast address receives no broadcasts, one on 0.0.0.0 does.
	if c.cfg.Broadcast && !addr.IsUnspecified() {
		broadcasts, err := c.net.broadcasts(addr)
		if err != nil {
			return err
		}
		for _, to := range broadcasts {
			socket, err := c.net.packet(netip.AddrPortFrom(to, c.udpAddr.Port()), true)
			if err != nil {
				return err
			}
			c.sockets = append(c.sockets, socket)
		}
	}
	c.tcpAddr, c.free, err = c.net.reserve(netip.AddrPortFrom(addr, c.cfg.TCPPort))
	if err != nil {
		return err
	}
	return c.startRemotePlay(addr)
}

// Close turns the console off, drops its connections and waits for its
// goroutines. Further calls have no effect.
func (c *Console) Close() error {
	c.update(func() {
		if c.closed {
			return
		}
		c.closed = true
		for t := range c.timers {
			if t.Stop() {
				c.wg.Done()
			}
		}
		c.dropAllLocked()
		c.listenLocked()
		c.release()
	})
	c.wg.Wait()
	return nil
}

func (c *Console) release() {
	for _, socket := range c.sockets {
		_ = socket.Close()
	}
	if c.free != nil {
		c.free()
	}
	c.rp.release()
}

// afterLocked runs f with the lock held after d, or at once if d is not
// positive. A closed console runs nothing.
func (c *Console) afterLocked(d time.Duration, f func()) {
	if c.closed {
		return
	}
	if d <= 0 {
		f()
		return
	}
	c.wg.Add(1)
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		defer c.wg.Done()
		c.update(func() {
			delete(c.timers, t)
			if !c.closed {
				f()
			}
		})
	})
	c.timers[t] = struct{}{}
}

// stepLocked runs f after d unless *epoch has changed by then.
func (c *Console) stepLocked(epoch *int, d time.Duration, f func()) {
	now := *epoch
	c.afterLocked(d, func() {
		if *epoch == now {
			f()
		}
	})
}

// update runs f with the lock held and wakes every WaitFor.
func (c *Console) update(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.listenLocked()
	close(c.changed)
	c.changed = make(chan struct{})
}

// Addr returns the address of the console's DDP socket.
func (c *Console) Addr() netip.AddrPort { return c.udpAddr }

// TCPAddr returns the address that accepts sessions while the door is open.
func (c *Console) TCPAddr() netip.AddrPort { return c.tcpAddr }

// HostID returns the console's id, 12 hex digits in upper case.
func (c *Console) HostID() string { return c.cfg.HostID }

// Name returns the console's host-name.
func (c *Console) Name() string { return c.cfg.Name }

// Options returns the options of a client for this console: its key, where to
// search for it, and the hooks of its in-memory network. The caller may change
// them.
func (c *Console) Options() *ps4.Options {
	o := &ps4.Options{
		ServerKey: c.PublicKey(),
		LocalPort: ps4.AnyPort,
		Broadcast: []netip.AddrPort{c.Addr()},
		Logf:      c.cfg.Logf,
	}
	if c.cfg.Network != nil {
		o.Dial, o.ListenPacket = c.cfg.Network.Dial, c.cfg.Network.ListenPacket
	}
	return o
}

// processKey makes the key pair of every console whose Config has none.
// Generating one for each of many consoles would take too long.
var processKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("ps4test: generating a key: %v", err)) // only if the system has no randomness
	}
	return key
})

func (c *Console) key() *rsa.PrivateKey {
	if c.cfg.Key != nil {
		return c.cfg.Key
	}
	return processKey()
}

// PublicKey returns the key with which clients encrypt their session keys, for
// ps4.Options.ServerKey.
func (c *Console) PublicKey() *rsa.PublicKey { return &c.key().PublicKey }

// PublicKeyPEM returns PublicKey as PEM in PKIX form, for other programs and
// for --console-key.
func (c *Console) PublicKeyPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(c.PublicKey())
	if err != nil {
		panic(fmt.Sprintf("ps4test: %v", err)) // impossible with an RSA key
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func addrPort(a net.Addr) netip.AddrPort {
	if with, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		ap := with.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

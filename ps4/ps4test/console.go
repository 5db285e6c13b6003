package ps4test

import (
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Console is a simulated console. Its methods are safe for concurrent use.
type Console struct {
	cfg     Config
	net     transport
	key     func() *rsa.PrivateKey
	udpAddr netip.AddrPort
	tcpAddr netip.AddrPort
	sockets []net.PacketConn
	hold    io.Closer // keeps the TCP port while the door is closed
	wg      sync.WaitGroup

	mu      sync.Mutex // guards everything below
	closed  bool
	done    chan struct{} // closed by Close
	changed chan struct{} // closed and replaced at each change
	timers  map[*time.Timer]struct{}
	faults  Faults
	power   power
	door    door
	titles  titles
	screen  keyboard
	linked  []Device
	conns   map[*session]struct{}
	active  *session // the session that is logged in
	log     records
}

// New starts a simulated console. Errors wrap ErrConfig, or are those of the
// sockets. Close ends it.
func New(cfg Config) (*Console, error) {
	cfg, addr, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Console{
		cfg:     cfg,
		net:     realNetwork{},
		key:     processKey,
		done:    make(chan struct{}),
		changed: make(chan struct{}),
		timers:  map[*time.Timer]struct{}{},
		conns:   map[*session]struct{}{},
		power:   power{awake: !cfg.Standby, service: !cfg.Standby},
	}
	if cfg.Network != nil {
		c.net = cfg.Network
	}
	if cfg.Key != nil {
		c.key = func() *rsa.PrivateKey { return cfg.Key }
	}
	if err := c.bind(addr); err != nil {
		c.release()
		return nil, err
	}
	setDefault(&c.cfg.HostID, madeUpHostID(c.udpAddr))
	c.titles.running, _ = cfg.title(cfg.Running)
	for _, socket := range c.sockets {
		c.wg.Go(func() { c.serveDatagrams(socket) })
	}
	return c, nil
}

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Start is New for tests: it fails the test on an error and closes the console
// when the test ends.
func Start(tb TB, cfg Config) *Console {
	tb.Helper()
	c, err := New(cfg)
	if err != nil {
		tb.Fatalf("ps4test: %v", err)
		return nil
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// bind takes the UDP and TCP ports; TCP does not listen yet.
func (c *Console) bind(addr netip.Addr) error {
	socket, err := c.net.packet(netip.AddrPortFrom(addr, c.cfg.DDPPort), false)
	if err != nil {
		return fmt.Errorf("ps4test: UDP: %w", err)
	}
	c.sockets = append(c.sockets, socket)
	c.udpAddr = addrPort(socket.LocalAddr())
	if c.cfg.Broadcast {
		everyone := netip.AddrPortFrom(broadcastAddr, c.udpAddr.Port())
		socket, err := c.net.packet(everyone, true)
		if err != nil {
			return fmt.Errorf("ps4test: UDP broadcast: %w", err)
		}
		c.sockets = append(c.sockets, socket)
	}
	c.tcpAddr, c.hold, err = c.net.reserve(netip.AddrPortFrom(addr, c.cfg.TCPPort))
	if err != nil {
		return fmt.Errorf("ps4test: TCP: %w", err)
	}
	return nil
}

// Close switches the console off, drops its connections and waits for its
// goroutines. Further calls do nothing.
func (c *Console) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		c.wg.Wait()
		return nil
	}
	c.closed = true
	close(c.done)
	for t := range c.timers {
		if t.Stop() {
			c.wg.Done()
		}
	}
	c.dropAllLocked()
	c.closeDoorLocked()
	c.notifyLocked()
	c.mu.Unlock()
	c.release()
	c.wg.Wait()
	return nil
}

func (c *Console) release() {
	for _, socket := range c.sockets {
		_ = socket.Close()
	}
	if c.hold != nil {
		_ = c.hold.Close()
	}
}

// afterLocked runs f, with the lock held, once d has passed; at once when d is
// not positive. Nothing runs once the console is closed.
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
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
		if !c.closed {
			f()
			c.notifyLocked()
		}
	})
	c.timers[t] = struct{}{}
}

// update runs f with the lock held and tells those who wait for a change.
func (c *Console) update(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.notifyLocked()
}

func (c *Console) notifyLocked() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Addr returns where the console answers DDP.
func (c *Console) Addr() netip.AddrPort { return c.udpAddr }

// TCPAddr returns where the console accepts sessions while its door is open.
func (c *Console) TCPAddr() netip.AddrPort { return c.tcpAddr }

// HostID returns the console's id, 12 hex digits in upper case.
func (c *Console) HostID() string { return c.cfg.HostID }

// Name returns the console's host-name.
func (c *Console) Name() string { return c.cfg.Name }

// madeUpHostID makes a locally administered MAC address of a socket address.
func madeUpHostID(addr netip.AddrPort) string {
	sum := sha256.Sum256([]byte(addr.String()))
	return strings.ToUpper(fmt.Sprintf("02%x", sum[:5]))
}

func addrPort(a net.Addr) netip.AddrPort {
	if with, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		ap := with.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

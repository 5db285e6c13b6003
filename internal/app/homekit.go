package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"

	hapmodel "github.com/brutella/hap/accessory"
	"github.com/mdp/qrterminal/v3"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
)

// homekit offers consoles and the companion bridge to HomeKit.
type homekit struct {
	env
	tasks
	publisher hapserver.Publisher // nil in a command without a server
	strangers hapserver.Strangers // one limit for all servers
	registry  *registry
	companion atomic.Pointer[companion] // nil: not offered
}

// serves reports whether this process is the server, which listens for
// controllers.
func (h *homekit) serves() bool { return h.publisher != nil }

// hapServer is a HAP server with its identity and its port.
type hapServer struct {
	*hapserver.Server
	store     *homekitStore
	port      uint16 // 0: none was chosen yet
	listening atomic.Bool
}

// newServer returns the HAP server of a host id. It makes an identity if there
// is none yet, and does no network I/O.
func (h *homekit) newServer(hostID string, o hapserver.Options) (*hapServer, error) {
	s := &hapServer{store: h.files.homekit(hostID)}
	o.Store, o.Publisher, o.Strangers, o.OnChange = s.store, h.publisher, &h.strangers, h.events.Changed
	var err error
	if s.Server, err = hapserver.New(&o); err != nil {
		return nil, fmt.Errorf("HomeKit server: %w", err)
	}
	s.port, err = s.store.port()
	return s, err
}

// offer makes the HAP server of a unit.
func (h *homekit) offer(u *unit) (err error) {
	u.hap, err = h.newServer(u.hostID, hapserver.Options{
		Name:        u.tv.Accessory().Name(),
		Accessories: []*hapmodel.A{u.tv.Accessory()},
		Category:    categoryNumber(u.config.Category),
		SetupCode:   u.config.SetupCode.Reveal(),
		Log:         h.log.WithField("console", u.name),
	})
	if err != nil {
		u.hap = nil
		return err
	}
	u.tv.Attach(u.hap)
	return nil
}

// listen listens on the port that a server had before, or chooses one, and
// stores it.
func (h *homekit) listen(s *hapServer) (net.Listener, error) {
	fixed := h.config.HomeKit.Port != 0
	if fixed {
		s.port = h.fixedPort(s.port)
	}
	ln, err := listenHAP(h.ctx, h.config.HomeKit.Bind, s.port, fixed)
	if err != nil {
		return nil, err
	}
	if a, ok := ln.Addr().(*net.TCPAddr); ok {
		s.port = a.AddrPort().Port()
	}
	if err := s.store.setPort(s.port); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	s.listening.Store(true)
	return ln, nil
}

// serve serves until ctx is done.
func (s *hapServer) serve(ctx context.Context, ln net.Listener) error {
	defer s.listening.Store(false)
	return s.Serve(ctx, ln)
}

// fixedPort returns a port from homekit.port on, if possible the one that the
// server had before.
func (h *homekit) fixedPort(before uint16) uint16 {
	first := h.config.HomeKit.Port
	taken := map[uint16]bool{}
	for _, u := range h.registry.list() {
		if u.hap != nil {
			taken[u.hap.port] = true
		}
	}
	if c := h.companion.Load(); c != nil {
		taken[c.hap.port] = true
	}
	if before >= first && int(before) < int(first)+maxConsoles && !taken[before] {
		return before
	}
	port := first
	for taken[port] {
		port++
	}
	return port
}

// HAP servers without a configured port take one below the ephemeral ports of
// Linux, so that no outgoing connection can take it while they are down.
const (
	firstFreePort = 20000
	lastFreePort  = 32767
	portTries     = 64
)

// listenHAP listens on the wanted port. If that is 0, or is taken and not
// fixed by the configuration, it listens on a free one.
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

// categoryNumber returns the HomeKit category, which chooses the icon
// (docs/homekit.md §1).
func categoryNumber(name string) uint8 {
	switch name {
	case config.CategorySetTopBox:
		return 35
	case config.CategoryStick:
		return 36
	}
	return 31
}

// mend sets the HomeKit file of a host id aside if it is damaged.
func (h *homekit) mend(hostID string) (mended bool, err error) {
	store := h.files.homekit(hostID)
	if _, err := store.Load(); !errors.Is(err, state.ErrDamaged) {
		return false, nil
	}
	return true, store.file.Remove()
}

// list lists the accessories by name.
func (h *homekit) list() []api.Accessory {
	list := []api.Accessory{}
	near := "" // an address on the way to any console
	for _, u := range h.registry.list() {
		address := addressToward(h.config.HomeKit.Bind, u.tv.Snapshot().Addr)
		near = cmp.Or(near, address)
		if u.hap != nil {
			list = append(list, u.hap.describe(u.tv.Snapshot().Name, u.hostID, address))
		}
	}
	if c := h.companion.Load(); c != nil {
		list = append(list, c.hap.describe(c.Name(), state.Companion, near))
	}
	slices.SortFunc(list, func(a, b api.Accessory) int { return byName(a.Name, a.HostID, b.Name, b.HostID) })
	return list
}

// byName compares consoles by name, then by host id.
func byName(name, hostID, otherName, otherID string) int {
	return cmp.Or(cmp.Compare(name, otherName), cmp.Compare(hostID, otherID))
}

// describe returns the server as the API shows it.
func (s *hapServer) describe(name, hostID, address string) api.Accessory {
	info := s.Info()
	a := api.Accessory{
		Name: name, HostID: hostID, DeviceID: info.DeviceID, Address: address, Port: int(s.port),
		SetupCode: info.SetupCode, SetupID: info.SetupID, SetupURI: info.SetupURI,
		Paired: info.Paired, PairingLocked: info.SetupLocked, Controllers: []api.Controller{},
	}
	for _, c := range info.Controllers {
		a.Controllers = append(a.Controllers, api.Controller{ID: text.Line(c.ID), Admin: c.Admin})
	}
	return a
}

// addressToward returns this machine's address on the way to a console, or the
// address that HomeKit is bound to. It sends nothing.
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

// FormatAddress writes the address of a console as the configuration takes it:
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

// PrintCode prints the QR code and the setup code of an unpaired accessory on a
// terminal, or how to unlock pairing. Both codes are secret: never send them to a
// log.
func PrintCode(w io.Writer, a api.Accessory) {
	if a.PairingLocked {
		locked := a.LockedError()
		_, _ = fmt.Fprintf(w, "\n%s\n\n  The %s.\n  %s\n", a.Name, locked.Message, locked.Hint)
		return
	}
	_, _ = fmt.Fprintf(w, "\n%s\n\n", a.Name)
	qrterminal.GenerateWithConfig(a.SetupURI, qrterminal.Config{
		Level:          qrterminal.M, // docs/homekit.md §3
		Writer:         w,
		HalfBlocks:     true,
		BlackChar:      qrterminal.BLACK_BLACK,
		WhiteChar:      qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE,
		WhiteBlackChar: qrterminal.WHITE_BLACK,
		QuietZone:      2,
	})
	_, _ = fmt.Fprintf(w, "\n  Setup code  %s\n", a.SetupCode)
}

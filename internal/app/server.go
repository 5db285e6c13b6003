package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/mdns"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/web"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// Options of Run. Config, State and Log are needed.
type Options struct {
	Config   *config.Config
	State    *state.Store // open, and so locked; Run closes it
	Simulate int          // simulated consoles to add
	Log      *logrus.Logger
	Version  string // of this program
	// Ready is called once, when every known console's HAP server listens. It is
	// told secrets, which are for a person's eyes only.
	Ready func(Greeting)
	// Reload brings each new configuration, see followConfig.
	Reload <-chan *config.Config
	// PhoneAddr is where the phone app looks for consoles; not valid: UDP port 987 of
	// every address.
	PhoneAddr netip.AddrPort
}

// server is a running `ps4kit serve`.
type server struct {
	Options
	files        files
	guard        func() (*web.Guard, error) // the one of the page
	installation string                     // see modelOf
	mdns         *mdns.Responder
	strangers    hapserver.Strangers // one limit for all HAP servers

	simulated []*ps4test.Console
	page      Page

	group     *errgroup.Group
	life      context.Context    // of the group's goroutines
	stop      context.CancelFunc // ends it
	restoring atomic.Bool        // a backup is stored, so the server starts again
	latest    atomic.Pointer[config.Config]
	art       *artcache.Cache // nil: there is none

	network  *ps4.Network // the one UDP socket
	searches ps4.Counters // of searches, and of consoles that have no unit yet

	alone        bool // one command, without HAP servers: see Local
	override     Override
	meeting      sync.Mutex // held while a console that answered gets its unit, so that it gets only one
	sightings    sightings
	crowded      sync.Once // too many answer, and the log says so
	otherConsole sync.Once // another console answers where config.yaml names one
	mu           sync.Mutex
	units        map[string]*unit // by host id
	refused      map[string]error // known consoles that are not offered and why, by host id

	wrongPasswords atomic.Uint64 // shown to the page

	events    *api.Events               // nil: nobody is told
	capturing sync.Mutex                // held while the phone app is waited for
	companion atomic.Pointer[companion] // nil: not offered
	grown     chan struct{}             // a token: a console has got its server
	started   atomic.Bool               // every console that was known at the start had its turn
}

// Run serves until ctx is done, then stops everything, closes the state and returns nil.
// It fails when a listener cannot be had or the state cannot be written; a console whose
// own files are damaged is logged and left out. Restoring a backup makes it start again,
// with the last configuration.
func Run(ctx context.Context, o Options) error {
	defer notifyStopping()
	log := &api.Log{}
	o.Log.AddHook(logHook{log})
	for {
		logRestore(o.State, o.Log)
		s := newServer(o)
		err := errors.Join(s.serve(ctx, log), o.State.Close())
		if err != nil || !s.restoring.Load() {
			return err
		}
		if o.State, err = reopen(ctx, o.State.Dir(), o.Log); err != nil {
			return fmt.Errorf("opening the state after a restore: %w", err)
		}
		o.Config, o.Ready = s.latest.Load(), nil
	}
}

// serve runs the server once.
func (s *server) serve(ctx context.Context, log *api.Log) error {
	s.events = api.NewEvents(log)
	if s.Simulate < 0 || s.Simulate > maxConsoles {
		return &api.Error{Code: "usage", Message: fmt.Sprintf("0 to %d consoles can be simulated", maxConsoles)}
	}
	var err error
	if s.installation, err = s.State.InstallationID(); err != nil {
		return err
	}
	s.mdns = mdns.New(&mdns.Options{Interfaces: s.Config.HomeKit.Interfaces, Log: s.Log})
	defer s.mdns.Close()
	simulated, err := s.startSimulators()
	defer func() {
		for _, c := range simulated {
			_ = c.Close()
		}
	}()
	if err != nil {
		return err
	}
	s.simulated = simulated
	if err := s.listenUDP(ctx); err != nil {
		return err
	}
	defer func() { _ = s.network.Close() }()
	return s.run(ctx, simulated)
}

func newServer(o Options) *server {
	s := &server{Options: o, files: files{o.State, o.Log}, units: map[string]*unit{}, refused: map[string]error{}, grown: make(chan struct{}, 1)}
	s.guard = sync.OnceValues(s.newGuard)
	s.latest.Store(o.Config)
	return s
}

func (s *server) run(ctx context.Context, simulated []*ps4test.Console) error {
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.group, ctx = errgroup.WithContext(ctx)
	s.life = ctx
	s.group.Go(func() error { s.events.Run(ctx); return nil })
	s.openArt()
	if err := s.start(ctx, simulated); err != nil {
		s.group.Go(func() error { return err })
	}
	return s.group.Wait()
}

// start brings up everything that the server is ready with, then what finds more, and
// says so.
func (s *server) start(ctx context.Context, simulated []*ps4test.Console) error {
	listening := make(chan error, 1)
	go func() { listening <- s.listen(ctx) }() // beside the consoles, which take as long
	for _, c := range s.knownConsoles(simulated) {
		_ = s.startUnit(ctx, c)
	}
	if err := <-listening; err != nil {
		return err
	}
	s.awaitFirst(ctx)
	s.startCompanion(ctx)
	s.started.Store(true)
	s.group.Go(func() error { s.discover(ctx); return nil })
	s.group.Go(func() error { s.followConfig(ctx); return nil })
	s.group.Go(func() error { s.feedWatchdog(ctx); return nil })
	if s.Ready != nil {
		list, err := s.Homekit(ctx)
		if err != nil {
			return err
		}
		s.Ready(Greeting{list, s.page})
	}
	notifyReady()
	return nil
}

// listen opens the address of web.listen and the socket.
func (s *server) listen(ctx context.Context) error {
	site, ln, err := s.listenSite(ctx)
	if err != nil {
		return err
	}
	socket, err := api.ListenSocket(ctx, SocketPath(s.State.Dir()))
	if err != nil {
		_ = ln.Close()
		return err
	}
	s.group.Go(func() error { return api.Serve(ctx, ln, site, s.httpLog()) })
	s.group.Go(func() error {
		return api.Serve(ctx, socket, forOwner(api.Handler(api.Services{Backend: s, Page: s, Explain: Explain})), s.httpLog())
	})
	return nil
}

// SocketPath is where a server with that state directory listens.
func SocketPath(stateDir string) string { return filepath.Join(stateDir, "control.sock") }

// unready lists what /readyz waits for.
func (s *server) unready() []string {
	if !s.started.Load() {
		return []string{"the server is starting"}
	}
	var lacks []string
	for _, u := range s.list() {
		if why := u.unready(); why != "" {
			lacks = append(lacks, u.hostID+": "+why)
		}
	}
	for _, hostID := range s.refusals() {
		lacks = append(lacks, hostID+": it is not offered to HomeKit, the log says why")
	}
	if err := s.State.Writable(); err != nil {
		lacks = append(lacks, "the state directory cannot be written")
	}
	return lacks
}

func (s *server) debugf(part string) func(string, ...any) {
	log := s.Log.WithField("part", part)
	return func(format string, args ...any) { log.Debugf(format, args...) }
}

// keepToLoopback keeps a server with simulated consoles off real networks.
func (s *server) keepToLoopback(o *ps4.Options) {
	o.Bind = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	o.Broadcast = slices.DeleteFunc(slices.Clone(o.Broadcast), func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
	for _, c := range s.simulated {
		o.Broadcast = append(o.Broadcast, c.Addr())
	}
}

// listenUDP opens the socket through which all consoles are asked.
func (s *server) listenUDP(ctx context.Context) (err error) {
	o := s.ps4Options()
	s.network, err = ps4.Listen(ctx, &o)
	return err
}

// localPort returns the UDP port to ask from. Simulated consoles need none in
// particular, and leave that of real ones alone.
func (s *server) localPort() int {
	if s.Simulate > 0 || s.Config.Discovery.LocalPort == 0 {
		return ps4.AnyPort
	}
	return int(s.Config.Discovery.LocalPort)
}

// ps4Options are the options of every console that says nothing else.
func (s *server) ps4Options() ps4.Options {
	o := ps4.Options{
		LocalPort:  s.localPort(),
		Broadcast:  s.Config.Discovery.Broadcast,
		Interfaces: s.Config.Discovery.Interfaces,
		ServerKey:  s.Config.ConsoleKey,
		Idle:       s.Config.Session.Idle,
		Logf:       s.debugf("ps4"),
		Warnf:      s.Log.Warnf,
		Counters:   &s.searches,
	}
	for _, a := range s.Config.Discovery.Broadcast {
		if a == netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), ps4.DefaultPort) {
			o.Broadcast = append(slices.Clone(o.Broadcast), netip.AddrPortFrom(a.Addr(), ps4.PortPS5)) // on the same networks
		}
	}
	if s.Simulate > 0 {
		s.keepToLoopback(&o)
	}
	s.override.apply(&o)
	return o
}

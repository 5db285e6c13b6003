package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/mdns"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// Options of Run. Config, State and Log are required.
type Options struct {
	Config   *config.Config
	State    *state.Store // open, and so locked; Run closes it
	Simulate int          // simulated consoles to add
	Log      *logrus.Logger
	Version  string // of this program
	Command  string // runs ps4kit on this state; empty: ps4kit
	// Ready is called once, when the HAP server of every known console listens.
	// Its argument has secrets, which must not be logged.
	Ready func(Greeting)
	// Needs is called when an accessory appears after Ready, or was there then,
	// and again when what it needs changes. Its argument has secrets, too.
	Needs func(Setup)
	// Reload delivers changes of the configuration, see followConfig.
	Reload <-chan *config.Config
	// PhoneAddr is where the phone app looks for consoles. The zero value is UDP
	// port 987 of every address.
	PhoneAddr netip.AddrPort
}

// server is the life cycle of `ps4kit serve`: the order in which the parts
// start and stop.
type server struct {
	Options
	*parts
	updates  *updates
	greeting Page
	stop     context.CancelFunc // ends the server; see restarting

	configuring    sync.Mutex    // held while latest changes
	started        atomic.Bool   // every console that was known at the start had its turn
	restarting     atomic.Bool   // the server starts again once it has ended
	wrongPasswords atomic.Uint64 // shown to the page
}

// Run serves until ctx is done, then stops everything, closes the state and
// returns nil. It fails when it cannot listen or write the state. A console
// whose own files are damaged is logged and left out. After a restore or
// Restart it starts again, with the latest configuration.
func Run(ctx context.Context, o Options) error {
	defer notify(daemon.SdNotifyStopping)
	log := &api.Log{}
	o.Log.AddHook(logHook{log})
	for {
		if contents := o.State.Restored(); contents != nil {
			o.Log.WithFields(logrus.Fields{"created": contents.Created, "files": len(contents.Files)}).Info("restored a backup")
		}
		s := &server{Options: o}
		err := errors.Join(s.serve(ctx, log), o.State.Close())
		if err != nil || !s.restarting.Load() {
			return err
		}
		if o.State, err = reopen(ctx, o.State.Dir(), o.Log); err != nil {
			return fmt.Errorf("opening the state after a restart: %w", err)
		}
		o.Config, o.Ready = s.latest.Load(), nil
	}
}

// serve runs the server once.
func (s *server) serve(ctx context.Context, log *api.Log) error {
	if s.Simulate < 0 || s.Simulate > maxConsoles {
		return &api.Error{Code: "usage", Message: fmt.Sprintf("0 to %d consoles can be simulated", maxConsoles)}
	}
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	group, ctx := errgroup.WithContext(ctx)
	e := newEnv(s.Config, s.State, s.Log, api.NewEvents(ctx, log))
	simulated, err := startSimulators(e, s.Simulate)
	defer func() {
		for _, c := range simulated {
			_ = c.Close()
		}
	}()
	if err != nil {
		return err
	}
	e.simulated = simulated
	responder := mdns.New(&mdns.Options{Interfaces: e.config.HomeKit.Interfaces, Log: s.Log})
	defer responder.Close()

	s.parts, err = newParts(tasks{ctx, group}, e, Override{}, responder)
	if err != nil {
		return err
	}
	defer func() { _ = s.network.Close() }()
	s.setup.phone = s.PhoneAddr
	if e.simulating() && !s.PhoneAddr.IsValid() {
		s.setup.phone = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ps4.DefaultPort)
	}
	s.updates = &updates{env: e, version: s.Version}
	setLogLevel(s.Log, s.config)
	s.openArt(false)
	s.run(s.updates.run)
	if err := s.start(ctx); err != nil {
		group.Go(func() error { return err })
	}
	return group.Wait()
}

// start starts what the server needs to be ready, then what finds more
// consoles, and reports that it is ready.
func (s *server) start(ctx context.Context) error {
	listening := make(chan error, 1)
	go func() { listening <- s.listen(ctx) }() // in parallel: the consoles take as long
	for _, k := range s.registry.known() {
		if s.registry.publishes(k) {
			s.registry.start(k)
		}
	}
	if err := <-listening; err != nil {
		return err
	}
	s.registry.awaitFirst(ctx)
	s.homekit.startCompanion()
	s.started.Store(true)
	s.run(s.registry.discover)
	s.run(s.followConfig)
	s.run(s.feedWatchdog)
	if s.Ready != nil {
		s.Ready(Greeting{s.homekit.list(), s.greeting})
	}
	if s.Needs != nil {
		s.run(s.followNeeds)
	}
	notify(daemon.SdNotifyReady)
	return nil
}

// listen opens the address of web.listen and the socket.
func (s *server) listen(ctx context.Context) error {
	services := api.Services{Backend: backend{s.commands, s.setup}, Page: page{s.setup, s}, Events: s.events, Explain: Explain}
	site, ln, err := s.listenSite(ctx, services)
	if err != nil {
		return err
	}
	socket, err := api.ListenSocket(ctx, SocketPath(s.State.Dir()))
	if err != nil {
		_ = ln.Close()
		return err
	}
	s.group.Go(func() error { return api.Serve(ctx, ln, site, httpLogger(s.Log)) })
	s.group.Go(func() error { return api.Serve(ctx, socket, api.Handler(services), httpLogger(s.Log)) })
	return nil
}

// SocketPath returns where a server with a state directory listens.
func SocketPath(stateDir string) string { return filepath.Join(stateDir, "control.sock") }

// unready lists what /readyz waits for.
func (s *server) unready() []string {
	if !s.started.Load() {
		return []string{"the server is starting"}
	}
	var lacks []string
	for _, u := range s.registry.list() {
		if u.hap != nil && !u.hap.listening.Load() {
			lacks = append(lacks, u.hostID+": its HomeKit server does not listen")
		}
	}
	for _, hostID := range slices.Sorted(maps.Keys(s.registry.refusals())) {
		lacks = append(lacks, hostID+": it is not offered to HomeKit, the log says why")
	}
	if err := s.State.Writable(); err != nil {
		lacks = append(lacks, "the state directory cannot be written")
	}
	return lacks
}

const (
	lockPatience = 2 * time.Minute        // longer than any command that found no server holds the state
	lockRetry    = 200 * time.Millisecond // between two attempts
)

// reopen opens a state directory, waiting while another process owns it.
func reopen(ctx context.Context, dir string, log logrus.FieldLogger) (*state.Store, error) {
	for end := time.Now().Add(lockPatience); ; {
		store, err := state.Open(dir, &state.Options{Warn: func(err error) { log.Warn(err) }})
		if !errors.Is(err, state.ErrLocked) || time.Now().After(end) || !pause(ctx, lockRetry) {
			return store, err
		}
	}
}

// logHook copies the log to the page.
type logHook struct{ log *api.Log }

// Levels implements logrus.Hook.
func (logHook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (h logHook) Fire(entry *logrus.Entry) error {
	line := api.LogLine{Time: entry.Time, Level: levelOf(entry.Level), Message: entry.Message, Fields: map[string]string{}}
	for name, value := range entry.Data {
		line.Fields[name] = fmt.Sprint(value)
	}
	h.log.Add(line)
	return nil
}

// levelOf returns the name of a level in log.level.
func levelOf(l logrus.Level) string {
	switch {
	case l <= logrus.ErrorLevel:
		return "error"
	case l == logrus.WarnLevel:
		return "warn"
	case l == logrus.InfoLevel:
		return "info"
	}
	return "debug"
}

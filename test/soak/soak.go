package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	web "github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

// soak is one run.
type soak struct {
	options
	dir    string
	rng    *rand.Rand // of the order of the storms
	began  time.Time
	server *server
	places []*place
	ledger *ledger
	watch  *watch

	// gate is held for reading by who gives commands, for writing while it is calm.
	gate  sync.RWMutex
	stop  context.CancelFunc // of who gives commands
	crowd sync.WaitGroup
	full  atomic.Bool // the disk is

	impatience context.CancelFunc // ends season

	mu       sync.Mutex
	season   context.Context //nolint:containedctx // of those who wait for commands, see patience
	now      string          // the storm
	counts   map[string]int
	failures []string
}

// newSoak starts the consoles; the server comes in prepare.
func newSoak(o options, dir string) (*soak, error) {
	s := &soak{
		options: o, dir: dir, rng: random(o.seed, "storms"), began: time.Now(),
		ledger: newLedger(), watch: &watch{}, counts: map[string]int{}, now: "start",
	}
	for i := range o.consoles {
		p, err := newPlace(i, random(o.seed, fmt.Sprint("place", i)))
		if err != nil {
			return nil, err
		}
		s.places = append(s.places, p)
	}
	if err := s.writeConfig(); err != nil {
		return nil, err
	}
	s.impatience = s.newPatience()
	var err error
	s.server, err = newServer(s)
	return s, err
}

// random is a source of its own for each part, so that one part's timing does not
// change the choices of another.
func random(seed uint64, part string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(part) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h)) //nolint:gosec // repeatable on purpose
}

// webAddress is where health is served; the network is our own.
const webAddress = "127.0.0.1:8990"

func (s *soak) configFile() string { return filepath.Join(s.dir, "config.yaml") }

// writeConfig writes a configuration that knows each console by its host id, and all
// the addresses at which it may turn up.
func (s *soak) writeConfig() error {
	key := filepath.Join(s.dir, "console.pem")
	if err := os.WriteFile(key, s.places[0].console.PublicKeyPEM(), 0o600); err != nil {
		return fmt.Errorf("console key: %w", err)
	}
	var consoles, addresses strings.Builder
	for _, p := range s.places {
		fmt.Fprintf(&consoles, "  - {host_id: %s, address: %s, name: %s, credential: %s, titles: [", p.hostID, p.addrs[0], p.name, strings.Repeat("5a", 32))
		for _, t := range titles {
			fmt.Fprintf(&consoles, "{id: %s, name: %s}, ", t.ID, t.Name)
		}
		consoles.WriteString("]}\n")
		for _, a := range p.addrs {
			fmt.Fprintf(&addresses, "%q, ", a+":987")
		}
	}
	config := fmt.Sprintf(`consoles:
%sdiscovery: {interval: 1s, broadcast: [%s]}
poll: {interval: 1s, misses: 3}
session: {idle: 3s}
homekit: {interfaces: [%s]}
art: {enabled: false}
web: {listen: "%s"}
log: {level: info, format: json}
console_key: %s
`, consoles.String(), strings.TrimSuffix(addresses.String(), ", "), network, webAddress, key)
	if err := os.WriteFile(s.configFile(), []byte(config), 0o600); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// prepare starts the server, pairs with every console and lets the crowd in.
func (s *soak) prepare(ctx context.Context) error {
	if err := s.server.start(ctx, s.bin); err != nil {
		return err
	}
	for _, p := range s.places {
		if err := s.pair(ctx, p); err != nil {
			return fmt.Errorf("pairing with %s: %w", p.name, err)
		}
	}
	if !s.calm(ctx) {
		return errors.New(strings.Join(s.failures, "\n"))
	}
	ctx, s.stop = context.WithCancel(ctx)
	for _, p := range s.places {
		s.crowd.Go(func() { s.commander(ctx, p) })
		s.crowd.Go(func() { s.editor(ctx, p) })
		for n := range phonesEach {
			s.crowd.Go(func() { s.phone(ctx, p, n) })
		}
	}
	s.crowd.Go(func() { s.watchHealth(ctx) })
	return nil
}

// failed returns how many failures there are so far.
func (s *soak) failed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failures)
}

// close ends what is left.
func (s *soak) close() {
	s.server.close()
	for _, p := range s.places {
		_ = p.console.Close()
	}
}

// fail notes what must not happen.
func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%v, %s: %s", time.Since(s.began).Round(time.Millisecond), s.now, fmt.Sprintf(format, args...))
	fmt.Println("FAIL", line)
	if len(s.failures) < 100 {
		s.failures = append(s.failures, line)
	}
}

// api is a client of the server's socket.
func (s *soak) api(ctx context.Context) (*web.Client, error) {
	return web.Connect(ctx, app.SocketPath(stateDir(s.dir))) //nolint:wrapcheck // judged by who asks
}

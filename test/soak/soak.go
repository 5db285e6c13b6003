package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/test/hapclient"
	"github.com/ps4kit/ps4kit/test/netns"
)

// webAddress is where the server serves its page, in the soak's own network.
const webAddress = "127.0.0.1:8990"

// soak is one run.
type soak struct {
	options
	dir    string
	rng    *rand.Rand // of the order of the storms
	began  time.Time
	server *server
	places []*place
	full   atomic.Bool // the disk is full

	// gate is held for reading while a command runs, for writing during a calm.
	gate sync.RWMutex
	// patience ends when the commands under way are to be given up. It changes
	// during a calm.
	patience context.Context //nolint:containedctx // as above
	giveUp   context.CancelFunc

	crowd     sync.WaitGroup
	stopCrowd context.CancelFunc

	mu       sync.Mutex
	storm    string
	stormed  map[string]int
	accounts map[string]*account
	refusals map[string]int
	failures []string
	health   health
	samples  []sample
}

// newSoak starts the consoles. prepare starts the server.
func newSoak(o options, dir string) (*soak, error) {
	s := &soak{
		options: o, dir: dir, rng: random(o.seed, "storms"), began: time.Now(),
		storm: "start", stormed: map[string]int{}, accounts: map[string]*account{}, refusals: map[string]int{},
	}
	s.patience, s.giveUp = context.WithCancel(context.Background())
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
	var err error
	s.server, err = newServer(s)
	return s, err
}

// random returns a source for one part of the soak, so that the timing of one
// part doesn't change the choices of another.
func random(seed uint64, part string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(part))
	return rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // repeatable on purpose
}

// writeConfig writes a configuration that names each console by its host id,
// and searches all the addresses where it may be.
func (s *soak) writeConfig() error {
	key := filepath.Join(s.dir, "console.pem")
	if err := os.WriteFile(key, s.places[0].console.PublicKeyPEM(), 0o600); err != nil {
		return err
	}
	var consoles strings.Builder
	var addresses []string
	for _, p := range s.places {
		fmt.Fprintf(&consoles, "  - {host_id: %s, address: %s, name: %s, credential: %s, titles: [", p.hostID, p.addrs[0], p.name, strings.Repeat("5a", 32))
		for _, t := range titles {
			fmt.Fprintf(&consoles, "{id: %s, name: %s}, ", t.ID, t.Name)
		}
		consoles.WriteString("]}\n")
		for _, a := range p.addrs {
			addresses = append(addresses, `"`+a+`:987"`)
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
`, consoles.String(), strings.Join(addresses, ", "), netns.Interface, webAddress, key)
	return os.WriteFile(filepath.Join(s.dir, "config.yaml"), []byte(config), 0o600)
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
	ctx, s.stopCrowd = context.WithCancel(ctx)
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

func (s *soak) close() {
	s.server.close()
	for _, p := range s.places {
		_ = p.console.Close()
	}
}

// fail records what must not happen.
func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%v, %s: %s", time.Since(s.began).Round(time.Millisecond), s.storm, fmt.Sprintf(format, args...))
	fmt.Println("FAIL", line)
	if len(s.failures) < 100 {
		s.failures = append(s.failures, line)
	}
}

func (s *soak) failed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failures)
}

// outcome is how a command ended for the client that gave it.
type outcome int

const (
	done     outcome = iota
	refused          // by the server
	cut              // by a kill or stop of the server
	givenUp          // by the client
	lost             // none of these, which must not happen
	outcomes = iota
)

// account counts the commands of one kind.
type account struct {
	issued  int
	ended   [outcomes]int
	slowest time.Duration
}

var errGivenUp = errors.New("given up")

// command gives a command while there is no calm, and accounts for it. It gives
// none while the server is down, or in another life than the given one: the
// outcome is then cut, and nothing is counted. Life 0 is any.
func (s *soak) command(life int64, kind string, do func() error) (outcome, error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if now, _ := s.server.isUp(); life != 0 && now != life {
		return cut, context.Canceled
	}
	return s.issue(kind, do)
}

// issue gives a command, also during a calm.
func (s *soak) issue(kind string, do func() error) (o outcome, err error) {
	life, up := s.server.isUp()
	if !up {
		return cut, context.Canceled
	}
	s.mu.Lock()
	a := s.accounts[kind]
	if a == nil {
		a = &account{}
		s.accounts[kind] = a
	}
	a.issued++
	s.mu.Unlock()
	began := time.Now()
	err = do()
	took := time.Since(began)
	var (
		api    *apiError
		status *hapclient.StatusError
		pair   hapclient.PairError
	)
	switch now, _ := s.server.isUp(); {
	case err == nil:
		o = done
	case errors.As(err, &api) || errors.As(err, &status) || errors.As(err, &pair):
		o = refused
	case errors.Is(err, errGivenUp):
		o = givenUp
	case now != life:
		o = cut
	default:
		o = lost
		s.fail("%s: no answer, and the server was not killed: %v", kind, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.ended[o]++
	a.slowest = max(a.slowest, took)
	if o == refused {
		s.refusals[kind+": "+err.Error()]++
	}
	return o, err
}

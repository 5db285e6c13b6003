//go:build linux

// Package network_test runs ps4kit against consoles on other machines of a
// network: network namespaces, joined by a bridge, with no way out.
//
//	ps4kit serve 192.0.2.1 ──┐
//	console      192.0.2.20 ─┤ bridge
//	another      192.0.2.40 ─┤
//	router      192.0.2.254 ─┴── 203.0.113.0/24
//
// The consoles are console.py, which shares no code with ps4kit.
package network_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
	"github.com/ps4kit/ps4kit/test/need"
	"github.com/ps4kit/ps4kit/test/netns"
)

// limit bounds each test. The longest take a little over a minute on a machine
// that has nothing else to do.
const limit = 5 * time.Minute

const (
	serverAddr = "192.0.2.1"
	denAddr    = "192.0.2.20"
	atticAddr  = "192.0.2.30"
	newAddr    = "192.0.2.40"
	thirdAddr  = "192.0.2.66"
	farAddr    = "203.0.113.66"

	denID   = "A0B1C2D3E4F5"
	atticID = "A0B1C2D3E4F6"
	deadID  = "A0B1C2D3E4F7"

	credential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // the tests mostly wait
	peer.Main(m)
}

// isolate returns true in a namespace of the test's own: see peer.Isolate.
func isolate(t *testing.T) bool {
	t.Helper()
	t.Parallel()
	need.Make(t, "e2e")
	need.Tools(t, "python3")
	return peer.Isolate(t, limit)
}

// lan is the network. The test's own namespace is the server's machine.
type lan struct {
	t     *testing.T
	sw    peer.Machine // has the bridge
	ports int
}

func newLAN(t *testing.T) *lan {
	t.Helper()
	l := &lan{t: t, sw: peer.NewMachine(t)}
	l.sw.Shell(t, "ip link add br0 type bridge; ip link set br0 up")
	peer.Shell(t, fmt.Sprintf(`
ip route del 255.255.255.255/32 dev lo
ip link del %s
ip link add lan0 type veth peer name port0 netns %d
`, netns.Interface, l.sw.PID))
	l.sw.Shell(t, "ip link set port0 master br0 up")
	peer.Shell(t, "ip link set lan0 up; "+serverRoutes)
	return l
}

// serverRoutes gives the server's machine its address, and a default route as
// every machine has one: it is what 255.255.255.255 leaves by.
const serverRoutes = "ip addr add 192.0.2.1/24 broadcast + dev lan0; ip route add default via 192.0.2.254"

// machine adds a machine with an address.
func (l *lan) machine(addr string) peer.Machine {
	l.t.Helper()
	l.ports++
	m := peer.NewMachine(l.t)
	l.sw.Shell(l.t, fmt.Sprintf("ip link add port%d type veth peer name lan0 netns %d; ip link set port%[1]d master br0 up", l.ports, m.PID))
	m.Shell(l.t, "ip link set lo up; ip link set lan0 up; ip addr add "+addr+"/24 broadcast + dev lan0")
	return m
}

// farMachine adds a machine with an address on another network, behind a router.
func (l *lan) farMachine(addr string) peer.Machine {
	l.t.Helper()
	router, m := l.machine("192.0.2.254"), peer.NewMachine(l.t)
	router.Shell(l.t, fmt.Sprintf(`
ip link add far0 type veth peer name lan0 netns %d
ip addr add 203.0.113.1/24 dev far0
ip link set far0 up
echo 1 > /proc/sys/net/ipv4/ip_forward
`, m.PID))
	m.Shell(l.t, "ip link set lo up; ip link set lan0 up; ip addr add "+addr+"/24 dev lan0; ip route add default via 203.0.113.1")
	return m
}

// console is a running console.py.
type console struct {
	*peer.Driver
	machine peer.Machine

	mu  sync.Mutex
	got []datagram
}

// datagram is one that a console received.
type datagram struct {
	At       float64 // seconds since 1970
	Kind     string  // SRCH, WAKEUP, LAUNCH
	From     string
	Port     int
	To       string
	Answered bool
}

func (d datagram) searched() bool { return strings.HasSuffix(d.To, ".255") }

// console starts a console on a machine. Settings are those of console.py.
func (l *lan) console(m peer.Machine, settings peer.Args) *console {
	l.t.Helper()
	if settings == nil {
		settings = peer.Args{}
	}
	initial, err := json.Marshal(settings)
	if err != nil {
		l.t.Fatal(err)
	}
	c := &console{machine: m}
	c.Driver = peer.StartDriver(l.t, ".", m.On("python3", "console.py", string(initial)), func(line []byte) {
		var d datagram
		if err := json.Unmarshal(line, &d); err != nil {
			l.t.Errorf("console.py said %q", line)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got = append(c.got, d)
	})
	c.set(nil) // it has started when it answers
	return c
}

// set changes settings and returns when they took effect.
func (c *console) set(settings peer.Args) time.Time {
	var at float64
	c.Do("set", settings, &at)
	return clock(at)
}

func clock(seconds float64) time.Time { return time.Unix(0, int64(seconds*1e9)) }

// datagrams returns what the console received from a time on.
func (c *console) datagrams(from time.Time) []datagram {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.got), func(d datagram) bool { return clock(d.At).Before(from) })
}

// count returns how many datagrams satisfy a condition.
func count(list []datagram, match func(datagram) bool) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(d datagram) bool { return !match(d) }))
}

func polled(d datagram) bool { return d.Kind == "SRCH" && !d.searched() }

// server is a running `ps4kit serve` with what its API tells about consoles.
type server struct {
	*peer.Server
	t    *testing.T
	dir  string
	http *http.Client

	mu      sync.Mutex
	changed chan struct{}
	history map[string][]view // by host id
}

// view is a console as the API shows it.
type view struct {
	at      time.Time
	HostID  string `json:"host_id"`
	State   string `json:"state"`
	Address string `json:"address"`
}

// serve starts a server that knows the given consoles, each an entry of
// `consoles` in config.yaml, and follows its events. The settings are lines of
// config.yaml.
func (l *lan) serve(consoles []string, settings ...string) *server {
	l.t.Helper()
	dir := l.t.TempDir()
	config := []string{
		"homekit: {bind: 127.0.0.1, interfaces: [lo]}",
		`web: {listen: "127.0.0.1:0"}`,
		"art: {enabled: false}",
		"consoles: [" + strings.Join(consoles, ", ") + "]",
	}
	peer.WriteFile(l.t, filepath.Join(dir, "config.yaml"), strings.Join(append(config, settings...), "\n")+"\n")
	s := &server{
		Server: peer.StartServer(l.t, dir), t: l.t, dir: dir,
		changed: make(chan struct{}, 1), history: map[string][]view{},
	}
	s.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "state", "control.sock"))
	}}}
	body := s.get("http://ps4kit/api/v1/events", s.http)
	done := make(chan struct{})
	go func() { defer close(done); s.follow(body) }()
	l.t.Cleanup(func() { _ = body.Close(); <-done })
	return s
}

// known is an entry for serve.
func known(name, addr, id string) string {
	return fmt.Sprintf("{name: %s, address: %s, host_id: %s, credential: %s}", name, addr, id, credential)
}

func (s *server) get(url string, client *http.Client) io.ReadCloser {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", url, answer.Status)
	}
	return answer.Body
}

// follow reads the events.
func (s *server) follow(body io.Reader) {
	name := ""
	for lines := bufio.NewScanner(body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "event":
			name = value
		case field == "data" && name == "overview":
			var all struct{ Consoles []view }
			s.note(json.Unmarshal([]byte(value), &all), all.Consoles...)
		case field == "data" && name == "console":
			var one view
			s.note(json.Unmarshal([]byte(value), &one), one)
		}
	}
}

// note adds to the history of each console what is new of its state and address.
func (s *server) note(err error, views ...view) {
	if err != nil {
		s.t.Errorf("events: %v", err)
	}
	s.mu.Lock()
	for _, v := range views {
		v.at = time.Now()
		h := s.history[v.HostID]
		if len(h) == 0 || h[len(h)-1].State != v.State || h[len(h)-1].Address != v.Address {
			s.history[v.HostID] = append(h, v)
		}
	}
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// told returns what the API told about a console: the time since the first
// event, state and address, whenever one of these changed.
func (s *server) told(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, v := range s.history[id] {
		list = append(list, fmt.Sprintf("%.1fs %s %s", v.at.Sub(s.history[id][0].at).Seconds(), v.State, v.Address))
	}
	return list
}

// now returns what the API told last.
func (s *server) now(id string) view {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.history[id]; len(h) > 0 {
		return h[len(h)-1]
	}
	return view{}
}

// waitFor waits until the API tells a state and an address of a console, and
// returns when it did.
func (s *server) waitFor(id, state, addr string) time.Time {
	s.t.Helper()
	for timeout := time.After(30 * time.Second); ; {
		if v := s.now(id); v.State == state && v.Address == addr {
			return v.at
		}
		select {
		case <-s.changed:
		case <-timeout:
			s.t.Fatalf("%s does not become %s at %s within 30 s; told: %q", id, state, addr, s.told(id))
		}
	}
}

// run runs a command beside the server.
func (s *server) run(words ...string) (stdout string, code int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), peer.Binary(s.t), append(s.Globals(), words...)...)
	cmd.Env = peer.CleanEnv(s.dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	if stderr.Len() > 0 {
		s.t.Logf("ps4kit %s: %s", strings.Join(words, " "), strings.TrimSpace(stderr.String()))
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// warnings returns the lines of the log with level warning that contain a text.
func (s *server) warnings(text string) []string {
	var list []string
	for line := range strings.Lines(s.Log.String()) {
		if strings.Contains(line, "level=warn") && strings.Contains(line, text) {
			list = append(list, line)
		}
	}
	return list
}

// metric returns the sum of the samples whose name and labels match.
func (s *server) metric(pattern string) float64 {
	s.t.Helper()
	body := s.get("http://"+s.Page()+"/metrics", http.DefaultClient)
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		s.t.Fatal(err)
	}
	sum := 0.0
	for _, m := range regexp.MustCompile(`(?m)^`+pattern+` (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			s.t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// percentile returns the q-th quantile, 0 to 1, by the nearest rank.
func percentile(list []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

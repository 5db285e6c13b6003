package app_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/web"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// TestMain runs more tests side by side than there are processors: they wait
// for consoles and searches most of the time. The flag -parallel still wins.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const credential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"

// patience bounds every wait; it is never waited out when things work.
const patience = 3 * time.Minute

// loopback keeps a server off every real network.
const loopback = `
discovery: {enabled: false}
poll: {interval: 200ms}
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
`

// log collects what a server logs.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func load(t *testing.T, yaml string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	c.Discovery.LocalPort = 0 // tests run side by side
	return c
}

func open(t *testing.T, dir string) *state.Store {
	t.Helper()
	store, err := state.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// running is a server that is ready.
type running struct {
	t     *testing.T
	log   *log
	list  []api.Accessory // at the moment when it was ready
	page  app.Page
	stop  func() // ends it, once, and demands that it ends well
	api   *api.Client
	state string
}

// serve runs a server in the state directory until the test ends.
func serve(t *testing.T, dir, yaml string, simulate int) *running {
	t.Helper()
	return serveWith(t, dir, yaml, func(o *app.Options) { o.Simulate = simulate })
}

// savePassword saves a first password in a new state, with a hash of the lowest
// cost, because one of the usual cost takes a core 0.1 s.
func savePassword(t *testing.T, store *state.Store) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(store.Dir(), "web.json")); err == nil {
		return
	}
	file := state.Document(store, "web", state.DocumentOptions[web.Saved]{Secret: true})
	const first = "abcd-efgh-2345"
	hash, err := bcrypt.GenerateFromPassword([]byte(first), bcrypt.MinCost)
	if err == nil {
		err = file.Save(web.Saved{FirstPassword: first, PasswordHash: string(hash)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// simulatorKey returns the key of the simulated consoles of all tests, because
// generating one takes a core 0.2 s.
var simulatorKey = sync.OnceValues(func() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
})

func saveSimulatorKey(t *testing.T, dir string) {
	t.Helper()
	key, err := simulatorKey()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "simulator.pem"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// serveWith is serve with other options.
func serveWith(t *testing.T, dir, yaml string, more func(*app.Options)) *running {
	t.Helper()
	r := &running{t: t, log: &log{}, state: dir}
	logger := logrus.New()
	logger.SetOutput(r.log)
	logger.SetLevel(logrus.DebugLevel)
	store := open(t, dir)
	savePassword(t, store)
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan app.Greeting, 1), make(chan error, 1)
	o := app.Options{
		Config: load(t, yaml), State: store, Log: logger, Version: "v9",
		Ready: func(g app.Greeting) { ready <- g },
	}
	more(&o)
	if o.Simulate > 0 {
		saveSimulatorKey(t, dir)
	}
	go func() { done <- errors.Join(app.Run(ctx, o), store.Close()) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(time.Minute): // it takes seconds on a loaded machine with the race detector
			t.Error("the server does not stop")
		}
	})
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			t.Log(r.log)
		}
	})
	select {
	case g := <-ready:
		r.list, r.page = g.Accessories, g.Page
	case err := <-done:
		done <- nil
		t.Fatalf("Run: %v\n%s", err, r.log)
	case <-time.After(patience):
		t.Fatalf("not ready\n%s", r.log)
	}
	client, err := api.Connect(t.Context(), app.SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	r.api = client
	return r
}

// shortDir returns a state directory whose path leaves room for the socket's. It
// is in memory if the system has /dev/shm: servers save a lot, and internal/state
// tests what reaches the disk.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ps4kit")
	if err != nil {
		dir, err = os.MkdirTemp("", "ps4kit")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "state")
}

func get(t *testing.T, r *running, path string) (int, string) {
	t.Helper()
	address := regexp.MustCompile(`page is served" address="(127\.0\.0\.1:\d+)"`).FindStringSubmatch(r.log.String())
	if address == nil {
		t.Fatalf("no address in the log:\n%s", r.log)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address[1]+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestSimulatedConsolesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	first := serve(t, dir, loopback, 3)
	if len(first.list) != 3 {
		t.Fatalf("%d consoles instead of 3", len(first.list))
	}
	if status, body := get(t, first, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
	first.stop()
	second := serve(t, dir, loopback, 3)
	for i, was := range first.list {
		now := second.list[i]
		if now.HostID != was.HostID || now.DeviceID != was.DeviceID || now.Port != was.Port || now.SetupCode != was.SetupCode {
			t.Errorf("after a restart %+v, before %+v", now, was)
		}
		if now.Address != "127.0.0.1" || now.Port < 20000 || now.Port > 32767 {
			t.Errorf("address %s port %d", now.Address, now.Port)
		}
	}
	for _, a := range first.list {
		if strings.Contains(first.log.String()+second.log.String(), a.SetupCode) {
			t.Error("the log holds a setup code")
		}
	}
}

func TestFixedPorts(t *testing.T) {
	t.Parallel()
	first := serve(t, shortDir(t), loopback, 1).list[0].Port // a port that was free a moment ago, with free ones around it
	if first += 100; first > 32700 {                         // the highest is 32767
		first -= 200
	}
	yaml := strings.Replace(loopback, "homekit: {", fmt.Sprintf("homekit: {port: %d, ", first), 1)
	dir := shortDir(t)
	r := serve(t, dir, yaml, 2)
	ports := map[int]bool{r.list[0].Port: true, r.list[1].Port: true}
	if !ports[first] || !ports[first+1] {
		t.Errorf("ports %v instead of %d and %d", ports, first, first+1)
	}
}

func TestDamagedFileStopsOneConsole(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	r := serve(t, dir, loopback, 2)
	r.stop()
	damaged := r.list[0].HostID
	file := filepath.Join(dir, "homekit", damaged+".json")
	damage(t, file, `{"version":1,"data":{"port":1,`)
	again := serve(t, dir, loopback, 2)
	if len(again.list) != 1 || again.list[0].HostID == damaged {
		t.Fatalf("consoles after the damage: %+v", again.list)
	}
	if !strings.Contains(again.log.String(), damaged) || !strings.Contains(again.log.String(), "damaged") {
		t.Errorf("the log does not tell of the damage:\n%s", again.log)
	}
	if status, body := get(t, again, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, damaged) {
		t.Errorf("/readyz with a console that is not offered: %d %s", status, body)
	}
	if _, overview := told(t, again, http.MethodGet, "/overview", ""); !strings.Contains(overview, `"code":"damaged"`) || !strings.Contains(overview, `"hint":"Remove`) ||
		!strings.Contains(overview, `"protocol":"second_screen","can":{"titles":true`) {
		t.Errorf("the page does not tell of the damage: %s", overview)
	}
	events := follow(t, again, "")
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"port":1,`) {
		t.Errorf("the damaged file was touched: %q, %v", text, err)
	}
	if err := api.ResetHomekit.Do(t.Context(), again.api, api.HostRequest{Host: damaged}); err != nil {
		t.Fatal(err)
	}
	events.card("the console is offered again", func(c api.Card) bool { return c.HostID == damaged && c.Offered && c.LastError == nil })
}

// TestDamagedInputsBeginAnew: a console is served without what was remembered of its inputs, which is set aside.
func TestDamagedInputsBeginAnew(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	r := serve(t, dir, loopback, 1)
	r.stop()
	file := filepath.Join(dir, "inputs", r.list[0].HostID+".json")
	const junk = `{"version":1,"data":{"x`
	damage(t, file, junk)
	again := serve(t, dir, loopback, 1)
	if len(again.list) != 1 || again.list[0].DeviceID != r.list[0].DeviceID {
		t.Fatalf("consoles after the damage: %+v, before: %+v", again.list, r.list)
	}
	if !strings.Contains(again.log.String(), filepath.Base(file)+" is damaged") {
		t.Errorf("the log does not tell of the damage:\n%s", again.log)
	}
	if status, body := get(t, again, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if text, err := os.ReadFile(file + ".damaged-1"); err != nil || string(text) != junk {
		t.Errorf("what is set aside: %q, %v", text, err)
	}
}

// den starts a simulated console and returns a configuration that knows its address.
func den(t *testing.T) (*ps4test.Console, string) {
	t.Helper()
	return denWith(t, ps4test.FastTiming())
}

// denWith is den with other delays.
func denWith(t *testing.T, timing ps4test.Timing) (*ps4test.Console, string) {
	t.Helper()
	console := ps4test.Start(t, ps4test.Config{
		Name: "Den", HostID: "A0B1C2D3E4F5", Linked: true, Credentials: []string{credential}, Timing: timing,
		Titles: []ps4test.Title{{ID: "CUSA00129", Name: "Netflix"}},
	})
	key := filepath.Join(t.TempDir(), "console.pem")
	if err := os.WriteFile(key, console.PublicKeyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return console, fmt.Sprintf("%s\nconsole_key: %s\nconsoles:\n  - address: %s\n    credential: %s\n", loopback, key, console.Addr(), credential)
}

func TestConsoleOfTheConfigurationIsThereWhenReady(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	r := serve(t, shortDir(t), yaml, 0)
	if len(r.list) != 1 || r.list[0].HostID != console.HostID() || r.list[0].Name != "Den" {
		t.Fatalf("consoles: %+v", r.list)
	}
}

func TestConsoleThatIsOffAtTheStartIsAddedWhenItAnswers(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
	r := serve(t, shortDir(t), yaml, 0)
	if len(r.list) != 0 {
		t.Fatalf("consoles before it answers: %+v", r.list)
	}
	console.SetFaults(ps4test.Faults{})
	waitUntil(t, "the console is added", func() bool {
		list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1
	})
	r.stop()
	// It is remembered: served at once, off or not.
	console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
	if again := serve(t, r.state, yaml, 0); len(again.list) != 1 {
		t.Errorf("after a restart with the console off: %+v", again.list)
	}
}

// waitUntil asks again and again until ok; the server has no event for what it waits for.
func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		<-tick.C
	}
}

func TestAddressInUseIsAnErrorThatNamesTheKey(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback, 0)
	taken := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(r.log.String())
	store := open(t, shortDir(t))
	defer store.Close()
	err := app.Run(t.Context(), app.Options{
		Config: load(t, strings.Replace(loopback, "127.0.0.1:0", taken, 1)), State: store, Log: quiet(),
	})
	if err == nil || !strings.Contains(err.Error(), "web.listen") {
		t.Errorf("got %v, want an error that names web.listen", err)
	}
}

func quiet() *logrus.Logger {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return l
}

func TestTooManySimulatedConsoles(t *testing.T) {
	t.Parallel()
	store := open(t, shortDir(t))
	defer store.Close()
	for _, n := range []int{-1, 65} {
		err := app.Run(t.Context(), app.Options{Config: load(t, loopback), State: store, Simulate: n, Log: quiet()})
		var answer *api.Error
		if !errors.As(err, &answer) || answer.Code != "usage" {
			t.Errorf("%d simulated consoles: %v, want a usage error", n, err)
		}
	}
}

// damage replaces a document and its copy.
func damage(t *testing.T, file, text string) {
	t.Helper()
	for _, name := range []string{file, file + ".copy"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

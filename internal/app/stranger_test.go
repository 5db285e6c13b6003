package app_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/graphcheck"
	"github.com/ps4kit/ps4kit/test/hapclient"
)

// searching returns a configuration that searches at addresses on loopback.
func searching(addresses ...string) string {
	return fmt.Sprintf(`
discovery: {interval: 300ms, local_port: 0, broadcast: [%s]}
poll: {interval: 200ms}
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
log: {level: warn}
`, strings.Join(addresses, ", "))
}

// traced is a console in rest mode, and what arrives at it.
type traced struct {
	*ps4test.Console
	mu    sync.Mutex
	lines []string
}

func startTraced(t *testing.T, cfg ps4test.Config) *traced {
	t.Helper()
	c := &traced{}
	cfg.Standby, cfg.Linked, cfg.Timing = true, true, ps4test.FastTiming()
	cfg.Trace = func(line string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.lines = append(c.lines, line)
	}
	c.Console = ps4test.Start(t, cfg)
	return c
}

// got lists the lines of the trace with anything but a search.
func (c *traced) got() (lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range c.lines {
		if !strings.Contains(line, " SRCH ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// searches counts the searches in the trace.
func (c *traced) searches() int {
	got := len(c.got())
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lines) - got
}

// withCredential stores the credential of every console in a new state directory.
func withCredential(t *testing.T) (dir string) {
	t.Helper()
	dir = shortDir(t)
	store := open(t, dir)
	defer store.Close()
	if err := store.Credentials().Save(state.Credentials{Default: &state.User{Credential: credential}}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// isOffered reports whether HomeKit has a console.
func isOffered(t *testing.T, r *running, hostID string) bool {
	t.Helper()
	list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(a api.Accessory) bool { return a.HostID == hostID })
}

// TestStrangerGetsNoCredential gives commands every way to a console that was only found: none sends it anything, until
// the owner names it.
func TestStrangerGetsNoCredential(t *testing.T) {
	t.Parallel()
	console := startTraced(t, ps4test.Config{Name: "Den"})
	key := filepath.Join(t.TempDir(), "console.pem")
	if err := os.WriteFile(key, console.PublicKeyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	r := serve(t, withCredential(t), searching(console.Addr().String())+"console_key: "+key+"\n", 0)
	waitUntil(t, "the console is offered", func() bool { return isOffered(t, r, console.HostID()) })

	owner := browse(t, r)
	if !owner.signIn(r.page.Password.Password) {
		t.Fatal("not signed in")
	}
	script := withToken(t, r, owner, "control")
	requests := map[string]string{
		"power": `{"state":"awake"}`, "start": `{"title":"CUSA00129"}`, "keys": `{"keys":["up"]}`, "keyboard/submit": `{}`,
	}
	for who, b := range map[string]*browser{"owner": owner, "token": script} {
		for path, body := range requests {
			for _, host := range []string{console.HostID(), "Den", "-", app.FormatAddress(console.Addr())} {
				status, text := b.send(http.MethodPost, "/api/v1/consoles/"+host+"/"+path, "application/json", body)
				if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"not_accepted"`) ||
					!strings.Contains(text, "ps4kit consoles add "+app.FormatAddress(console.Addr())) {
					t.Errorf("%s: %s of %s: %d %s", who, path, host, status, text)
				}
			}
		}
	}
	if status, text := owner.send(http.MethodPost, "/api/v1/consoles/Den/test", "", ""); !strings.Contains(text, `"not_accepted"`) {
		t.Errorf("test: %d %s", status, text)
	}
	for name, err := range map[string]error{
		"wake":  api.Power.Do(t.Context(), r.api, api.PowerRequest{State: api.StateAwake}),
		"keys":  api.Keys.Do(t.Context(), r.api, api.KeysRequest{Keys: []string{"up"}}),
		"start": api.Start.Do(t.Context(), r.api, api.StartRequest{Title: "CUSA00129"}),
	} {
		if code(err) != "not_accepted" {
			t.Errorf("%s of the only console: %v", name, err)
		}
	}
	turnOnInHomeKit(t, r, console.HostID())
	waitUntil(t, "the failure of HomeKit's command is shown", func() bool {
		_, text := owner.send(http.MethodGet, "/api/v1/overview", "", "")
		return strings.Contains(text, `"accepted":false`) && strings.Contains(text, `"not_accepted"`)
	})
	if got := console.got(); len(got) > 0 {
		t.Fatalf("a stranger got %q", got)
	}

	if err := api.Power.Do(t.Context(), r.api, api.PowerRequest{Host: console.HostID(), State: api.StateAwake}); err != nil {
		t.Fatalf("named by the owner: %v", err)
	}
	eventually(t, console.Console, "a WAKEUP", func() bool { return console.Counters().Wakeups > 0 })
	if _, text := owner.send(http.MethodGet, "/api/v1/overview", "", ""); !strings.Contains(text, `"accepted":true`) {
		t.Errorf("not accepted: %s", text)
	}
}

// TestStrangerGetsNoCredentialFromACommand without a server.
func TestStrangerGetsNoCredentialFromACommand(t *testing.T) {
	t.Parallel()
	console := startTraced(t, ps4test.Config{Name: "Den"})
	dir := withCredential(t)
	command := func(do func(l *app.Local)) {
		store := open(t, dir)
		defer store.Close()
		l, err := app.Stopped(load(t, searching(console.Addr().String())), store, quiet(), app.Override{ConsoleKey: console.PublicKey()})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		do(l)
	}
	command(func(l *app.Local) {
		if err := api.Power.Do(t.Context(), l.Client, api.PowerRequest{State: api.StateAwake}); code(err) != "not_accepted" {
			t.Errorf("wake: %v", err)
		}
		if err := api.AddTitle.Do(t.Context(), l.Client, api.AddTitleRequest{ID: "CUSA00129"}); code(err) != "not_accepted" {
			t.Errorf("add a title: %v", err)
		}
		if c, err := api.Status.Do(t.Context(), l.Client, api.HostRequest{}); err != nil || c.HostID != console.HostID() {
			t.Errorf("status: %+v, %v", c, err)
		}
		waitUntil(t, "its television has seen it", func() bool {
			list, err := api.Consoles.Do(t.Context(), l.Client, api.None{})
			return err == nil && len(list) == 1 && list[0].State == api.StateStandby
		})
	})
	if got := console.got(); len(got) > 0 {
		t.Errorf("a stranger got %q", got)
	}
	if files := filesWith(t, dir, console.HostID()); len(files) > 0 || exists(dir, console.HostID()) {
		t.Errorf("it left %v", files)
	}
	command(func(l *app.Local) {
		if err := api.Power.Do(t.Context(), l.Client, api.PowerRequest{Host: "Den", State: api.StateAwake}); err != nil {
			t.Fatalf("named: %v", err)
		}
	})
	eventually(t, console.Console, "a WAKEUP", func() bool { return console.Counters().Wakeups > 0 })
	if !slices.Contains(filesWith(t, dir, console.HostID()), "consoles.json") {
		t.Error("it is not remembered")
	}
}

// withToken returns a script with a token.
func withToken(t *testing.T, r *running, owner *browser, access string) *browser {
	t.Helper()
	_, text := owner.send(http.MethodPost, "/api/v1/tokens", "application/json", `{"name":"`+access+`","access":"`+access+`"}`)
	var made api.NewToken
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.Token == "" {
		t.Fatalf("token: %s, %v", text, err)
	}
	script := browse(t, r)
	script.Jar = nil
	script.Transport = bearer{made.Token, script.Transport}
	return script
}

type bearer struct {
	token string
	http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.RoundTripper.RoundTrip(r)
}

// turnOnInHomeKit pairs with the television of a console, and sets Active.
func turnOnInHomeKit(t *testing.T, r *running, hostID string) {
	t.Helper()
	list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	conn, answer := pairAndRead(t, list[slices.IndexFunc(list, func(a api.Accessory) bool { return a.HostID == hostID })])
	var database struct {
		Accessories []struct {
			Services []struct {
				Characteristics []struct {
					Type string
					IID  int
				}
			}
		}
	}
	if err := json.Unmarshal(answer, &database); err != nil {
		t.Fatal(err)
	}
	const active = "B0"
	for _, service := range database.Accessories[0].Services {
		for _, c := range service.Characteristics {
			if c.Type != active {
				continue
			}
			write := map[string]any{"characteristics": []any{map[string]any{"aid": 1, "iid": c.IID, "value": 1}}}
			if answer, err := conn.Put("/characteristics", write); err != nil || answer.Status/100 != 2 {
				t.Fatalf("writing Active: %+v, %v", answer, err)
			}
			return
		}
	}
	t.Fatal("there is no Active")
}

// pairAndRead pairs with an accessory and reads /accessories, as a controller
// that shares no code with the server.
func pairAndRead(t *testing.T, a api.Accessory) (*hapclient.Conn, []byte) {
	t.Helper()
	phone := hapclient.New("phone")
	dial := func() *hapclient.Conn {
		conn, err := hapclient.Dial(t.Context(), fmt.Sprintf("127.0.0.1:%d", a.Port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	paired, err := phone.Pair(dial(), a.SetupCode)
	if err != nil {
		t.Fatal(err)
	}
	conn := dial()
	if err := phone.Verify(conn, paired); err != nil {
		t.Fatal(err)
	}
	answer, err := conn.Get("/accessories")
	if err != nil {
		t.Fatal(err)
	}
	return conn, answer.Body
}

// checkGraph compares a served accessory with docs/homekit.md, as a paired
// controller reads it.
func checkGraph(t *testing.T, a api.Accessory) {
	t.Helper()
	_, answer := pairAndRead(t, a)
	if findings, err := graphcheck.Check(answer); err != nil || len(findings) > 0 {
		t.Errorf("%s: %+v, %v", a.Name, findings, err)
	}
}

// exists reports whether a file of the state directory is called like a host id.
func exists(dir, hostID string) bool {
	for _, sub := range []string{"homekit", "inputs"} {
		if found, _ := filepath.Glob(filepath.Join(dir, sub, hostID+"*")); len(found) > 0 {
			return true
		}
	}
	return false
}

// crowd answers searches as consoles that do not exist.
type crowd struct {
	address string
	silent  atomic.Bool
	answers atomic.Int64 // searches that were answered
}

// startCrowd answers each search at an address as many consoles.
func startCrowd(t *testing.T, ip string, hostIDs ...string) *crowd {
	t.Helper()
	conn, err := net.ListenPacket("udp4", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{address: conn.LocalAddr().String()}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for buf := make([]byte, 2048); ; {
			_, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if c.silent.Load() {
				continue
			}
			for _, id := range hostIDs {
				_, _ = fmt.Fprintf(packetWriter{conn, from}, "HTTP/1.1 620 Server Standby\nhost-id:%s\nhost-type:PS4\nhost-name:Crowd\n", id)
			}
			c.answers.Add(1)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-answered })
	return c
}

type packetWriter struct {
	net.PacketConn
	to net.Addr
}

func (w packetWriter) Write(p []byte) (int, error) { return w.WriteTo(p, w.to) }

// invented returns host ids that no console has.
func invented(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("0A%010X", i))
	}
	return ids
}

// TestConsoleThatAnswersOnceLeavesNothing on disk, and has no HAP server.
func TestConsoleThatAnswersOnceLeavesNothing(t *testing.T) {
	t.Parallel()
	id := invented(1)[0]
	once := startCrowd(t, "127.0.0.1", id)
	real := ps4test.Start(t, ps4test.Config{Name: "Den", Timing: ps4test.FastTiming()})
	dir := shortDir(t)
	// The searches are far apart: each asks three times, but counts once.
	yaml := strings.Replace(searching(once.address, real.Addr().String()), "interval: 300ms", "interval: 500ms", 1)
	r := serve(t, dir, yaml, 0)
	waitUntil(t, "the first search", func() bool { return once.answers.Load() > 0 })
	once.silent.Store(true)
	waitUntil(t, "the real console is found twice", func() bool { return isOffered(t, r, real.HostID()) })
	r.stop()
	if files := filesWith(t, dir, id); len(files) > 0 || exists(dir, id) {
		t.Errorf("it left %v", files)
	}
	if files := filesWith(t, dir, real.HostID()); !slices.Contains(files, "consoles.json") || !exists(dir, real.HostID()) {
		t.Errorf("the real one is only in %v", files)
	}
	store := open(t, dir)
	defer store.Close()
	all, err := store.Consoles().Load()
	if err != nil || len(all.Consoles) != 1 || !all.Consoles[0].Stranger {
		t.Errorf("remembered: %+v, %v", all, err)
	}
}

// TestAddressHasRoomForOneStranger: 80 consoles that one machine invents are one, and a real console is not shut out.
func TestAddressHasRoomForOneStranger(t *testing.T) {
	t.Parallel()
	ids := invented(80)
	some := startCrowd(t, "127.0.0.1", ids[:40]...)
	others := startCrowd(t, "127.0.0.2", ids[40:]...)
	real := ps4test.Start(t, ps4test.Config{Name: "Den", Timing: ps4test.FastTiming()})
	dir := shortDir(t)
	r := serve(t, dir, searching(some.address, others.address, real.Addr().String()), 0)
	waitUntil(t, "the real console is offered", func() bool { return isOffered(t, r, real.HostID()) })
	waitUntil(t, "the crowds have units", func() bool {
		list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list) >= 3
	})
	before := some.answers.Load()
	waitUntil(t, "more searches", func() bool { return some.answers.Load() > before+20 })
	// Polls come from another socket than searches of simulated consoles, which takes their replies for those of a real
	// console at the address. So each crowd has two addresses here.
	if list, err := api.Consoles.Do(t.Context(), r.api, api.None{}); err != nil || len(list) > 2+2+1 {
		t.Errorf("%d consoles, %v", len(list), err)
	}
}

// TestConsolesThatAreFoundAreBounded: consoles that 64 addresses invent fill the server while they answer. Once they are
// silent, they make room for a real one, and what was stored of them goes.
func TestConsolesThatAreFoundAreBounded(t *testing.T) {
	t.Parallel()
	const pretended, most = 70, 64
	var crowds []*crowd
	var addresses []string
	for i, id := range invented(pretended) {
		c := startCrowd(t, fmt.Sprintf("127.0.1.%d", i+1), id)
		crowds, addresses = append(crowds, c), append(addresses, c.address)
	}
	real, err := ps4test.New(ps4test.Config{Name: "Den", Timing: ps4test.FastTiming()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = real.Close() })
	real.SetSilent()
	dir := shortDir(t)
	r := serve(t, dir, searching(append(addresses, real.Addr().String())...), 0)
	waitUntil(t, "a warning", func() bool { return strings.Contains(r.log.String(), "consoles answer: the others are left out") })
	count := func() (n int) {
		list, err := api.Consoles.Do(t.Context(), r.api, api.None{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	waitUntil(t, "the server is full", func() bool { return count() == most })

	list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	paired := list[0].HostID
	turnOnInHomeKit(t, r, paired)
	for i, c := range crowds {
		// One keeps answering: if all fall silent at once, that is an outage for 30 s (ps4.Watch).
		c.silent.Store(invented(pretended)[i] != list[1].HostID)
	}
	real.SetAwake()
	waitUntil(t, "the real console is offered", func() bool { return isOffered(t, r, real.HostID()) })
	if !isOffered(t, r, paired) {
		t.Error("a console that somebody paired was evicted")
	}
	if n := count(); n != most {
		t.Errorf("%d consoles, want %d", n, most)
	}
	r.stop()
	store := open(t, dir)
	defer store.Close()
	hosts, err := store.HomeKitHosts()
	if err != nil || len(hosts) != most {
		t.Errorf("%d HomeKit documents are stored, %v", len(hosts), err)
	}
	if all, err := store.Consoles().Load(); err != nil || len(all.Consoles) != most {
		t.Errorf("%d consoles are remembered, %v, want %d", len(all.Consoles), err, most)
	}
	if n := strings.Count(r.log.String(), "the others are left out"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, r.log)
	}
}

// Package ps4waker_test tests the simulated console with an independent client:
// the npm package ps4-waker 1.10.1, unchanged but for the console's public key.
// It uses the fixed ports 987 and 997, so the test runs in a network namespace.
package ps4waker_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// patience bounds the whole test, which takes about half a minute.
const patience = 3 * time.Minute

// credential is the account of the test.
var credential = strings.Repeat("0123456789abcdef", 4)

const (
	pin         = "12345678"
	bloodborne  = "CUSA00207"
	netflix     = "CUSA00129"
	den, attic  = "127.0.0.5", "127.0.0.6"
	denID       = "A0B1C2D3E4F5"
	atticID     = "A0B1C2D3E4F6"
	ddpPort     = 987
	servicePort = 997
)

// timing returns the timing of a real console, without the long waits, and with
// smaller gaps between keys because this machine may be busy. A client that
// doesn't answer heartbeats is dropped soon.
func timing() ps4test.Timing {
	t := ps4test.RealTiming()
	t.Wake = 1500 * time.Millisecond
	t.Service = 1200 * time.Millisecond // longer than ps4-waker's first try
	t.StandbyDelay = 500 * time.Millisecond
	t.BeforeSilence = 0
	t.Silence = time.Second
	t.Heartbeat = 1300 * time.Millisecond
	t.Grace = 4 * time.Second
	t.KeyGap, t.KeyGapPS = 100*time.Millisecond, 500*time.Millisecond
	t.Boot = 500 * time.Millisecond
	t.Quit = 300 * time.Millisecond
	return t
}

func consoles(t *testing.T) *ps4test.Console {
	t.Helper()
	cfg := ps4test.Config{
		Name: "Den", HostID: denID, Addr: den, DDPPort: ddpPort, TCPPort: servicePort, Broadcast: true,
		Standby: true, PIN: pin, Credentials: []string{credential}, Timing: timing(), StrictKeys: true,
		Titles: []ps4test.Title{{ID: netflix, Name: "Netflix"}, {ID: bloodborne, Name: "Bloodborne"}},
	}
	second := cfg
	second.Name, second.HostID, second.Addr, second.Standby = "Attic", atticID, attic, false
	second.Running = netflix
	ps4test.Start(t, second)
	return ps4test.Start(t, cfg)
}

// isolate is peer.Isolate with ps4-waker installed.
func isolate(t *testing.T) bool {
	t.Helper()
	peer.NodeModules(t, ".")
	return peer.Isolate(t, patience)
}

// driver is a running driver.js.
type driver struct {
	*peer.Driver
	t *testing.T // of the current step
}

func startDriver(t *testing.T, console *ps4test.Console) *driver {
	t.Helper()
	dir := t.TempDir()
	key := peer.WriteFile(t, filepath.Join(dir, "key.pem"), string(console.PublicKeyPEM()))
	credentials := peer.WriteFile(t, filepath.Join(dir, "credentials.json"), `{"client-type":"a","auth-type":"C","user-credential":"`+credential+`"}`)
	command := []string{"node", "driver.js", key, credentials, console.Addr().Addr().String()}
	return &driver{peer.StartDriver(t, ".", command, func(line []byte) { t.Errorf("driver.js said %q", line) }), t}
}

// do runs one step and stores its result, unless result is nil.
func (d *driver) do(result any, step string, args ...any) {
	d.t.Helper()
	out, err := d.Try(step, peer.Args{"args": append([]any{}, args...)})
	if err == nil && result != nil {
		err = json.Unmarshal(out, result)
	}
	if err != nil {
		d.t.Fatalf("%s %v: %v", step, args, err)
	}
}

func TestPS4Waker(t *testing.T) {
	if !isolate(t) {
		return
	}
	c := consoles(t)
	d := startDriver(t, c)
	steps := []struct {
		name string
		run  func(*testing.T, *driver, *ps4test.Console)
	}{
		{"search", search},
		{"wake", wake},
		{"link with a PIN", link},
		{"start with nothing running", startFirst},
		{"start with another running", startSecond},
		{"start what runs already", startAgain},
		{"keys", keys},
		{"keyboard", keyboard},
		{"heartbeats", heartbeats},
		{"standby", standby},
		{"wake and log in", wakeAndLogIn},
	}
	for _, s := range steps {
		ok := t.Run(s.name, func(t *testing.T) {
			d.t = t
			s.run(t, d, c)
		})
		if !ok {
			t.Fatalf("%q failed, so the other steps are left out; console: %+v", s.name, c.Snapshot())
		}
	}
	if n := c.Counters(); n.ProtocolErrors != 0 || n.Dropped != 0 || n.UnknownPackets != 0 || n.BadDatagrams != 0 || n.OpsIgnored != 0 {
		t.Errorf("what ps4-waker sent was not all understood: %+v", n)
	}
}

// device is a reply as ps4-waker parses it.
type device struct {
	Type          string `json:"type"`
	StatusCode    string `json:"statusCode"`
	Status        string `json:"status"`
	StatusLine    string `json:"statusLine"`
	HostID        string `json:"host-id"`
	HostType      string `json:"host-type"`
	HostName      string `json:"host-name"`
	RequestPort   string `json:"host-request-port"`
	Version       string `json:"device-discovery-protocol-version"`
	SystemVersion string `json:"system-version"`
	TitleID       string `json:"running-app-titleid"`
	TitleName     string `json:"running-app-name"`
	Address       string `json:"address"`
}

func search(t *testing.T, d *driver, _ *ps4test.Console) {
	var found []device
	d.do(&found, "search", 1500)
	resting := device{
		Type: "device", StatusCode: "620", Status: "Standby", StatusLine: "620 Server Standby",
		HostID: denID, HostType: "PS4", HostName: "Den", RequestPort: "997",
		Version: "00020020", SystemVersion: "09508011", Address: den,
	}
	awake := resting
	awake.StatusCode, awake.Status, awake.StatusLine = "200", "Ok", "200 Ok"
	awake.HostID, awake.HostName, awake.Address = atticID, "Attic", attic
	awake.TitleID, awake.TitleName = netflix, "Netflix"
	if want := []device{resting, awake}; !slices.Equal(found, want) {
		t.Errorf("found %+v\nwant  %+v", found, want)
	}
}

func wake(t *testing.T, d *driver, c *ps4test.Console) {
	var awake device
	d.do(&awake, "wake")
	if awake.StatusCode != "200" || awake.HostID != denID {
		t.Errorf("after waking: %+v", awake)
	}
	if n := c.Counters(); c.State() != ps4.StateAwake || n.Wakeups != 1 || n.WakeupsIgnored != 0 || n.Logins != 0 {
		t.Errorf("console %v, %+v", c.State(), n)
	}
}

func link(t *testing.T, d *driver, c *ps4test.Console) {
	var results []struct {
		Result int    `json:"result"`
		Error  string `json:"error"`
	}
	peer.WaitFor(t, c, "the result", func(now ps4test.Snapshot) bool { return now.Ready })
	d.do(&results, "link", "87654321", pin)
	var got []int
	for _, r := range results {
		got = append(got, r.Result)
	}
	if want := []int{20, 23, 0}; !slices.Equal(got, want) || results[0].Error != "PIN_IS_NEEDED" {
		t.Errorf("results %+v, want %v", results, want)
	}
	want, err := ps4.ParseCredential(credential)
	must(t, err)
	logins := c.Logins()
	if len(logins) != 3 || logins[0].PIN || !logins[1].PIN || !logins[2].PIN {
		t.Fatalf("logins %+v", logins)
	}
	for _, l := range logins {
		if !l.Credential.Equal(want) || l.AppLabel != "PlayStation" || l.OSVersion != "4.4" || l.Passcode {
			t.Errorf("login %+v", l)
		}
	}
	if devices := c.Devices(); len(devices) != 1 || devices[0].Model != logins[2].Model || !devices[0].Credential.Equal(want) {
		t.Errorf("linked %+v", devices)
	}
	peer.WaitFor(t, c, "the result", func(now ps4test.Snapshot) bool { return now.Connections == 0 && now.Counters.Byes == 1 })
}

func startFirst(t *testing.T, d *driver, c *ps4test.Console) {
	d.do(nil, "start", netflix)
	peer.WaitFor(t, c, "the result", func(now ps4test.Snapshot) bool { return now.Title.ID == netflix })
	boots, logins := c.Boots(), c.Logins()
	if len(boots) != 1 || boots[0].TitleID != netflix || len(c.Keys()) != 0 {
		t.Errorf("boots %+v, keys %v", boots, c.Keys())
	}
	if last := logins[len(logins)-1]; last.PIN || last.Result != 0 {
		t.Errorf("login %+v", last)
	}
}

func startSecond(t *testing.T, d *driver, c *ps4test.Console) {
	d.do(nil, "start", bloodborne)
	peer.WaitFor(t, c, "the result", func(now ps4test.Snapshot) bool { return now.Title.ID == bloodborne })
	if boots := c.Boots(); len(boots) != 2 || boots[1].TitleID != bloodborne {
		t.Errorf("boots %+v", boots)
	}
	want := []string{"open_rc", "ps", "key_off", "close_rc", "open_rc", "enter", "key_off", "close_rc"}
	if got := operations(c); !slices.Equal(got, want) {
		t.Errorf("operations %q, want %q", got, want)
	}
}

func startAgain(t *testing.T, d *driver, c *ps4test.Console) {
	d.do(nil, "start", bloodborne)
	if boots := c.Boots(); len(boots) != 2 || c.RunningTitle().ID != bloodborne {
		t.Errorf("boots %+v, running %+v", boots, c.RunningTitle())
	}
}

func keys(t *testing.T, d *driver, c *ps4test.Console) {
	before := len(c.Presses())
	d.do(nil, "keys", "up", "down", "left", "right", "enter", "back", "option", []any{"left", 400}, []any{"ps", 1200}, "cancel")
	want := []string{"up", "down", "left", "right", "enter", "back", "option", "left:400", "ps:1200", "cancel"}
	if got := c.Presses()[before:]; !slices.Equal(got, want) {
		t.Errorf("presses %q, want %q", got, want)
	}
}

func keyboard(t *testing.T, d *driver, c *ps4test.Console) {
	const text = "Zoë plays 🎮"
	c.OpenKeyboard("old", 64)
	d.do(nil, "type", text)
	peer.WaitFor(t, c, "the result", func(now ps4test.Snapshot) bool { return !now.Keyboard })
	if got := c.Submitted(); !slices.Equal(got, []string{text}) {
		t.Errorf("submitted %q", got)
	}
}

func heartbeats(t *testing.T, d *driver, c *ps4test.Console) {
	before := c.Counters()
	var held struct {
		Heartbeats int  `json:"heartbeats"`
		Connected  bool `json:"connected"`
	}
	d.do(&held, "hold", 5500)
	sent, answered := c.Counters().Heartbeats-before.Heartbeats, c.Counters().Statuses-before.Statuses
	// The first status follows the login, the others a heartbeat each.
	if held.Heartbeats < 3 || !held.Connected || sent < held.Heartbeats || answered < held.Heartbeats+1 {
		t.Errorf("heartbeats sent %d, received %d, answers %d, connected %v", sent, held.Heartbeats, answered, held.Connected)
	}
}

func standby(t *testing.T, d *driver, c *ps4test.Console) {
	d.do(nil, "standby")
	peer.WaitFor(t, c, "the result", func(now ps4test.Snapshot) bool { return now.State == ps4.StateStandby })
	now := c.Snapshot()
	if now.Counters.Standbys != 1 || now.Connections != 0 || now.Title.ID != "" {
		t.Errorf("console %+v", now)
	}
	var resting device
	d.do(&resting, "check")
	if resting.StatusCode != "620" {
		t.Errorf("ps4-waker sees %+v", resting)
	}
}

// wakeAndLogIn finds the TCP port closed at first, as after any wake, and tries
// again.
func wakeAndLogIn(t *testing.T, d *driver, c *ps4test.Console) {
	before := c.Counters()
	d.do(nil, "turnOn")
	n := c.Counters()
	if logins := n.Logins - before.Logins; logins != 1 || n.LoginsRefused != before.LoginsRefused || c.State() != ps4.StateAwake {
		t.Errorf("%d logins, state %v", logins, c.State())
	}
	if n.LaunchesIgnored == before.LaunchesIgnored {
		t.Error("no LAUNCH was ignored: the retry was not tried")
	}
}

// operations returns every remote-control operation. Ignored ones are marked.
func operations(c *ps4test.Console) []string {
	var list []string
	for _, k := range c.Keys() {
		list = append(list, k.String())
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

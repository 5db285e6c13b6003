package hapcontroller_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// Types of services and characteristics (docs/homekit.md §2).
const (
	typeTelevision       = "D8"
	typeInputSource      = "D9"
	typeActive           = "B0"
	typeActiveIdentifier = "E7"
	typeRemoteKey        = "E1"
	typeIdentifier       = "E6"
	typeConfiguredName   = "E3"
)

const (
	credential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"
	netflix    = "CUSA00129"
	spotify    = "CUSA01780"
)

// den starts a simulated console in rest mode, and returns it with the
// directory of a server configuration that knows it.
func den(t *testing.T) (*ps4test.Console, string) {
	t.Helper()
	console := ps4test.Start(t, ps4test.Config{
		Name:        "Den",
		HostID:      "A0B1C2D3E4F5",
		Standby:     true,
		Linked:      true,
		Credentials: []string{credential},
		Titles:      []ps4test.Title{{ID: netflix, Name: "Netflix"}, {ID: spotify, Name: "Spotify"}},
		Timing:      ps4test.FastTiming(),
	})
	dir := t.TempDir()
	key := peer.WriteFile(t, filepath.Join(dir, "console.pem"), string(console.PublicKeyPEM()))
	peer.WriteFile(t, filepath.Join(dir, "config.yaml"), fmt.Sprintf(`
consoles:
  - address: %s
    name: Den
    credential: %s
    titles:
      - {id: %s, name: Netflix}
      - {id: %s, name: Spotify}
discovery: {enabled: false}
poll: {interval: 200ms}
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
console_key: %s
`, console.Addr(), credential, netflix, spotify, key))
	return console, dir
}

// settle waits for n more polls, so that the server has seen what the console
// did. The server ignores a change on the TV that contradicts the command under
// way (docs/homekit.md §5).
func settle(t *testing.T, console *ps4test.Console, n int) {
	t.Helper()
	asked := console.Counters().Searches
	peer.WaitFor(t, console, "more polls", func(s ps4test.Snapshot) bool { return s.Counters.Searches >= asked+n })
}

// TestTelevision uses a television with an independent controller: pair, wake,
// keys, a title, rest mode, a restart with the stored pairing, unpair.
func TestTelevision(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	console, dir := den(t)
	s := peer.StartServer(t, dir)
	c := startController(t)
	tv := onlyTelevision(t, s.Televisions)
	if tv.Paired || tv.SetupCode == "" || tv.HostID != console.HostID() || tv.Name != "Den" {
		t.Fatalf("before pairing: %+v", tv)
	}

	c.Do("connect", args{"name": "phone", "device": tv.DeviceID, "address": tv.Address, "port": tv.Port}, nil)
	var pairing map[string]any
	c.Do("pair", args{"name": "phone", "code": tv.SetupCode}, &pairing)
	if tv := onlyTelevision(t, s.List()); !tv.Paired || tv.SetupCode != "" || tv.SetupURI != "" || len(tv.Controllers) != 1 || !tv.Controllers[0].Admin {
		t.Errorf("after pairing: %+v", tv)
	}
	drive(t, c, "phone", console)

	c.Do("close", args{"name": "phone"}, nil)
	s.Stop()
	s = peer.StartServer(t, dir)
	again := onlyTelevision(t, s.Televisions)
	if !again.Paired || again.DeviceID != tv.DeviceID || again.Port != tv.Port || again.SetupID != tv.SetupID {
		t.Errorf("after a restart: %+v, before: %+v", again, tv)
	}
	c.Do("connect", args{"name": "phone", "device": again.DeviceID, "address": again.Address, "port": again.Port, "pairing": pairing}, nil)
	drive(t, c, "phone", console)

	c.Do("unpair", args{"name": "phone"}, nil)
	if tv := onlyTelevision(t, s.List()); tv.Paired || tv.SetupCode == "" {
		t.Errorf("after unpairing: %+v", tv)
	}
	if strings.Contains(s.Log.String(), credential) {
		t.Error("the log holds the credential")
	}
}

func onlyTelevision(t *testing.T, tvs []peer.Television) peer.Television {
	t.Helper()
	if len(tvs) != 1 {
		t.Fatalf("%d televisions instead of one: %+v", len(tvs), tvs)
	}
	return tvs[0]
}

// drive wakes the console, presses a key five times, starts a title, puts the
// console into rest mode, and waits for the events of each.
func drive(t *testing.T, c *controller, name string, console *ps4test.Console) {
	t.Helper()
	db := readDatabase(c, name)
	active := db.one(typeTelevision, typeActive)
	identifier := db.one(typeTelevision, typeActiveIdentifier)
	remoteKey := db.one(typeTelevision, typeRemoteKey)
	c.Do("subscribe", args{"name": name, "ids": []string{db.id(active), db.id(identifier)}}, nil)

	keysBefore := len(console.Snapshot().Keys)
	c.put(name, db.id(active), 1)
	peer.WaitFor(t, console, "awake", func(s ps4test.Snapshot) bool { return s.State == ps4.StateAwake })

	for range 5 {
		c.put(name, db.id(remoteKey), 6) // left
	}
	peer.WaitFor(t, console, "five presses", func(s ps4test.Snapshot) bool { return len(pressed(s.Keys[keysBefore:])) == 5 })

	c.put(name, db.id(identifier), db.identifierOf("Netflix"))
	peer.WaitFor(t, console, "Netflix", func(s ps4test.Snapshot) bool { return s.Title.ID == netflix })
	settle(t, console, 8)       // two kinds of polls: the television's, and those that confirm the title
	console.SetRunning(spotify) // on the TV
	c.expectEvent(name, identifier, db.identifierOf("Spotify"))

	c.put(name, db.id(active), 0)
	peer.WaitFor(t, console, "rest mode", func(s ps4test.Snapshot) bool { return s.State == ps4.StateStandby })
	settle(t, console, 2)
	console.SetAwake() // with the gamepad
	c.expectEvent(name, active, 1)
	console.SetStandby()
	c.expectEvent(name, active, 0)

	if got := len(pressed(console.Snapshot().Keys[keysBefore:])); got != 5 {
		t.Errorf("the console got %d presses of the left key instead of 5", got)
	}
}

// pressed returns the presses of the left key that the console took.
func pressed(keys []ps4test.Key) []string {
	var got []string
	for _, k := range keys {
		if name := k.String(); name == "left" {
			got = append(got, name)
		}
	}
	return got
}

func (c *controller) put(name, id string, value any) {
	c.t.Helper()
	c.Do("put", args{"name": name, "values": map[string]any{id: value}}, nil)
}

// database is the accessory as the controller reads it.
type database struct {
	t        *testing.T
	services []struct {
		Type            string           `json:"type"`
		Characteristics []characteristic `json:"characteristics"`
	}
}

func readDatabase(c *controller, name string) *database {
	c.t.Helper()
	var answer struct {
		Accessories []struct {
			AID      int
			Services []struct {
				Type            string           `json:"type"`
				Characteristics []characteristic `json:"characteristics"`
			} `json:"services"`
		} `json:"accessories"`
	}
	c.Do("accessories", args{"name": name}, &answer)
	if len(answer.Accessories) != 1 || answer.Accessories[0].AID != 1 {
		c.t.Fatalf("not one accessory with aid 1: %+v", answer)
	}
	return &database{c.t, answer.Accessories[0].Services}
}

// one returns the instance id of the only such characteristic.
func (d *database) one(service, characteristic string) int {
	d.t.Helper()
	for _, s := range d.services {
		if short(s.Type) != service {
			continue
		}
		for _, c := range s.Characteristics {
			if short(c.Type) == characteristic {
				return c.IID
			}
		}
	}
	d.t.Fatalf("no characteristic %s in a service %s", characteristic, service)
	return 0
}

// short undoes hap-controller's expansion of Apple's types.
func short(uuid string) string {
	if base, ok := strings.CutSuffix(uuid, "-0000-1000-8000-0026BB765291"); ok {
		return strings.TrimLeft(base, "0")
	}
	return uuid
}

func (d *database) id(iid int) string { return fmt.Sprintf("1.%d", iid) }

// identifierOf returns the Identifier of the input with a name.
func (d *database) identifierOf(name string) float64 {
	d.t.Helper()
	for _, s := range d.services {
		values := map[string]any{}
		for _, c := range s.Characteristics {
			values[short(c.Type)] = c.Value
		}
		if short(s.Type) == typeInputSource && values[typeConfiguredName] == name {
			id, _ := values[typeIdentifier].(float64)
			return id
		}
	}
	d.t.Fatalf("no input %q", name)
	return 0
}

package hapcontroller_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// tileOf returns the ids of the sensor or switch with a name, as the controller
// reads the bridge.
func tileOf(c *controller, client, name string) (aid, iid int) {
	c.t.Helper()
	var answer struct {
		Accessories []struct {
			AID      int
			Services []struct {
				Characteristics []characteristic `json:"characteristics"`
			} `json:"services"`
		} `json:"accessories"`
	}
	c.Do("accessories", args{"name": client}, &answer)
	for _, a := range answer.Accessories {
		for _, s := range a.Services[1:] {
			for _, ch := range s.Characteristics {
				if ch.Value == name {
					return a.AID, s.Characteristics[0].IID
				}
			}
		}
	}
	c.t.Fatalf("no tile %q on the bridge: %+v", name, answer)
	return 0, 0
}

// TestCompanionBridge checks that sensors follow the console and switches
// control it.
func TestCompanionBridge(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	console, dir := den(t)
	config := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	peer.WriteFile(t, config, string(text)+"companion: {enabled: true, titles: ["+netflix+"]}\n")
	s := peer.StartServer(t, dir)
	c := startController(t)
	i := slices.IndexFunc(s.Televisions, func(tv peer.Television) bool { return tv.HostID == "companion" })
	if i < 0 || len(s.Televisions) != 2 {
		t.Fatalf("no companion bridge: %+v", s.Televisions)
	}
	c.pairWith("home", s.Televisions[i])
	tile := func(name string, value any) (id string, e event) {
		aid, iid := tileOf(c, "home", name)
		return fmt.Sprintf("%d.%d", aid, iid), event{"home", characteristic{AID: aid, IID: iid, Value: value}}
	}
	sensor, on := tile("Den on", 1.0)
	power, powered := tile("Den power", true)
	title, started := tile("Netflix on Den", true)
	_, playing := tile("Den playing", 1.0)
	c.Do("subscribe", args{"name": "home", "ids": []string{sensor, power, title, fmt.Sprintf("%d.%d", playing.AID, playing.IID)}}, nil)

	console.SetAwake() // with the gamepad
	seen := c.eventsUntil(on)
	if !slices.Contains(seen, powered) {
		c.eventsUntil(powered)
	}
	console.SetRunning(netflix)
	if seen = c.eventsUntil(playing); !slices.Contains(seen, started) {
		c.eventsUntil(started)
	}
	c.put("home", power, false)
	peer.WaitFor(t, console, "rest mode", func(s ps4test.Snapshot) bool { return s.State == ps4.StateStandby })
	settle(t, console, 2)
	c.put("home", title, true)
	peer.WaitFor(t, console, "Netflix", func(s ps4test.Snapshot) bool { return s.Title.ID == netflix })
}

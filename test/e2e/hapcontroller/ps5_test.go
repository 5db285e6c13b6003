package hapcontroller_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// TestPS5 links a simulated PS5 with the command line, and uses its television
// with an independent controller: keys, rest mode, wake, changes on the console,
// and text by the command line.
func TestPS5(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	console := ps4test.Start(t, ps4test.Config{
		Name: "Five", HostID: "A0B1C2D3E4F7", HostType: ps4.TypePS5, Timing: ps4test.FastTiming(), PIN: "12345678",
		Addr: "127.95.0.5", DDPPort: ps4.PortPS5, RemotePlay: &ps4test.RemotePlay{Port: 9295}, // clients know no other ports
	})
	dir := t.TempDir()
	peer.WriteFile(t, filepath.Join(dir, "config.yaml"), fmt.Sprintf(`
consoles: [{address: %s, remote_play_keys: true}]
discovery: {enabled: false}
poll: {interval: 200ms}
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
`, console.Addr().Addr()))
	s := peer.StartServer(t, dir)
	s.Run("link", "--pin", "12345678", "--account-id", "9019256736915509894")
	c := startController(t)
	tv := onlyTelevision(t, s.List())
	if tv.Name != "Five" || tv.HostID != console.HostID() {
		t.Fatalf("television %+v", tv)
	}
	c.pairWith("phone", tv)
	db := readDatabase(c, "phone")
	active, key := db.one(typeTelevision, typeActive), db.one(typeTelevision, typeRemoteKey)
	if got := db.identifierOf("Home Screen"); got != 1 {
		t.Errorf("the home screen is input %v", got)
	}
	c.Do("subscribe", args{"name": "phone", "ids": []string{db.id(active)}}, nil)

	for _, k := range []int{15, 4, 4, 5, 6, 7, 8, 9, 11} { // information, the arrows, select, back, play/pause
		c.put("phone", db.id(key), k)
	}
	pressed := []string{"ps", "up", "up", "down", "left", "right", "enter", "back", "option"}
	peer.WaitFor(t, console, "the keys", func(ps4test.Snapshot) bool { return slices.Equal(console.Presses(), pressed) })
	c.put("phone", db.id(active), 0)
	peer.WaitFor(t, console, "rest mode", func(s ps4test.Snapshot) bool { return s.State == ps4.StateStandby })
	settle(t, console, 6) // until a poll that began after the command saw rest mode
	c.put("phone", db.id(active), 1)
	peer.WaitFor(t, console, "awake", func(s ps4test.Snapshot) bool { return s.State == ps4.StateAwake })
	settle(t, console, 4)
	console.SetStandby()
	c.expectEvent("phone", active, 0)
	console.SetAwake()
	c.expectEvent("phone", active, 1)

	console.OpenKeyboard("old", 100)
	s.Run("keyboard", "submit", "new text")
	peer.WaitFor(t, console, "the text", func(s ps4test.Snapshot) bool {
		return len(s.Submitted) == 1 && s.Submitted[0] == "new text"
	})
	if n := console.Counters(); n.Homes != 0 || n.Streams != 1 || n.StreamsClosed != 1 || n.ButtonsLeftDown+n.StreamErrors != 0 ||
		n.Standbys != 1 || n.ProtocolErrors != 0 {
		t.Errorf("counters %+v", n)
	}
}

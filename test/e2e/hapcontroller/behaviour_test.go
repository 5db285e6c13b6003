package hapcontroller_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// at adds the address of a HAP server to a command's arguments.
func at(tv peer.Television, a args) args {
	a["device"], a["address"], a["port"] = tv.DeviceID, tv.Address, tv.Port
	return a
}

// pairWith pairs a new controller with an accessory.
func (c *controller) pairWith(name string, tv peer.Television) {
	c.t.Helper()
	c.Do("connect", at(tv, args{"name": name}), nil)
	c.Do("pair", args{"name": name, "code": tv.SetupCode}, nil)
}

// paired starts the Den, a server and a controller called phone, and pairs them.
func paired(t *testing.T) (*ps4test.Console, *controller, peer.Television, *database) {
	t.Helper()
	peer.NodeModules(t, ".")
	console, dir := den(t)
	s := peer.StartServer(t, dir)
	c := startController(t)
	tv := onlyTelevision(t, s.Televisions)
	c.pairWith("phone", tv)
	return console, c, tv, readDatabase(c, "phone")
}

// TestReadsWithMetadata reads values together with their metadata.
func TestReadsWithMetadata(t *testing.T) {
	t.Parallel()
	_, c, _, db := paired(t)
	active, key := db.one(typeTelevision, typeActive), db.one(typeTelevision, typeRemoteKey)
	c.Do("subscribe", args{"name": "phone", "ids": []string{db.id(active)}}, nil)
	var read struct {
		Characteristics []struct {
			characteristic
			Status   int      `json:"status"`
			Perms    []string `json:"perms"`
			Format   string   `json:"format"`
			MaxValue *float64 `json:"maxValue"`
			Events   *bool    `json:"ev"`
		} `json:"characteristics"`
	}
	c.Do("get", args{"name": "phone", "ids": []string{db.id(active), db.id(key), "1.9999"}}, &read)
	if len(read.Characteristics) != 3 {
		t.Fatalf("%+v", read)
	}
	a := read.Characteristics[0]
	if a.Value != 0.0 || a.Status != 0 || short(a.Type) != typeActive || a.Format != "uint8" || a.MaxValue == nil || *a.MaxValue != 1 ||
		!slices.Equal(a.Perms, []string{"pr", "pw", "ev"}) || a.Events == nil || !*a.Events {
		t.Errorf("Active: %+v", a)
	}
	if k := read.Characteristics[1]; k.Value != nil || k.Status != -70405 || *k.MaxValue != 16 || *k.Events {
		t.Errorf("RemoteKey: %+v", k)
	}
	if none := read.Characteristics[2]; none.Status != -70409 {
		t.Errorf("no such characteristic: %+v", none)
	}
}

// TestTimedWrites checks that a prepared write is done and any other is
// refused.
func TestTimedWrites(t *testing.T) {
	t.Parallel()
	console, c, _, db := paired(t)
	type answered struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	}
	write := func(ttl, prepared, pid, value int) (prepare, write answered) {
		t.Helper()
		var both struct{ Prepare, Write answered }
		values := map[string]any{db.id(db.one(typeTelevision, typeActive)): value}
		c.Do("timed", args{"name": "phone", "ttl": ttl, "prepared": prepared, "pid": pid, "values": values}, &both)
		return both.Prepare, both.Write
	}
	prepare, wrong := write(5000, 11, 12, 1)
	if prepare.Status != 200 || wrong.Status == 204 || !strings.Contains(string(wrong.Body), "-70410") {
		t.Errorf("another pid: %d %s, %d %s", prepare.Status, prepare.Body, wrong.Status, wrong.Body)
	}
	if _, late := write(0, 13, 13, 1); late.Status == 204 || !strings.Contains(string(late.Body), "-70410") {
		t.Errorf("too late: %d %s", late.Status, late.Body)
	}
	settle(t, console, 3)
	if console.State() != ps4.StateStandby {
		t.Error("a refused write woke the console")
	}
	if _, good := write(5000, 14, 14, 1); good.Status != 204 {
		t.Errorf("as prepared: %d %s", good.Status, good.Body)
	}
	peer.WaitFor(t, console, "awake", func(s ps4test.Snapshot) bool { return s.State == ps4.StateAwake })
}

// TestTwoControllers checks that the event of a write goes to the other
// controller, and that of a change on the console to both.
func TestTwoControllers(t *testing.T) {
	t.Parallel()
	console, c, tv, db := paired(t)
	c.Do("admit", at(tv, args{"name": "phone", "as": "tablet", "admin": false}), nil)
	active := db.one(typeTelevision, typeActive)
	for _, name := range []string{"phone", "tablet"} {
		c.Do("subscribe", args{"name": name, "ids": []string{db.id(active)}}, nil)
	}
	on, off := characteristic{AID: 1, IID: active, Value: 1.0}, characteristic{AID: 1, IID: active, Value: 0.0}
	c.put("phone", db.id(active), 1)
	before := c.eventsUntil(event{"tablet", on})
	peer.WaitFor(t, console, "awake", func(s ps4test.Snapshot) bool { return s.State == ps4.StateAwake })
	settle(t, console, 8)
	console.SetStandby() // on the console itself
	both := c.eventsUntil(event{"phone", off})
	if !slices.Contains(both, event{"tablet", off}) {
		c.eventsUntil(event{"tablet", off})
	}
	before = append(before, both...)
	if slices.Contains(before, event{"phone", on}) {
		t.Error("the phone got an event for its own write")
	}
	// Only an admin may list and remove pairings.
	if _, err := c.Try("pairings", args{"name": "tablet"}); err == nil {
		t.Error("a controller that is no admin listed the pairings")
	}
	c.Do("pairings", args{"name": "phone"}, nil)
}

// TestSeveralConsoles checks that three televisions in one process are
// independent.
func TestSeveralConsoles(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	dir := t.TempDir()
	peer.WriteFile(t, dir+"/config.yaml", "poll: {interval: 200ms}\nhomekit: {bind: 127.0.0.1, interfaces: [lo]}\nweb: {listen: \"127.0.0.1:0\"}\n")
	s := peer.StartServer(t, dir, "--simulate", "3")
	c := startController(t)
	if len(s.Televisions) != 3 {
		t.Fatalf("%d televisions", len(s.Televisions))
	}
	names := []string{"one", "two", "three"}
	for i, tv := range s.Televisions {
		c.Do("connect", at(tv, args{"name": names[i]}), nil)
		wrong := s.Televisions[(i+1)%3].SetupCode
		if _, err := c.Try("pair", args{"name": names[i], "code": wrong}); err == nil {
			t.Fatal("the setup code of another console was taken")
		}
		c.pairWith(names[i], tv)
	}
	db := readDatabase(c, "two")
	active := db.one(typeTelevision, typeActive)
	for _, name := range names {
		c.Do("subscribe", args{"name": name, "ids": []string{db.id(active)}}, nil)
	}
	c.Do("unpair", args{"name": "one"}, nil)
	if tvs := s.List(); tvs[0].Paired || !tvs[1].Paired || !tvs[2].Paired {
		t.Errorf("after unpairing one: %+v", tvs)
	}
	// Two keeps its connection and its subscription; the others get no event.
	c.Do("admit", at(s.Televisions[1], args{"name": "two", "as": "other", "admin": true}), nil)
	c.Do("subscribe", args{"name": "other", "ids": []string{db.id(active)}}, nil)
	c.put("other", db.id(active), 1)
	if before := c.eventsUntil(event{"two", characteristic{AID: 1, IID: active, Value: 1.0}}); len(before) > 0 {
		t.Errorf("events of other televisions: %+v", before)
	}
	var read struct{ Characteristics []characteristic }
	c.Do("get", args{"name": "three", "ids": []string{db.id(active)}}, &read)
	if len(read.Characteristics) != 1 || read.Characteristics[0].Value != 0.0 {
		t.Errorf("three: %+v", read)
	}
}

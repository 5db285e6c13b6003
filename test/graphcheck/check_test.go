package graphcheck_test

import (
	"encoding/json"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	hapmodel "github.com/brutella/hap/accessory"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/test/graphcheck"
)

// nowhere is a hapserver.Store that stores nothing.
type nowhere struct{}

func (nowhere) Load() (hapserver.Record, error) { return hapserver.Record{}, fs.ErrNotExist }
func (nowhere) Save(hapserver.Record) error     { return nil }

func television(t *testing.T, name, host string) *accessory.Television {
	t.Helper()
	console := ps4.NewConsole(netip.MustParseAddrPort("127.0.0.1:987"), ps4.Credential{}, nil)
	tv, err := accessory.New(accessory.Config{
		HostID: host, Name: name, Last: ps4.Status{SystemVersion: "09508011"},
		Titles: []accessory.Title{{ID: "CUSA00129", Name: "Netflix"}, {ID: "CUSA01780", Name: "Spotify"}},
	}, accessory.NewConsole(console))
	if err != nil {
		t.Fatal(err)
	}
	return tv
}

// answer returns the answer of the real server to GET /accessories.
func answer(t *testing.T, as ...*hapmodel.A) []byte {
	t.Helper()
	s, err := hapserver.New(&hapserver.Options{Name: "Den", Accessories: as, Category: 31, Store: nowhere{}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.AccessoriesJSON()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ofTelevision(t *testing.T) []byte {
	tv := television(t, "Den", "A0B1C2D3E4F5")
	if err := tv.HideTitle("CUSA01780", true); err != nil {
		t.Fatal(err)
	}
	return answer(t, tv.Accessory())
}

func ofBridge(t *testing.T) []byte {
	t.Helper()
	b, err := accessory.NewCompanion(accessory.CompanionConfig{
		Televisions: []*accessory.Television{television(t, "Den", "A0B1C2D3E4F5"), television(t, "Attic", "00112233AABB")},
		Titles:      []string{"CUSA00129"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer(t, b.Accessories()...)
}

// TestGood checks that what ps4kit serves has no findings.
func TestGood(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{"television": ofTelevision(t), "bridge": ofBridge(t)} {
		found, err := graphcheck.Check(b)
		if err != nil || len(found) > 0 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// node is a JSON object of the answer.
type node = map[string]any

// graph is a decoded answer.
type graph struct {
	t    *testing.T
	root node
}

func (g graph) accessory(i int) node { return list(g.root, "accessories")[i].(node) }

// service returns the n-th service of a type in the accessory.
func (g graph) service(a int, kind string, n int) node {
	for _, s := range list(g.accessory(a), "services") {
		if s := s.(node); s["type"] == kind {
			if n == 0 {
				return s
			}
			n--
		}
	}
	g.t.Fatalf("no service %s", kind)
	return nil
}

func (g graph) char(a int, service string, n int, kind string) node {
	for _, c := range list(g.service(a, service, n), "characteristics") {
		if c := c.(node); c["type"] == kind {
			return c
		}
	}
	g.t.Fatalf("no characteristic %s", kind)
	return nil
}

func list(n node, key string) []any {
	l, _ := n[key].([]any)
	return l
}

func remove(n node, key string, i int) {
	l := list(n, key)
	n[key] = append(append([]any{}, l[:i]...), l[i+1:]...)
}

func insert(n node, key string, v ...any) { n[key] = append(list(n, key), v...) }

// broken damages an answer; want is part of the finding that it must cause.
type broken struct {
	name   string
	want   string
	damage func(g graph)
}

func brokenTelevisions() []broken {
	tv := func(kind, key string, v any) func(graph) {
		return func(g graph) { g.char(0, "D8", 0, kind)[key] = v }
	}
	in := func(n int, kind, key string, v any) func(graph) {
		return func(g graph) { g.char(0, "D9", n, kind)[key] = v }
	}
	return []broken{
		{"no accessory", "§1 topology", func(g graph) { g.root["accessories"] = []any{} }},
		{"aid 2", "§1 topology", func(g graph) { g.accessory(0)["aid"] = 2 }},
		{"information is not first", "§2 AccessoryInformation", func(g graph) {
			s := list(g.accessory(0), "services")
			s[0], s[1] = s[1], s[0]
		}},
		{"information is not iid 1", "§2 AccessoryInformation", func(g graph) { g.service(0, "3E", 0)["iid"] = 9999 }},
		{"a second information", "§2 AccessoryInformation", func(g graph) {
			insert(g.accessory(0), "services", node{"iid": 9999, "type": "3E"})
		}},
		{"iid twice", "§2 instance ids", tv("B0", "iid", 34)},
		{"iid 0", "§2 instance ids", tv("B0", "iid", 0)},
		{"101 services", "§4 limits", func(g graph) {
			for i := range 60 {
				insert(g.accessory(0), "services", node{"iid": 10000 + i, "type": "A2"})
			}
		}},
		{"91 inputs", "91 inputs", func(g graph) {
			for i := range 51 {
				insert(g.accessory(0), "services", node{"iid": 10000 + i, "type": "D9"})
			}
		}},
		{"a speaker", "type 113 has no place", func(g graph) { insert(g.accessory(0), "services", node{"iid": 9999, "type": "113"}) }},
		{"no protocol", "§2 ProtocolInformation", func(g graph) { remove(g.accessory(0), "services", 1) }},
		{"version", `version "1.0"`, func(g graph) { g.char(0, "A2", 0, "37")["value"] = "1.0" }},
		{"version has events", "§2 ProtocolInformation Version", func(g graph) { g.char(0, "A2", 0, "37")["perms"] = []any{"pr", "ev"} }},
		{"firmware", "§2 FirmwareRevision", func(g graph) { g.char(0, "3E", 0, "52")["value"] = "09508011" }},
		{"no serial", "instead of one", func(g graph) { remove(g.service(0, "3E", 0), "characteristics", 4) }},
		{"long model", "§2 AccessoryInformation Model", func(g graph) { g.char(0, "3E", 0, "21")["value"] = strings.Repeat("x", 65) }},
		{"empty manufacturer", "§2 AccessoryInformation Manufacturer", func(g graph) { g.char(0, "3E", 0, "20")["value"] = "" }},
		{"no ConfiguredName", "0 of ConfiguredName", func(g graph) { remove(g.service(0, "3E", 0), "characteristics", 6) }},
		{"ConfiguredName cannot be written", "§2 AccessoryInformation ConfiguredName", func(g graph) { g.char(0, "3E", 0, "E3")["perms"] = []any{"pr", "ev"} }},
		{"two names", "§4 one stored name", func(g graph) { g.char(0, "3E", 0, "E3")["value"] = "Attic" }},
		{"not primary", "primary is false", func(g graph) { delete(g.service(0, "D8", 0), "primary") }},
		{"an input is primary", "primary is true", func(g graph) { g.service(0, "D9", 0)["primary"] = true }},
		{"hidden", "it is hidden", func(g graph) { g.service(0, "D8", 0)["hidden"] = true }},
		{"a stray input", "§2 InputSource", func(g graph) { remove(g.service(0, "D8", 0), "linked", 5) }},
		{"linked with something else", "§2 InputSource", func(g graph) { insert(g.service(0, "D8", 0), "linked", 16) }},
		{"inputs are linked", "it is linked with others", func(g graph) { insert(g.service(0, "D9", 0), "linked", 32) }},
		{"another television", "there are 2", func(g graph) { insert(g.accessory(0), "services", node{"iid": 9999, "type": "D8"}) }},
		{"Active is 2", "§2 Television Active", tv("B0", "value", 2)},
		{"Active to 2", "its range is not 0 to 1", tv("B0", "maxValue", 2)},
		{"Active not listed", "§2 Television Active", tv("B0", "valid-values", []any{1})},
		{"Active is a bool", `format "bool"`, tv("B0", "format", "bool")},
		{"Active is null", "§2 Television Active", tv("B0", "value", nil)},
		{"no such input", "§2 ActiveIdentifier", tv("E7", "value", 77)},
		{"ActiveIdentifier without a minimum", "its range is not 0 to 40", func(g graph) { delete(g.char(0, "D8", 0, "E7"), "minValue") }},
		{"ActiveIdentifier from 1", "its range is not 0 to 40", tv("E7", "minValue", 1)},
		{"ActiveIdentifier without a maximum", "its range is not 0 to 40", func(g graph) { delete(g.char(0, "D8", 0, "E7"), "maxValue") }},
		{"ActiveIdentifier to 39", "its range is not 0 to 40", tv("E7", "maxValue", 39)},
		{"not discoverable", "§2 SleepDiscoveryMode", tv("E8", "value", 0)},
		{"RemoteKey has a value", "cannot be read", tv("E1", "value", 0)},
		{"RemoteKey to 15", "0 to 16", tv("E1", "maxValue", 15)},
		{"RemoteKey is readable", "§2 Television RemoteKey", tv("E1", "perms", []any{"pr", "pw"})},
		{"no PowerModeSelection", "0 of PowerModeSelection", func(g graph) { remove(g.service(0, "D8", 0), "characteristics", 6) }},
		{"volume", "characteristic 119 has no place", func(g graph) { insert(g.service(0, "D8", 0), "characteristics", node{"iid": 9999, "type": "119"}) }},
		{"order is no base64", "§3 DisplayOrder", tv("136", "value", "?")},
		{"order without gaps", "§3 DisplayOrder", tv("136", "value", "AQQBAAAAAQQCAAAA")},
		{"order with other tags", "§3 DisplayOrder", tv("136", "value", "AgQBAAAA")},
		{"order lists too few", "it lists [1 2 3]", tv("136", "value", "AQQBAAAAAAABBAIAAAAAAAEEAwAAAA==")},
		{"Identifier 0", "§2 Identifier", in(2, "E6", "value", 0)},
		{"Identifier twice", "§2 Identifier", in(2, "E6", "value", 1)},
		{"the same ConfiguredName", "§2 names of inputs", in(2, "E3", "value", "Spotify")},
		{"the same Name", "§2 names of inputs", in(2, "23", "value", "Spotify")},
		{"home is a title", "§2 InputSourceType", in(0, "DB", "value", 10)},
		{"a title is HDMI", "§2 InputSourceType", in(2, "DB", "value", 3)},
		{"shown and hidden", "§2 visibility", in(2, "134", "value", 1)},
		{"a free slot is shown", "a free slot is shown", in(10, "135", "value", 0)},
		{"home is free", "fixed input 1", in(0, "D6", "value", 0)},
		{"no Other", "Home Screen or Other", in(1, "E6", "value", 90)},
		{"IsConfigured without events", "§2 InputSource IsConfigured", in(5, "D6", "perms", []any{"pr", "pw"})},
	}
}

func brokenBridges() []broken {
	return []broken{
		{"aid twice", "used twice", func(g graph) { g.accessory(1)["aid"] = g.accessory(2)["aid"] }},
		{"a television behind it", "must not be behind a bridge", func(g graph) {
			insert(g.accessory(1), "services", node{"iid": 9999, "type": "D8"})
		}},
		{"no protocol", "the bridge has none", func(g graph) { remove(g.accessory(0), "services", 1) }},
		{"151 accessories", "151 accessories", func(g graph) {
			for i := range 142 {
				insert(g.root, "accessories", node{"aid": 5000 + i})
			}
		}},
		{"nothing behind a tile", "not one sensor or one switch", func(g graph) { remove(g.accessory(1), "services", 1) }},
		{"two in a tile", "not one sensor or one switch", func(g graph) {
			insert(g.accessory(1), "services", node{"iid": 9999, "type": "49"})
		}},
		{"On is a number", "§2 Switch On", func(g graph) { g.char(3, "49", 0, "25")["value"] = 1 }},
		{"occupied twice", "§2 OccupancySensor OccupancyDetected", func(g graph) { g.char(1, "86", 0, "71")["value"] = 2 }},
	}
}

// TestBroken checks that each rule finds the fault that it is for.
func TestBroken(t *testing.T) {
	t.Parallel()
	goodTelevision, goodBridge := ofTelevision(t), ofBridge(t)
	for _, tt := range brokenTelevisions() {
		t.Run("television/"+tt.name, func(t *testing.T) { t.Parallel(); tt.check(t, goodTelevision) })
	}
	for _, tt := range brokenBridges() {
		t.Run("bridge/"+tt.name, func(t *testing.T) { t.Parallel(); tt.check(t, goodBridge) })
	}
}

func (b broken) check(t *testing.T, good []byte) {
	t.Helper()
	g := graph{t, node{}}
	if err := json.Unmarshal(good, &g.root); err != nil {
		t.Fatal(err)
	}
	b.damage(g)
	bad, err := json.Marshal(g.root)
	if err != nil {
		t.Fatal(err)
	}
	found, err := graphcheck.Check(bad)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if strings.Contains(f.String(), b.want) {
			return
		}
	}
	t.Errorf("no finding contains %q: %v", b.want, found)
}

// TestLongTypes checks that types may be written in full.
func TestLongTypes(t *testing.T) {
	t.Parallel()
	b := strings.ReplaceAll(string(ofTelevision(t)), `"type":"E7"`, `"type":"000000e7-0000-1000-8000-0026bb765291"`)
	if found, err := graphcheck.Check([]byte(b)); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	if _, err := graphcheck.Check([]byte("<html>")); err == nil {
		t.Error("no error")
	}
}

// FuzzCheck checks that no answer makes Check panic, and that an answer without
// accessory information always has findings.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"accessories":[{"aid":1,"services":[{"iid":1,"type":"3E","characteristics":[]}]}]}`))
	f.Add([]byte(`{"accessories":[{"aid":1,"services":[{"iid":1,"type":"D8"}]},{"aid":1}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := graphcheck.Check(b)
		if err == nil && len(found) == 0 && !strings.Contains(strings.ToUpper(string(b)), "3E") {
			t.Error("an answer without accessory information has no findings")
		}
	})
}

package accessory_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// What a controller reads.
type (
	accessoryJSON struct {
		AID      int           `json:"aid"`
		Services []serviceJSON `json:"services"`
	}
	serviceJSON struct {
		IID             int        `json:"iid"`
		Type            string     `json:"type"`
		Primary         bool       `json:"primary"`
		Hidden          bool       `json:"hidden"`
		Linked          []int      `json:"linked"`
		Characteristics []charJSON `json:"characteristics"`
	}
	charJSON struct {
		IID    int             `json:"iid"`
		Type   string          `json:"type"`
		Format string          `json:"format"`
		Perms  []string        `json:"perms"`
		Value  json.RawMessage `json:"value"`
		Min    *int            `json:"minValue"`
		Max    *int            `json:"maxValue"`
		Valid  []int           `json:"valid-values"`
	}
)

func decode(t *testing.T, tv *accessory.Television) accessoryJSON {
	t.Helper()
	b, err := json.Marshal(tv.Accessory())
	if err != nil {
		t.Fatal(err)
	}
	var a accessoryJSON
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func newTV(t testing.TB, c accessory.Config) *accessory.Television {
	t.Helper()
	if c.HostID == "" {
		c.HostID = "A0B1C2D3E4F5"
	}
	tv, err := accessory.New(c, accessory.NewConsole(ps4.NewConsole(netip.MustParseAddrPort("127.0.0.1:987"), ps4.Credential{}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return tv
}

// row is a line of the table in docs/homekit.md §2: type, format, permissions, range; the value as JSON, "" for none.
type row struct{ kind, format, perms, limits, value string }

func information(name string) []row {
	return []row{
		{"14", "bool", "pw", "", ""},
		{"23", "string", "pr", "", `"` + name + `"`},
		{"20", "string", "pr", "", `"Sony Interactive Entertainment"`},
		{"21", "string", "pr", "", `"PlayStation 4"`},
		{"30", "string", "pr", "", `"A0B1C2D3E4F5"`},
		{"52", "string", "pr", "", `"9.50"`},
		{"E3", "string", "pr pw ev", "", `"` + name + `"`},
	}
}

func televisionRows(name string) []row {
	return []row{
		{"B0", "uint8", "pr pw ev", "0..1 [0 1]", "0"},
		{"E7", "uint32", "pr pw ev", "0..40", "1"},
		{"E3", "string", "pr pw ev", "", `"` + name + `"`},
		{"E8", "uint8", "pr ev", "0..1 [0 1]", "1"},
		{"E1", "uint8", "pw", "0..16", ""},
		{"136", "tlv8", "pr pw ev", "", `"AQQBAAAAAAABBAMAAAAAAAEEAgAAAA=="`},
		{"DF", "uint8", "pw", "0..1 [0 1]", ""},
	}
}

func inputRows(k int, name, kind, configured, visibility string) []row {
	return []row{
		{"E6", "uint32", "pr", "", fmt.Sprint(k)},
		{"E3", "string", "pr pw ev", "", `"` + name + `"`},
		{"23", "string", "pr", "", `"` + name + `"`},
		{"DB", "uint8", "pr ev", "0..10", kind},
		{"D6", "uint8", "pr pw ev", "0..1 [0 1]", configured},
		{"135", "uint8", "pr ev", "0..1 [0 1]", visibility},
		{"134", "uint8", "pr pw ev", "0..1 [0 1]", visibility},
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	a := decode(t, newTV(t, accessory.Config{
		Name: "Den", Last: ps4.Status{SystemVersion: "09508011"}, Titles: []accessory.Title{{ID: "CUSA00129", Name: "Netflix"}},
	}))
	if a.AID != 1 || len(a.Services) != 3+40 {
		t.Fatalf("aid %d, %d services", a.AID, len(a.Services))
	}
	checkService(t, a.Services[0], "3E", information("Den"))
	checkService(t, a.Services[1], "A2", []row{{"37", "string", "pr", "", `"1.1.0"`}})
	checkService(t, a.Services[2], "D8", televisionRows("Den"))
	checkService(t, a.Services[3], "D9", inputRows(1, "Home Screen", "1", "1", "0"))
	checkService(t, a.Services[4], "D9", inputRows(2, "Other", "10", "1", "0"))
	checkService(t, a.Services[5], "D9", inputRows(3, "Netflix", "10", "1", "0"))
	for k := 4; k <= 40; k++ {
		checkService(t, a.Services[k+2], "D9", inputRows(k, fmt.Sprintf("Input %d", k), "10", "0", "1"))
	}
	if a.Services[0].IID != 1 {
		t.Error("the accessory information must be service 1")
	}
	for i, s := range a.Services {
		if s.Primary != (i == 2) || s.Hidden {
			t.Errorf("service %d: primary %v, hidden %v", s.IID, s.Primary, s.Hidden)
		}
	}
	checkLinks(t, a)
	checkIDs(t, a)
}

func checkService(t *testing.T, s serviceJSON, kind string, rows []row) {
	t.Helper()
	if s.Type != kind || len(s.Characteristics) != len(rows) {
		t.Fatalf("service %d: type %s with %d characteristics, want %s with %d", s.IID, s.Type, len(s.Characteristics), kind, len(rows))
	}
	for i, c := range s.Characteristics {
		limits := ""
		if c.Min != nil && c.Max != nil {
			limits = fmt.Sprintf("%d..%d", *c.Min, *c.Max)
		}
		if c.Valid != nil {
			limits += fmt.Sprintf(" %v", c.Valid)
		}
		got := row{c.Type, c.Format, strings.Join(c.Perms, " "), limits, string(c.Value)}
		if got != rows[i] {
			t.Errorf("service %d: %+v, want %+v", s.IID, got, rows[i])
		}
	}
}

// checkLinks: every input is linked from the television, and nothing else is.
func checkLinks(t *testing.T, a accessoryJSON) {
	t.Helper()
	var inputs []int
	for _, s := range a.Services {
		if s.Type == "D9" {
			inputs = append(inputs, s.IID)
		} else if s.Type != "D8" && len(s.Linked) > 0 {
			t.Errorf("service %d is linked with %v", s.IID, s.Linked)
		}
	}
	if tv := a.Services[2]; !slices.Equal(tv.Linked, inputs) {
		t.Errorf("linked are %v, inputs are %v", tv.Linked, inputs)
	}
}

func checkIDs(t *testing.T, a accessoryJSON) {
	t.Helper()
	seen := map[int]bool{}
	for _, s := range a.Services {
		ids := []int{s.IID}
		for _, c := range s.Characteristics {
			ids = append(ids, c.IID)
		}
		for _, id := range ids {
			if id == 0 || seen[id] {
				t.Errorf("instance id %d is 0 or there twice", id)
			}
			seen[id] = true
		}
	}
}

// TestInstanceIDs: what a controller stored stays right with another number of slots, and with another version of this program.
func TestInstanceIDs(t *testing.T) {
	t.Parallel()
	few, many := instanceIDs(decode(t, newTV(t, accessory.Config{Slots: 3}))), instanceIDs(decode(t, newTV(t, accessory.Config{Slots: 90})))
	for what, id := range few {
		if many[what] != id {
			t.Errorf("%s has id %d with 3 slots and %d with 90", what, id, many[what])
		}
	}
	for what, id := range map[string]int{
		"0 3E": 1, "0 3E 23": 3, "0 3E E3": 8, "1 A2": 16, "1 A2 37": 17, "2 D8": 32, "2 D8 B0": 33, "2 D8 E7": 34, "2 D8 E1": 37,
		"2 D8 136": 38, "3 D9": 256, "3 D9 E6": 257, "4 D9": 272, "4 D9 134": 279, "92 D9": 1680,
	} {
		if many[what] != id {
			t.Errorf("%s has id %d, released was %d", what, many[what], id)
		}
	}
}

func instanceIDs(a accessoryJSON) map[string]int {
	ids := map[string]int{}
	for i, s := range a.Services {
		ids[fmt.Sprintf("%d %s", i, s.Type)] = s.IID
		for _, c := range s.Characteristics {
			ids[fmt.Sprintf("%d %s %s", i, s.Type, c.Type)] = c.IID
		}
	}
	return ids
}

func TestLimits(t *testing.T) {
	t.Parallel()
	a := decode(t, newTV(t, accessory.Config{Slots: 90, Name: strings.Repeat("Ä", 60), Model: strings.Repeat("ö", 60)}))
	if n := len(a.Services); n > 100 {
		t.Errorf("%d services", n)
	}
	names := map[string]bool{}
	for _, s := range a.Services {
		for _, c := range s.Characteristics {
			var text string
			if c.Format == "string" && (json.Unmarshal(c.Value, &text) != nil || text == "" || len(text) > 64) {
				t.Errorf("service %d: %s is %s", s.IID, c.Type, c.Value)
			}
			if s.Type == "D9" && c.Type == "E3" && names[text] {
				t.Errorf("%q is there twice", text)
			}
			names[text] = true
		}
	}
}

func TestFirmware(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"": "0.0", "09508011": "9.50", "11000001": "11.00", "x": "0.0"} {
		tv := newTV(t, accessory.Config{Last: ps4.Status{SystemVersion: version}})
		if got := tv.Accessory().Info.FirmwareRevision.Value(); got != want {
			t.Errorf("%q: %s, want %s", version, got, want)
		}
	}
}

// TestBadConfig: everything that cannot be is an error that says what.
func TestBadConfig(t *testing.T) {
	t.Parallel()
	many := make([]accessory.Title, 39)
	for i := range many {
		many[i].ID = fmt.Sprintf("CUSA%05d", i)
	}
	for name, c := range map[string]accessory.Config{
		"host id": {HostID: " "},
		"inputs":  {HostID: "A", Titles: many},
	} {
		_, err := accessory.New(c, newFakeConsole(ps4.StateAwake))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRestart: slots, names, order and the last input come back from what was saved, whatever else the configuration says now.
func TestRestart(t *testing.T) {
	t.Parallel()
	store := &memory{}
	first := newTV(t, accessory.Config{Store: store, Titles: []accessory.Title{{ID: "CUSA00001"}, {ID: "CUSA00002"}}})
	for _, err := range []error{
		first.AddTitle("cusa00003", "Mine"), first.RenameTitle("CUSA00002", "Kids’ games"), first.HideTitle("CUSA00001", true),
		first.SetOrder([]string{"CUSA00002", "HOME"}), first.Rename("Lounge"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	second := newTV(t, accessory.Config{Store: store, Titles: []accessory.Title{{ID: "CUSA00009"}, {ID: "CUSA00002"}}})
	want := map[string]int{"": 2, "CUSA00001": 3, "CUSA00002": 4, "CUSA00003": 5, "CUSA00009": 6}
	got := map[string]int{}
	for _, in := range second.Snapshot().Inputs {
		got[in.TitleID] = in.Identifier
	}
	if !maps.Equal(got, want) {
		t.Errorf("slots %v, want %v", got, want)
	}
	before, after := first.Snapshot(), second.Snapshot()
	if after.Name != "Lounge" || after.Inputs[0].Name != "Kids’ games" || after.Inputs[1].Identifier != 1 {
		t.Errorf("after the restart: %+v", after)
	}
	if !reflect.DeepEqual(before.Inputs[0], after.Inputs[0]) {
		t.Errorf("%+v became %+v", before.Inputs[0], after.Inputs[0])
	}
}

package hapserver

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func peerRequest(p *peer, method, path string, b []byte) *http.Request {
	r := httptest.NewRequest(method, path, bytes.NewReader(b))
	return r.WithContext(context.WithValue(r.Context(), peerKey{}, p))
}

func TestGetCharacteristics(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.connect(t, nil)
	if a := c.must(t, "PUT", "/characteristics", `{"characteristics":[{"aid":1,"iid":11,"ev":true}]}`); a.status != 204 {
		t.Fatalf("subscribe: %d %s", a.status, a.body)
	}
	for query, want := range map[string]string{
		"id=1.13,1.11":           `200 {"characteristics":[{"aid":1,"iid":13,"value":"Den"},{"aid":1,"iid":11,"value":0}]}`,
		"id=1.12":                `207 {"characteristics":[{"aid":1,"iid":12,"status":-70405}]}`,
		"id=1.99,1.13,2.1":       `207 {"characteristics":[{"aid":1,"iid":99,"status":-70409},{"aid":1,"iid":13,"status":0,"value":"Den"},{"aid":2,"iid":1,"status":-70409}]}`,
		"id=1.11&ev=1":           `200 {"characteristics":[{"aid":1,"iid":11,"value":0,"ev":true}]}`,
		"id=1.13&ev=1":           `200 {"characteristics":[{"aid":1,"iid":13,"value":"Den","ev":false}]}`,
		"id=1.11&type=1&perms=1": `200 {"characteristics":[{"aid":1,"iid":11,"value":0,"type":"B0","perms":["pr","pw","ev"]}]}`,
		"id=1.16&meta=1":         `200 {"characteristics":[{"aid":1,"iid":16,"value":0,"format":"uint8","unit":"percentage","maxValue":100,"minValue":0,"minStep":5}]}`,
		"id=1.24&meta=1":         `200 {"characteristics":[{"aid":1,"iid":24,"value":"","format":"string","maxLen":5}]}`,
		"":                       `422 {"status":-70410}`,
		"id=":                    `422 {"status":-70410}`,
		"id=1":                   `422 {"status":-70410}`,
		"id=1.x":                 `422 {"status":-70410}`,
		"id=1.2,":                `422 {"status":-70410}`,
		"id=1.-2":                `422 {"status":-70410}`,
	} {
		a := c.must(t, "GET", "/characteristics?"+query, nil)
		if got := a.header.Get("Content-Type") + " " + itoa(a.status) + " " + string(a.body); got != typeJSON+" "+want {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// The accessory as a controller sees it.
func TestGetAccessories(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	a := f.connect(t, nil).must(t, "GET", "/accessories", nil)
	type seen struct {
		IID      uint64   `json:"iid"`
		Type     string   `json:"type"`
		Perms    []string `json:"perms"`
		Format   string   `json:"format"`
		Value    any      `json:"value"`
		MaxValue any      `json:"maxValue"`
		MinValue any      `json:"minValue"`
		Valid    []int    `json:"valid-values"`
	}
	var got struct {
		Accessories []struct {
			AID      uint64 `json:"aid"`
			Services []struct {
				IID     uint64 `json:"iid"`
				Type    string `json:"type"`
				Primary bool   `json:"primary"`
				Cs      []seen `json:"characteristics"`
			} `json:"services"`
		} `json:"accessories"`
	}
	if err := json.Unmarshal(a.body, &got); err != nil || a.status != 200 {
		t.Fatalf("%d %v", a.status, err)
	}
	if len(got.Accessories) != 1 || len(got.Accessories[0].Services) != 2 || !got.Accessories[0].Services[1].Primary {
		t.Fatalf("%s", a.body)
	}
	values := map[uint64]seen{}
	for _, s := range got.Accessories[0].Services {
		for _, c := range s.Cs {
			values[c.IID] = c
			if readable := f.m.cs[c.IID].IsReadable(); readable != (c.Value != nil) {
				t.Errorf("%d: readable %t, value %v", c.IID, readable, c.Value)
			}
		}
	}
	if len(values) != len(f.m.cs) {
		t.Errorf("%d characteristics, want %d", len(values), len(f.m.cs))
	}
	if c := values[iidActive]; c.Value != 0.0 || c.MinValue != 0.0 || c.MaxValue != 1.0 || c.Type != "B0" || c.Format != "uint8" || len(c.Perms) != 3 {
		t.Errorf("active: %+v", c)
	}
	if bytes.Contains(a.body, []byte(`"iid":12,"type":"E1","perms":["pw"],"format":"uint8","maxValue":16,"minValue":0}`)) == false {
		t.Error("a key that can only be written must have no value")
	}
	if len(values[iidChoice].Valid) != 3 {
		t.Errorf("valid values: %v", values[iidChoice].Valid)
	}
}

// 470 in the clear, never 400 as hap v0.0.35 did.
func TestStrangersGet470(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.stranger(t)
	for path, method := range map[string]string{
		"/accessories": "GET", "/characteristics?id=1.11": "GET", "/characteristics": "PUT", "/prepare": "PUT", "/pairings": "POST",
	} {
		a := c.must(t, method, path, "{}")
		if a.status != 470 || string(a.body) != `{"status":-70401}` {
			t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	var identified atomic.Int32
	f := newUnpaired(t).start(t)
	identify := func(r *http.Request) {
		if r != nil {
			identified.Add(1)
		}
	}
	f.m.a.IdentifyFunc = identify
	if a := f.stranger(t).must(t, "POST", "/identify", nil); a.status != 204 || identified.Load() != 1 {
		t.Errorf("%d, %d times", a.status, identified.Load())
	}
	f = newPaired(t).start(t)
	f.m.a.IdentifyFunc = identify
	if a := f.stranger(t).must(t, "POST", "/identify", nil); a.status != 400 || string(a.body) != `{"status":-70401}` || identified.Load() != 1 {
		t.Errorf("paired: %d %s", a.status, a.body)
	}
}

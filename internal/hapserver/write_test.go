package hapserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func putBody(iid uint64, value string) string {
	return fmt.Sprintf(`{"characteristics":[{"aid":1,"iid":%d,"value":%s}]}`, iid, value)
}

// hap v0.0.35 did not pass on a write equal to the stored value: of five arrow
// keys two arrived.
func TestEqualWritesReachTheHandler(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	keys, active := f.m.handled(f.Server, iidKey), f.m.handled(f.Server, iidActive)
	c := f.connect(t, nil)
	for _, key := range []string{"4", "4", "4", "5", "5"} {
		if a := c.must(t, "PUT", "/characteristics", putBody(iidKey, key)); a.status != 204 {
			t.Fatalf("key %s: %d %s", key, a.status, a.body)
		}
	}
	if got := keys(); !reflect.DeepEqual(got, []any{4, 4, 4, 5, 5}) {
		t.Errorf("keys %v", got)
	}
	f.Set(f.m.cs[iidActive], 1, nil)
	c.must(t, "PUT", "/characteristics", putBody(iidActive, "1"))
	if got := active(); !reflect.DeepEqual(got, []any{1}) {
		t.Errorf("active %v", got)
	}
}

// JSON of the wrong type, or out of range, was stored by hap v0.0.35; the next
// typed read panicked.
func TestWriteTypesAndRanges(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.connect(t, nil)
	const bad = statusInvalid
	for _, tc := range []struct {
		iid    uint64
		value  string
		want   any
		status int
	}{
		{iidActive, "0", 0, 0}, {iidActive, "1", 1, 0}, {iidActive, "2", nil, bad}, {iidActive, "-1", nil, bad},
		{iidActive, "true", 1, 0}, {iidActive, "false", 0, 0}, {iidActive, "1.0", 1, 0}, {iidActive, "0.0", 0, 0}, {iidActive, "10e-1", 1, 0},
		{iidActive, "-0.0", 0, 0}, {iidActive, "2.0", nil, bad}, {iidActive, "-1.0", nil, bad}, {iidActive, "0.5", nil, bad},
		{iidActive, "1.0000000001", nil, bad}, {iidActive, "1e999", nil, bad}, {iidActive, `"true"`, nil, bad}, {iidActive, `"1.0"`, nil, bad},
		{iidActive, `"1"`, nil, bad}, {iidActive, "1.5", nil, bad}, {iidActive, "null", nil, bad}, {iidActive, "[1]", nil, bad},
		{iidActive, "99999999999999999999", nil, bad}, {iidActive, "{}", nil, bad},
		{iidKey, "4.0", 4, 0}, {iidKey, "1.6e1", 16, 0}, {iidKey, "4.5", nil, bad}, {iidKey, "17.0", nil, bad},
		{iidKey, "16", 16, 0}, {iidKey, "17", nil, bad}, {iidKey, "256", nil, bad},
		{iidName, `"Küche"`, "Küche", 0}, {iidName, `""`, "", 0}, {iidName, "5", nil, bad}, {iidName, "{}", nil, bad}, {iidName, "true", nil, bad}, {iidName, "1.0", nil, bad},
		{iidName, `"` + strings.Repeat("x", 64) + `"`, strings.Repeat("x", 64), 0}, {iidName, `"` + strings.Repeat("x", 65) + `"`, nil, bad},
		{iidName, `"` + strings.Repeat("ü", 33) + `"`, nil, bad}, // 66 bytes
		{iidShort, `"12345"`, "12345", 0}, {iidShort, `"123456"`, nil, bad},
		{iidOrder, `"AQQBAAAA"`, "AQQBAAAA", 0}, {iidOrder, `"AQQB*AAA"`, nil, bad}, {iidOrder, `"AQQ"`, nil, bad}, {iidOrder, "1", nil, bad}, {iidOrder, "true", nil, bad},
		{iidInput, "3.0", 3, 0}, {iidInput, "4294967295.0", 4294967295, 0}, {iidInput, "4294967296.0", nil, bad},
		{iidInput, "4294967295", 4294967295, 0}, {iidInput, "4294967296", nil, bad}, {iidInput, "-1", nil, bad},
		{iidWord, "65535", 65535, 0}, {iidWord, "65536", nil, bad},
		{iidPercent, "5", 5, 0}, {iidPercent, "100", 100, 0}, {iidPercent, "105", nil, bad}, {iidPercent, "3", nil, bad}, {iidPercent, "1e999", nil, bad},
		{iidOffset, "-10", -10, 0}, {iidOffset, "5", 5, 0}, {iidOffset, "3", nil, bad}, {iidOffset, "15", nil, bad},
		{iidOffset, "-5.0", -5, 0}, {iidOffset, "-2.5", nil, bad}, {iidOffset, "18446744073709551611", nil, bad}, // -5 as a uint64
		{iidOffset, "9223372036854775808", nil, bad}, {iidOffset, "-9223372036854775808", nil, bad}, {iidOffset, "1e300", nil, bad},
		{iidChoice, "4", 4, 0}, {iidChoice, "3", nil, bad},
		{iidSwitch, "true", true, 0}, {iidSwitch, "false", false, 0}, {iidSwitch, "1", true, 0}, {iidSwitch, "0", false, 0},
		{iidSwitch, "2", nil, bad}, {iidSwitch, `"true"`, nil, bad},
		{iidSwitch, "1.0", true, 0}, {iidSwitch, "0.0", false, 0}, {iidSwitch, "0.5", nil, bad}, {iidSwitch, "null", nil, bad},
	} {
		before := f.m.cs[tc.iid].Value()
		a := c.must(t, "PUT", "/characteristics", putBody(tc.iid, tc.value))
		want := before
		if tc.status == 0 {
			want = tc.want
			if a.status != http.StatusNoContent || len(a.body) > 0 || a.header.Get("Content-Length") != "" {
				t.Errorf("%d = %s: %d %s", tc.iid, tc.value, a.status, a.body)
			}
		} else if body := fmt.Sprintf(`{"characteristics":[{"aid":1,"iid":%d,"status":%d}]}`, tc.iid, tc.status); a.status != 207 || string(a.body) != body {
			t.Errorf("%d = %s: %d %s", tc.iid, tc.value, a.status, a.body)
		}
		if got := f.m.cs[tc.iid].Value(); !reflect.DeepEqual(got, want) {
			t.Errorf("%d = %s: %#v is stored, want %#v", tc.iid, tc.value, got, want)
		}
	}
}

// hap v0.0.35 left out of a 207 what had succeeded.
func TestMultiStatusHasEveryItem(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	f.m.cs[iidWord].SetValueRequestFunc = func(any, *http.Request) (any, int) { return nil, -70402 }
	c := f.connect(t, nil)
	a := c.must(t, "PUT", "/characteristics", `{"characteristics":[
		{"aid":1,"iid":11,"value":1},{"aid":1,"iid":22,"value":"x"},{"aid":1,"iid":99,"value":1},{"aid":2,"iid":11,"value":1},
		{"aid":1,"iid":12,"ev":true},{"aid":1,"iid":13},{"aid":1,"iid":25,"value":1},{"aid":1,"iid":13,"ev":true},
		{"aid":1,"iid":12,"value":1,"ev":true}]}`)
	want := `{"characteristics":[{"aid":1,"iid":11,"status":0},{"aid":1,"iid":22,"status":-70404},{"aid":1,"iid":99,"status":-70409},` +
		`{"aid":2,"iid":11,"status":-70409},{"aid":1,"iid":12,"status":-70406},{"aid":1,"iid":13,"status":-70410},` +
		`{"aid":1,"iid":25,"status":-70402},{"aid":1,"iid":13,"status":0},{"aid":1,"iid":12,"status":-70406}]}`
	if a.status != 207 || string(a.body) != want || a.header.Get("Content-Type") != typeJSON {
		t.Errorf("%d %s", a.status, a.body)
	}
	if f.m.cs[iidActive].Value() != 1 {
		t.Error("the first write is lost")
	}
}

func TestWriteMalformed(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.connect(t, nil)
	for body, want := range map[string]int{
		"":                      400,
		"{":                     400,
		"[]":                    400,
		`{"characteristics":1}`: 400,
		`{"characteristics":[{"aid":"1","iid":11,"value":1}]}`:              400,
		`{"characteristics":[{"aid":-1,"iid":11,"value":1}]}`:               400,
		`{"characteristics":[{"aid":1,"iid":11,"value":1}]}x`:               400,
		`{"characteristics":[{"aid":1,"iid":11,"ev":"yes"}]}`:               400,
		"{\"characteristics\":[{\"aid\":1,\"iid\":13,\"value\":\"\xff\"}]}": 400,
		`{"characteristics":[{"aid":1,"iid":11,"value":1}],"pid":-1}`:       400,
		`{}`:                       422,
		`null`:                     422,
		`{"characteristics":[]}`:   422,
		`{"characteristics":[{}]}`: 422,
		`{"characteristics":[{"aid":1,"value":1}]}`: 422,
	} {
		if a := c.must(t, "PUT", "/characteristics", body); a.status != want || string(a.body) != `{"status":-70410}` {
			t.Errorf("%q: %d %s", body, a.status, a.body)
		}
	}
	if v := f.m.cs[iidActive].Value(); v != 0 {
		t.Errorf("active is %v", v)
	}
	for path, want := range map[string]int{"/nowhere": 404, "/accessories": 405} {
		if a := c.must(t, "PUT", path, "{}"); a.status != want {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestWriteResponse(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	f.m.cs[iidControl].SetValueRequestFunc = func(v any, r *http.Request) (any, int) { return "answer to " + v.(string), 0 }
	c := f.connect(t, nil)
	for body, want := range map[string]string{
		`{"aid":1,"iid":21,"value":"x","r":true}`:   `{"characteristics":[{"aid":1,"iid":21,"status":0,"value":"answer to x"}]}`,
		`{"aid":1,"iid":21,"value":"x","r":false}`:  ``,
		`{"aid":1,"iid":13,"value":"Bed","r":true}`: `{"characteristics":[{"aid":1,"iid":13,"status":0,"value":"Bed"}]}`,
		`{"aid":1,"iid":12,"value":4,"r":true}`:     ``, // cannot be read
		`{"aid":1,"iid":11,"value":9,"r":true}`:     `{"characteristics":[{"aid":1,"iid":11,"status":-70410}]}`,
	} {
		a := c.must(t, "PUT", "/characteristics", `{"characteristics":[`+body+`]}`)
		if string(a.body) != want || (a.status == 207) != (want != "") {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}

// hap v0.0.35 took any pid in a timed write and dereferenced nil without
// /prepare.
func TestTimedWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newPaired(t)
		defer f.startPiped(t)()
		got := f.m.handled(f.Server, iidLock)
		c, other := f.connect(t, nil), f.connect(t, nil)
		write := func(c *controller, pid string) int {
			return c.must(t, "PUT", "/characteristics", `{"characteristics":[{"aid":1,"iid":20,"value":1}]`+pid+`}`).status
		}
		prepare := func() {
			if a := c.must(t, "PUT", "/prepare", `{"ttl":1000,"pid":11122333}`); a.status != 200 || string(a.body) != `{"status":0}` {
				t.Fatalf("prepare: %d %s", a.status, a.body)
			}
		}
		if s := write(c, ""); s != 207 {
			t.Errorf("not timed: %d", s)
		}
		if s := write(c, `,"pid":11122333`); s != 207 {
			t.Errorf("not prepared: %d", s)
		}
		prepare()
		if s := write(c, `,"pid":11122334`); s != 207 {
			t.Errorf("wrong pid: %d", s)
		}
		prepare()
		if s := write(other, `,"pid":11122333`); s != 207 {
			t.Errorf("prepared by another connection: %d", s)
		}
		time.Sleep(time.Second)
		if s := write(c, `,"pid":11122333`); s != 207 {
			t.Errorf("too late: %d", s)
		}
		if len(got()) != 0 {
			t.Fatalf("handled %v", got())
		}
		prepare()
		time.Sleep(999 * time.Millisecond)
		if s := write(c, `,"pid":11122333`); s != 204 {
			t.Errorf("in time: %d", s)
		}
		if s := write(c, `,"pid":11122333`); s != 207 {
			t.Errorf("again: %d", s)
		}
		if len(got()) != 1 {
			t.Errorf("handled %v", got())
		}
		for body, want := range map[string]int{`{}`: 422, `{"ttl":1}`: 422, `{"ttl":"x","pid":1}`: 400, ``: 400, `{"ttl":18446744073709551615,"pid":1}`: 200} {
			if a := c.must(t, "PUT", "/prepare", body); a.status != want {
				t.Errorf("prepare %s: %d", body, a.status)
			}
		}
	})
}

func TestHandlerThatPanicsCostsOneConnection(t *testing.T) {
	t.Parallel()
	f := newPaired(t, func(o *Options) { o.Log = nil }).start(t)
	f.m.cs[iidWord].SetValueRequestFunc = func(any, *http.Request) (any, int) { panic("handler") }
	c, other := f.connect(t, nil), f.connect(t, nil)
	if a, err := c.do("PUT", "/characteristics", putBody(iidWord, "1")); err == nil {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := other.must(t, "GET", "/characteristics?id=1.13", nil); a.status != 200 {
		t.Errorf("another connection: %d", a.status)
	}
}

func TestSetOfTheProgram(t *testing.T) {
	t.Parallel()
	type key uint8
	f := newPaired(t)
	for _, tc := range []struct {
		iid       uint64
		set, want any
	}{
		{iidActive, uint8(1), 1}, {iidActive, 7, 1}, {iidActive, "1", 1}, {iidActive, key(0), 0}, {iidActive, nil, 0},
		{iidOffset, int64(-5), -5}, {iidOffset, float32(5), 5}, {iidOffset, 2.5, 5}, {iidSwitch, true, true}, {iidSwitch, 0, false},
		{iidOffset, uint64(1<<64 - 5), 5}, {iidName, "Bed", "Bed"}, {iidName, []byte("x"), "Bed"},
	} {
		f.Set(f.m.cs[tc.iid], tc.set, nil)
		if got := f.m.cs[tc.iid].Value(); got != tc.want {
			t.Errorf("%d set to %#v is %#v, want %#v", tc.iid, tc.set, got, tc.want)
		}
	}
	f.Notify(newModel().cs[iidActive]) // another server's: no effect
}

// FuzzWrite: whatever a controller sends, the answer is one of four, what is
// stored fits, and a 207 has as many items as the request.
func FuzzWrite(f *testing.F) {
	f.Add([]byte(`{"characteristics":[{"aid":1,"iid":11,"value":1}]}`))
	f.Add([]byte(`{"characteristics":[{"aid":1,"iid":13,"value":{"a":[1]},"ev":1,"r":true},{"aid":1,"iid":17,"value":-5}],"pid":3}`))
	f.Add([]byte(`{"characteristics":[{"aid":1,"iid":16,"value":1e400},{"aid":1,"iid":17,"value":18446744073709551615},{"aid":0,"iid":0,"value":null}]}`))
	f.Add([]byte(`{"characteristics":[null,{"aid":1,"iid":14,"value":"\u0000\ud800"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fx := newPaired(t, func(o *Options) { o.Log = nil })
		w := fx.serveBytes("PUT", "/characteristics", b)
		var in struct {
			Items []json.RawMessage `json:"characteristics"`
		}
		var out itemsJSON
		switch w.status {
		case 400, 422, 204:
		case 207:
			if json.Unmarshal(b, &in) != nil || json.Unmarshal(w.body.Bytes(), &out) != nil || len(in.Items) != len(out.Items) {
				t.Fatalf("%s\n%s", b, w.body.Bytes())
			}
		default:
			t.Fatalf("status %d", w.status)
		}
		for iid, c := range fx.m.cs {
			if v := c.Value(); v != nil && c.IsWritable() && v != 0 && v != "" && v != 1 {
				if _, ok := checkValue(c, v); !ok {
					t.Fatalf("%d is %#v", iid, v)
				}
			}
		}
	})
}

// serveBytes runs a request of a verified peer without a connection.
func (f *fixture) serveBytes(method, path string, b []byte) *response {
	p := &peer{s: f.Server, events: eventQueue{on: map[*cell]bool{}}}
	admin := f.admin.pairing(true)
	p.controller.Store(&admin)
	req := peerRequest(p, method, path, b)
	w := newResponse(req)
	f.routes.ServeHTTP(w, req)
	return w
}

package ddp_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// The bytes of docs/protocol.md §1, written out by hand.
func TestRequestsToTheByte(t *testing.T) {
	t.Parallel()
	const version = "device-discovery-protocol-version:00020020\n"
	const who = "user-credential:" + credential + "\nclient-type:a\nauth-type:C\n"
	tests := map[string]struct {
		request ddp.Request
		want    string
	}{
		"search":     {ddp.NewSearch(ddp.Version), "SRCH * HTTP/1.1\n" + version},
		"search PS5": {ddp.NewSearch(ddp.VersionPS5), "SRCH * HTTP/1.1\ndevice-discovery-protocol-version:00030010\n"},
		"wakeup":     {ddp.NewWakeup(credential), "WAKEUP * HTTP/1.1\n" + who + version},
		"launch":     {ddp.NewLaunch(credential), "LAUNCH * HTTP/1.1\n" + who + version},
		"no version": {ddp.Request{Method: "SRCH"}, "SRCH * HTTP/1.1\n" + version},
	}
	for name, test := range tests {
		if got := string(test.request.Marshal()); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if n := len(ddp.NewSearch(ddp.Version).Marshal()); n != 59 {
		t.Errorf("SRCH has %d bytes, want 59", n)
	}
}

// header writes a reply with further lines.
func reply(lines string) string { return "HTTP/1.1 200 Ok\nhost-id:a0b1c2d3e4f5\n" + lines }

func TestParseReplyLeniently(t *testing.T) {
	t.Parallel()
	base := ddp.Reply{Code: 200, HostID: "A0B1C2D3E4F5", RequestPort: 997}
	with := func(change func(*ddp.Reply)) ddp.Reply { r := base; change(&r); return r }
	tests := map[string]struct {
		raw  string
		want ddp.Reply
	}{
		"CRLF":              {"HTTP/1.1 200 Ok\r\nhost-id:A0B1C2D3E4F5\r\n\r\n", base},
		"trailing NUL":      {reply("\x00"), base},
		"trailing NULs":     {reply("host-name:x\x00\x00"), with(func(r *ddp.Reply) { r.HostName = "x" })},
		"leading blanks":    {"\n\r\n  \t" + reply(""), base},
		"indented":          {"HTTP/1.1 200 Ok\n\t  host-id : A0B1C2D3E4F5  \n", base},
		"header case":       {"HTTP/1.1 200 Ok\nHOST-ID:A0B1C2D3E4F5\nHost-Name:Den\n", with(func(r *ddp.Reply) { r.HostName = "Den" })},
		"first of two":      {reply("host-name:a\nhost-name:b\n"), with(func(r *ddp.Reply) { r.HostName = "a" })},
		"unknown header":    {reply("x-y:z\n"), base},
		"no colon":          {reply("nothing\n"), base},
		"colon in value":    {reply("host-name:a:b:c\n"), with(func(r *ddp.Reply) { r.HostName = "a:b:c" })},
		"HTTP/1.0 OK":       {"HTTP/1.0 200 OK\nhost-id:A0B1C2D3E4F5\n", base},
		"no phrase":         {"HTTP/1.1 200\nhost-id:A0B1C2D3E4F5\n", base},
		"last LF missing":   {"HTTP/1.1 200 Ok\nhost-id:A0B1C2D3E4F5", base},
		"rest mode":         {"HTTP/1.1 620 Standby\nhost-id:A0B1C2D3E4F5\n", with(func(r *ddp.Reply) { r.Code = 620 })},
		"port":              {reply("host-request-port:1234\n"), with(func(r *ddp.Reply) { r.RequestPort = 1234 })},
		"port 0":            {reply("host-request-port:0\n"), base},
		"port too large":    {reply("host-request-port:65536\n"), base},
		"port negative":     {reply("host-request-port:-1\n"), base},
		"port not a number": {reply("host-request-port:x\n"), base},
		"title in any case": {reply("running-app-titleid:cusa00129\n"), with(func(r *ddp.Reply) { r.TitleID = "CUSA00129" })},
		"control characters": {
			reply("host-name:\x1b[2Jx\ty\rz\x00\n"),
			with(func(r *ddp.Reply) { r.HostName = "[2Jx y z" }),
		},
		"value at the limit":     {reply("host-name:" + strings.Repeat("x", 256) + "\n"), with(func(r *ddp.Reply) { r.HostName = strings.Repeat("x", 256) })},
		"64 headers":             {reply(numbered(63)), base},
		"lines without a colon":  {reply(strings.Repeat("x\n", 200)), base},
		"datagram at the limit":  {reply(strings.Repeat("\n", 2048-len(reply("")))), base},
		"host-id after its time": {"HTTP/1.1 200 Ok\n" + numbered(63) + "host-id:A0B1C2D3E4F5\n", base},
	}
	for name, test := range tests {
		got, err := ddp.ParseReply([]byte(test.raw))
		if err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

// numbered returns so many different headers.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "x%d:y\n", i)
	}
	return b.String()
}

func TestDropReply(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		raw  string
		want error
	}{
		"empty":              {"", ddp.ErrMalformed},
		"blank":              {"\n\r\n \x00", ddp.ErrMalformed},
		"request":            {"SRCH * HTTP/1.1\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"status 404":         {"HTTP/1.1 404 No\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"status 2000":        {"HTTP/1.1 2000 Ok\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"no status":          {"HTTP/1.1\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"HTTP/2":             {"HTTP/2 200 Ok\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"no host-id":         {"HTTP/1.1 200 Ok\nhost-name:x\n", ddp.ErrMalformed},
		"blank host-id":      {"HTTP/1.1 200 Ok\nhost-id: \t\n", ddp.ErrMalformed},
		"not UTF-8":          {reply("host-name:\xff\n"), ddp.ErrMalformed},
		"value too long":     {reply("host-name:" + strings.Repeat("x", 257) + "\n"), ddp.ErrTooLarge},
		"unknown too long":   {reply("x:" + strings.Repeat("x", 257) + "\n"), ddp.ErrTooLarge},
		"duplicate too long": {reply("host-id:" + strings.Repeat("x", 257) + "\n"), ddp.ErrTooLarge},
		"65 headers":         {reply(numbered(64)), ddp.ErrTooLarge},
		"datagram too long":  {reply(strings.Repeat("\n", 2049-len(reply("")))), ddp.ErrTooLarge},
	}
	for name, test := range tests {
		got, err := ddp.ParseReply([]byte(test.raw))
		if !errors.Is(err, test.want) || got != (ddp.Reply{}) {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, test.want)
		}
	}
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"phone app":    "SRCH * HTTP/1.1\ndevice-discovery-protocol-version:00020020",
		"CRLF and NUL": "SRCH * HTTP/1.1\r\ndevice-discovery-protocol-version:00020020\r\n\r\n\x00",
		"no headers":   "SRCH * HTTP/1.1",
	}
	for name, raw := range good {
		got, err := ddp.ParseRequest([]byte(raw))
		if want := (ddp.Request{Method: "SRCH", Version: "00020020"}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	bad := map[string]string{
		"empty":       "",
		"reply":       reply(""),
		"lower case":  "srch * HTTP/1.1\n",
		"no protocol": "SRCH *\n",
		"other":       "GET / HTTP/1.1\n",
		"not UTF-8":   "SRCH * HTTP/1.1\nx:\xff\n",
	}
	for name, raw := range bad {
		if got, err := ddp.ParseRequest([]byte(raw)); !errors.Is(err, ddp.ErrMalformed) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestRequestErrorsHoldNoCredential(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"WAKEUP *\nuser-credential:" + credential,
		"user-credential:" + credential,
		"WAKEUP * HTTP/1.1\nuser-credential:" + strings.Repeat(credential, 5),
		"WAKEUP " + credential,
	} {
		_, err := ddp.ParseRequest([]byte(raw))
		if err == nil || strings.Contains(err.Error(), credential[:8]) {
			t.Errorf("%q: error %v", raw, err)
		}
	}
}

func TestMarshalForgesNoHeader(t *testing.T) {
	t.Parallel()
	r := ddp.Reply{Code: 200, HostID: "A", RequestPort: 1, HostName: "x\nhost-type:PS9\r\nsystem-version:1"}
	got, err := ddp.ParseReply(r.Marshal())
	if err != nil || got.HostType != "" || got.SystemVersion != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// FuzzParseReply: what was parsed keeps the limits, and means the same after
// it was written and parsed again.
func FuzzParseReply(f *testing.F) {
	for _, r := range records(f) {
		f.Add([]byte(r.Raw))
	}
	f.Add([]byte(reply("host-name:a\x00\rb\u2028\u0085c\n")))
	f.Add([]byte(reply("host-type:ɐⱯıſ\n")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := ddp.ParseReply(raw)
		if err != nil {
			if got != (ddp.Reply{}) || !errors.Is(err, ddp.ErrMalformed) && !errors.Is(err, ddp.ErrTooLarge) {
				t.Fatalf("got %+v, %v", got, err)
			}
			return
		}
		for _, value := range []string{got.HostID, got.HostType, got.HostName, got.Version, got.SystemVersion, got.AppName, got.TitleID} {
			if len(value) > ddp.MaxValue || strings.ContainsAny(value, "\x00\r\n\x1b") {
				t.Fatalf("value %q", value)
			}
		}
		if got.HostID == "" || got.RequestPort == 0 || len(raw) > ddp.MaxDatagram {
			t.Fatalf("accepted %+v", got)
		}
		again, err := ddp.ParseReply(got.Marshal())
		if err != nil || again != got {
			t.Fatalf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

// FuzzParseRequest has the property of FuzzParseReply.
func FuzzParseRequest(f *testing.F) {
	for _, r := range records(f) {
		f.Add([]byte(r.Raw))
	}
	f.Add(ddp.NewLaunch(credential).Marshal())
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := ddp.ParseRequest(raw)
		if err != nil {
			if got != (ddp.Request{}) {
				t.Fatalf("got %+v, %v", got, err)
			}
			return
		}
		again, err := ddp.ParseRequest(got.Marshal())
		if err != nil || again != got {
			t.Fatalf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

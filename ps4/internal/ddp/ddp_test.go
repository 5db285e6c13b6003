package ddp_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// The expected bytes are those of docs/protocol.md §1.
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

// reply returns a reply with additional lines.
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
		"odd title":         {reply("running-app-titleid:\xff, no id at all\n"), with(func(r *ddp.Reply) { r.TitleID = "ÿ, NO ID AT ALL" })},
		"long title":        {reply("running-app-titleid:" + strings.Repeat("x", 999) + "\n"), with(func(r *ddp.Reply) { r.TitleID = strings.Repeat("X", 256) })},
		"odd everything else": {
			reply("host-type:PS4\xff\nhost-request-port:\xff\nsystem-version:\xe3\x83\n\xff\xfe:\xff\nx:" + strings.Repeat("\xff", 999) + "\n\xff\n"),
			with(func(r *ddp.Reply) { r.HostType = "PS4ÿ" }),
		},
		"host-id twice":          {reply("host-id:" + strings.Repeat("x", 257) + "\n"), base},
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

// numbered returns n different headers.
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
		"empty":             {"", ddp.ErrMalformed},
		"blank":             {"\n\r\n \x00", ddp.ErrMalformed},
		"request":           {"SRCH * HTTP/1.1\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"status 404":        {"HTTP/1.1 404 No\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"status 2000":       {"HTTP/1.1 2000 Ok\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"no status":         {"HTTP/1.1\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"HTTP/2":            {"HTTP/2 200 Ok\nhost-id:A0B1C2D3E4F5\n", ddp.ErrMalformed},
		"no host-id":        {"HTTP/1.1 200 Ok\nhost-name:x\n", ddp.ErrMalformed},
		"blank host-id":     {"HTTP/1.1 200 Ok\nhost-id: \t\n", ddp.ErrMalformed},
		"host-id not UTF-8": {"HTTP/1.1 200 Ok\nhost-id:A0B1\xff\n", ddp.ErrMalformed},
		"host-id too long":  {"HTTP/1.1 200 Ok\nhost-id:" + strings.Repeat("A", 257) + "\n", ddp.ErrMalformed},
		"host-id hidden":    {"HTTP/1.1 200 Ok\nhost-id:A0B1\u200bC2\n", ddp.ErrMalformed},
		"65 headers":        {reply(numbered(64)), ddp.ErrTooLarge},
		"datagram too long": {reply(strings.Repeat("\n", 2049-len(reply("")))), ddp.ErrTooLarge},
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
		"not UTF-8":    "SRCH * HTTP/1.1\nx:\xff\n",
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
		"WAKEUP * HTTP/1.1\nuser-credential:" + strings.Repeat(credential, 40),
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

// names are raw header values and the text that they are repaired to.
var names = map[string]struct{ raw, want string }{
	"UTF-8":                   {"Pokémon™: ペルソナ 🎮", "Pokémon™: ペルソナ 🎮"},
	"cut after 2 of 3 bytes":  {"ペルソ\xe3\x83", "ペルソ"},
	"cut after 1 of 3 bytes":  {"ペルソ\xe3", "ペルソ"},
	"cut after 3 of 4 bytes":  {"Zoë 🎮\xf0\x9f\x8e", "Zoë 🎮"},
	"cut after ASCII":         {"Horizon\xe2\x84", "Horizon"},
	"cut after ASCII early":   {"Horizon\xe2", "Horizon"},
	"cut after a blank":       {"FINAL FANTASY \xe9", "FINAL FANTASY"},
	"cut, one rune":           {"\xe3", ""},
	"cut, then NUL padding":   {"ペ\xe3\x83\x00\x00", "ペ"},
	"Latin-1":                 {"Pok\xe9mon", "Pokémon"},
	"Latin-1 at the start":    {"\xc9toile", "Étoile"},
	"Latin-1 at the end":      {"Caf\xe9", "Café"},
	"Latin-1 twice":           {"Caf\xe9 Pok\xe9mon\xae", "Café Pokémon®"},
	"Latin-1, then a ghost":   {"\xfcber\xe2", "überâ"},
	"neither":                 {"a\x81\x82b\xe9c", "a\uFFFDb\uFFFDc"},
	"UTF-8 with damage":       {"Zoë \xff ペ", "Zoë \uFFFD ペ"},
	"damaged and cut":         {"Zoë \xff ペ\xe3\x83", "Zoë \uFFFD ペ"},
	"starts amid a rune":      {"\x83\xabソ", "\uFFFDソ"},
	"UTF-16 surrogate":        {"a\xed\xa0\x80b", "a\uFFFDb"},
	"control characters":      {"\x1b[2Jx\ty\rz\x00", "[2Jx y z"},
	"C1 control characters":   {"a\u009b2Jb\u0085c", "a 2Jb c"},
	"line separators":         {"a\u2028b\u2029c", "a b c"},
	"bidirectional overrides": {"\u202eabc\u202c \u2066d\u2069\u200f\u061c", "abc d"},
	"format characters":       {"a\u200bb\ufeffc\u00add\U000e0041", "abcd"},
	"only format characters":  {"\u202e\u200d", ""},
	"joined emoji":            {"\u200d👨\u200d👩\u200d👧\u200d", "👨\u200d👩\u200d👧"},
	"256 bytes":               {strings.Repeat("x", 256), strings.Repeat("x", 256)},
	"257 bytes":               {strings.Repeat("x", 257), strings.Repeat("x", 256)},
	"truncated in a rune":     {strings.Repeat("ペ", 100), strings.Repeat("ペ", 85)},
	"truncated after a blank": {strings.Repeat("x", 255) + " y", strings.Repeat("x", 255)},
	"long Latin-1":            {strings.Repeat("\xe9", 300), strings.Repeat("é", 128)},
	"Unicode blanks":          {"\u00a0\u3000a\u00a0b\u2003", "a\u00a0b"},
}

func TestNamesAreRepaired(t *testing.T) {
	t.Parallel()
	for name, test := range names {
		for _, header := range []string{"host-name", "running-app-name"} {
			got, err := ddp.ParseReply([]byte(reply(header + ":" + test.raw + "\n")))
			want := ddp.Reply{Code: 200, HostID: "A0B1C2D3E4F5", RequestPort: 997}
			if want.HostName = test.want; header != "host-name" {
				want.HostName, want.AppName = "", test.want
			}
			if err != nil || got != want {
				t.Errorf("%s, %s: got %+v, %v, want %+v", header, name, got, err, want)
			}
		}
	}
}

// These replies with names that are not UTF-8 were recorded.
func TestOddReplies(t *testing.T) {
	t.Parallel()
	for file, app := range map[string]string{
		"ddp_appname_cut_in_rune.bin": "ペルソ",
		"ddp_appname_latin1.bin":      "Pokémon",
	} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ddp.ParseReply(raw)
		if want := ps4("A0B1C2D3E4F5", "09508011", named("PS4-001"), runs("CUSA00129", app)); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", file, got, err, want)
		}
	}
}

// checkText fails the test unless every value is safe to show on a terminal.
func checkText(t *testing.T, values ...string) {
	t.Helper()
	for _, value := range values {
		bad := func(r rune) bool {
			return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200d'
		}
		if !utf8.ValidString(value) || len(value) > ddp.MaxValue || strings.ContainsFunc(value, bad) || strings.TrimSpace(value) != value {
			t.Fatalf("value %q", value)
		}
	}
}

// FuzzText checks that no text makes a reply invalid.
func FuzzText(f *testing.F) {
	for _, test := range names {
		f.Add(test.raw, test.raw, test.raw, "x:"+test.raw)
	}
	f.Fuzz(func(t *testing.T, name, app, title, line string) {
		for _, text := range []*string{&name, &app, &title, &line} {
			*text = strings.ReplaceAll(*text, "\n", " ")
		}
		if before, _, _ := strings.Cut(line, ":"); strings.EqualFold(strings.TrimSpace(before), "host-id") {
			return
		}
		raw := "HTTP/1.1 620 " + name + "\n" + line + "\nhost-name:" + name + "\nrunning-app-name:" + app +
			"\nrunning-app-titleid:" + title + "\nhost-id:A0B1C2D3E4F5\n"
		if len(raw) > ddp.MaxDatagram {
			return
		}
		got, err := ddp.ParseReply([]byte(raw))
		if err != nil || got.Code != ddp.CodeStandby || got.HostID != "A0B1C2D3E4F5" {
			t.Fatalf("got %+v, %v", got, err)
		}
		checkText(t, got.HostType, got.HostName, got.Version, got.SystemVersion, got.AppName, got.TitleID)
	})
}

// FuzzParseReply checks that replies are within the limits, and that marshalling
// and parsing them again changes nothing.
func FuzzParseReply(f *testing.F) {
	for _, r := range records(f) {
		f.Add([]byte(r.Raw))
	}
	f.Add([]byte(reply("host-name:a\x00\rb\u2028\u0085c\n")))
	f.Add([]byte(reply("host-type:ɐⱯıſ\n")))
	for _, test := range names {
		f.Add([]byte(reply("host-name:" + test.raw)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := ddp.ParseReply(raw)
		if err != nil {
			if got != (ddp.Reply{}) || !errors.Is(err, ddp.ErrMalformed) && !errors.Is(err, ddp.ErrTooLarge) {
				t.Fatalf("got %+v, %v", got, err)
			}
			return
		}
		checkText(t, got.HostID, got.HostType, got.HostName, got.Version, got.SystemVersion, got.AppName, got.TitleID)
		if got.HostID == "" || got.RequestPort == 0 || len(raw) > ddp.MaxDatagram {
			t.Fatalf("accepted %+v", got)
		}
		again, err := ddp.ParseReply(got.Marshal())
		if err != nil || again != got {
			t.Fatalf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

// FuzzParseRequest checks the same for requests.
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
		checkText(t, got.Credential, got.ClientType, got.AuthType, got.Version)
		again, err := ddp.ParseRequest(got.Marshal())
		if err != nil || again != got {
			t.Fatalf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

package rp_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

func TestFamilyOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hostType, version string
		want              rp.Family
		path, speaks      string
	}{
		{"PS5", "13600007", rp.PS5, "/sie/ps5/rp/sess/ctrl", "1.0"},
		{"PS5", "", rp.PS5, "/sie/ps5/rp/sess/ctrl", "1.0"},
		{"PS4", "13020000", rp.PS4, "/sie/ps4/rp/sess/ctrl", "10.0"},
		{"PS4", "08000000", rp.PS4, "/sie/ps4/rp/sess/ctrl", "10.0"},
		{"PS4", "07999999", rp.PS4At7, "/sce/rp/session/ctrl", "9.0"},
		{"PS4", "07000000", rp.PS4At7, "/sce/rp/session/ctrl", "9.0"},
		{"PS4", "06720000", rp.PS4At6, "/sce/rp/session/ctrl", "8.0"},
		{"PS4", "9510001", 0, "", ""},
		{"PS4", "", 0, "", ""},
		{"PS3", "08000000", 0, "", ""},
	} {
		got, err := rp.FamilyOf(tt.hostType, tt.version)
		if got != tt.want || (err == nil) != (tt.want != 0) {
			t.Errorf("%s %s: %v, %v", tt.hostType, tt.version, got, err)
		}
		if tt.want != 0 && (got.Dialect().ControlPath != tt.path || got.Dialect().Version != tt.speaks || rp.FamilyByVersion(tt.speaks) != tt.want) {
			t.Errorf("%s %s: path %s, version %s", tt.hostType, tt.version, got.Dialect().ControlPath, got.Dialect().Version)
		}
	}
	if rp.FamilyByVersion("5.0") != rp.PS4At7 || rp.FamilyByVersion("11.0") != 0 {
		t.Error("5.0 has to mean 9.0, and 11.0 nothing")
	}
}

// replies are replies as they may arrive, and what they mean.
var replies = map[string]struct {
	raw    string
	want   rp.Reply
	behind string // what the reader must still hold
	fails  error
}{
	"init": {
		raw:  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nrp-nonce: 6hDkbdt3b+t328TuB8k3Kw==\r\n\r\n",
		want: rp.Reply{Status: 200, Header: rp.Header{{Name: "Content-Length", Value: "0"}, {Name: "rp-nonce", Value: "6hDkbdt3b+t328TuB8k3Kw=="}}},
	},
	"frame behind it": {
		raw:    "HTTP/1.1 200 OK\r\nRP-Server-Type: x\r\n\r\n\x00\x00\x00\x00\x00\xfe\x00\x00",
		want:   rp.Reply{Status: 200, Header: rp.Header{{Name: "RP-Server-Type", Value: "x"}}},
		behind: "\x00\x00\x00\x00\x00\xfe\x00\x00",
	},
	"padded length": {
		raw:  "HTTP/1.1 200 OK\r\nContent-Length: 3     \r\n\r\nabc",
		want: rp.Reply{Status: 200, Header: rp.Header{{Name: "Content-Length", Value: "3"}}, Body: []byte("abc")},
	},
	"LF only, no phrase": {
		raw:  "HTTP/1.1 403\nRP-Application-Reason: 80108b10\n\n",
		want: rp.Reply{Status: 403, Header: rp.Header{{Name: "RP-Application-Reason", Value: "80108b10"}}},
	},
	"header at the limit": {
		raw:  "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 4096-24) + "\r\n\r\n",
		want: rp.Reply{Status: 200, Header: rp.Header{{Name: "A", Value: strings.Repeat("x", 4096-24)}}},
	},
	"header too long":   {raw: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 5000) + "\r\n\r\n", fails: rp.ErrProtocol},
	"too many lines":    {raw: "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 65) + "\r\n", fails: rp.ErrProtocol},
	"endless lines":     {raw: "HTTP/1.1 200 OK\r\n" + strings.Repeat("ab\r\n", 5000), fails: rp.ErrProtocol},
	"body too long":     {raw: "HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n", fails: rp.ErrProtocol},
	"huge body":         {raw: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", fails: rp.ErrProtocol},
	"negative body":     {raw: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", fails: rp.ErrProtocol},
	"another protocol":  {raw: "SSH-2.0-OpenSSH_9.2\r\n\r\n", fails: rp.ErrProtocol},
	"another with body": {raw: "220 mail ESMTP\r\nContent-Length: 5\r\n\r\n", fails: rp.ErrProtocol}, // without waiting for the body
	"garbage":           {raw: "\xff\xfe\x00\n\n", fails: rp.ErrProtocol},
	"nothing":           {raw: "", fails: io.EOF},
	"half a line":       {raw: "HTTP/1.1 200", fails: io.ErrUnexpectedEOF},
	"no empty line":     {raw: "HTTP/1.1 200 OK\r\n", fails: io.ErrUnexpectedEOF},
	"half a body":       {raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", fails: io.ErrUnexpectedEOF},
	"no body":           {raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", fails: io.ErrUnexpectedEOF},
}

func TestReadReply(t *testing.T) {
	t.Parallel()
	for name, tt := range replies {
		for how, r := range map[string]io.Reader{
			"at once": strings.NewReader(tt.raw), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.raw)),
		} {
			in := bufio.NewReader(r)
			got, err := rp.ReadReply(in)
			if !errors.Is(err, tt.fails) || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s %s: %+v, %v", name, how, got, err)
			}
			if err != nil {
				continue
			}
			if behind, err := io.ReadAll(in); err != nil || string(behind) != tt.behind {
				t.Errorf("%s %s: left %q, want %q", name, how, behind, tt.behind)
			}
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	r, err := rp.ReadReply(bufio.NewReader(bytes.NewReader(rp.Refusal(0x80108b11, rp.PS4At7).Marshal())))
	if err != nil || r.Status != 403 || r.Reason() != 0x80108b11 || r.Header.Get("rp-version") != "9.0" {
		t.Errorf("got %+v, %v", r, err)
	}
	if reason := (rp.Reply{Status: 404}).Reason(); reason != 0 {
		t.Errorf("reason %x without a header", reason)
	}
}

// Other clients send a stray line after the request line, and lower-case names.
func TestReadRequestOfOtherClients(t *testing.T) {
	t.Parallel()
	raw := "POST /sie/ps5/rp/sess/rgst HTTP/1.1\r\n HTTP/1.1\r\nhost: 10.0.2.15\r\ncontent-length: 2\r\n\r\nhi"
	r, err := rp.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil || r.Method != "POST" || r.Path != rp.PS5.Dialect().RegisterPath || r.Header.Get("Host") != "10.0.2.15" || string(r.Body) != "hi" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestRegisterByName(t *testing.T) {
	t.Parallel()
	r := rp.RegisterRequest{Family: rp.PS4At6, PIN: 1234567, OnlineID: "someone", AccountID: 1}
	req, err := rp.ReadRequest(bufio.NewReader(bytes.NewReader(r.Marshal())))
	if err != nil || req.Header.Get("RP-Version") != "" {
		t.Fatalf("got %+v, %v", req.Header, err)
	}
	if got, err := rp.ParseRegisterRequest(rp.PS4At6, 1234567, req); err != nil || got.OnlineID != "someone" || got.AccountID != 0 {
		t.Errorf("got %q, %v", got.OnlineID, err)
	}
}

func TestParseRegistrationRefuses(t *testing.T) {
	t.Parallel()
	const good = "PS5-RegistKey: 6431653266336134\r\nRP-Key: 00112233445566778899aabbccddeeff\r\n"
	if _, err := rp.ParseRegistration([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":            "",
		"garbage":            "\x8f\x00:\xff\r\n\r\n",
		"no RP-Key":          strings.Split(good, "RP-Key")[0],
		"short RP-Key":       strings.Replace(good, "eeff", "", 1),
		"RP-Key not hex":     strings.Replace(good, "eeff", "eegg", 1),
		"short RegistKey":    strings.Replace(good, "6134", "", 1),
		"RegistKey no digit": strings.Replace(good, "64", "67", 1),
	} {
		got, err := rp.ParseRegistration([]byte(text))
		if !errors.Is(err, rp.ErrProtocol) || got != (rp.Registration{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), "0011") || strings.Contains(err.Error(), "6431")) {
			t.Errorf("%s: the error %q holds a secret", name, err)
		}
	}
}

// pair returns the counters of both sides.
func pair() (client, console *rp.Counters) {
	c := rp.SessionCipher(rp.PS5, rp.Block{1}, rp.Block{2})
	return rp.NewCounters(c), rp.NewCounters(c)
}

func TestFramesHoweverTCPCutsThem(t *testing.T) {
	t.Parallel()
	client, console := pair()
	frames := []rp.Frame{
		rp.HomePressed(), {Type: rp.TypeHeartbeat}, rp.KeyboardOpen{Text: "ä"}.Marshal(), {Type: 0x41, Payload: make([]byte, rp.MaxPayload)},
		{Type: rp.TypeStandby}, rp.SessionID("InvalidSessionId").Marshal(),
	}
	var raw []byte
	for _, f := range frames {
		raw = f.Append(raw, client)
	}
	whole := *console
	for how, r := range map[string]io.Reader{"at once": bytes.NewReader(raw), "byte by byte": iotest.OneByteReader(bytes.NewReader(raw))} {
		c := whole
		for i, want := range frames {
			got, err := rp.ReadFrame(r, &c)
			if err != nil || got.Type != want.Type || !bytes.Equal(got.Payload, want.Payload) {
				t.Errorf("%s: frame %d: %v, %v", how, i, got, err)
			}
		}
		if _, err := rp.ReadFrame(r, &c); !errors.Is(err, io.EOF) {
			t.Errorf("%s: at the end: %v", how, err)
		}
	}
}

func TestReadFrameRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		raw  string
		want error
	}{
		"oversized":      {"\x00\x00\x40\x01\x00\x33\x00\x00", rp.ErrProtocol},
		"huge":           {"\xff\xff\xff\xff\x00\x33\x00\x00", rp.ErrProtocol},
		"half a header":  {"\x00\x00\x00", io.ErrUnexpectedEOF},
		"half a payload": {"\x00\x00\x00\x02\x00\x33\x00\x00x", io.ErrUnexpectedEOF},
		"no payload":     {"\x00\x00\x00\x02\x00\x33\x00\x00", io.ErrUnexpectedEOF},
	} {
		_, console := pair()
		if _, err := rp.ReadFrame(strings.NewReader(tt.raw), console); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	for _, tt := range replies {
		f.Add([]byte(tt.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := rp.ReadReply(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil || len(got.Marshal())-len(got.Body) > rp.MaxHead { // as spaces after the colons may make it
			return
		}
		again, err := rp.ReadReply(bufio.NewReader(bytes.NewReader(got.Marshal())))
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

func FuzzReadRequest(f *testing.F) {
	r := rp.RegisterRequest{Family: rp.PS5, PIN: 12345678}
	f.Add(r.Marshal())
	f.Add(rp.InitRequest{Family: rp.PS4, RegistKey: "d1e2f3a4"}.Marshal())
	f.Add([]byte("GET / HTTP/1.1\n HTTP/1.1\n:\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := rp.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil || len(got.Marshal())-len(got.Body) > rp.MaxHead { // as spaces after the colons may make it
			return
		}
		again, err := rp.ReadRequest(bufio.NewReader(bytes.NewReader(got.Marshal())))
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

func FuzzParseRegistration(f *testing.F) {
	for _, v := range readVectors(f).Replies {
		f.Add([]byte(v.Plain))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := rp.ParseRegistration(text)
		if err != nil {
			return
		}
		again, err := rp.ParseRegistration(got.Marshal())
		if err != nil || again != got {
			t.Fatalf("got %+v, then %+v, %v", got, again, err)
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	for _, v := range readVectors(f).Frames {
		f.Add([]byte(v.Wire))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		console, client := pair()
		r := bytes.NewReader(raw)
		got, err := rp.ReadFrame(r, console)
		if err != nil {
			return
		}
		again := got.Append(nil, client)
		again[6], again[7] = raw[6], raw[7] // unused
		if !bytes.Equal(again, raw[:len(raw)-r.Len()]) {
			t.Fatalf("got %v, marshalled %x", got, again)
		}
	})
}

// FuzzMessages checks that parsing what a message marshals to returns it.
func FuzzMessages(f *testing.F) {
	for _, v := range readVectors(f).Frames {
		f.Add([]byte(v.Plain))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		frame := rp.Frame{Payload: payload}
		if got, err := rp.ParseKeyboardText(frame); err == nil {
			if again, err := rp.ParseKeyboardText(got.Marshal(rp.TypeKeyboardText)); err != nil || again != got {
				t.Fatalf("got %+v, then %+v, %v", got, again, err)
			}
		}
		if got, err := rp.ParseKeyboardOpen(frame); err == nil {
			if again, err := rp.ParseKeyboardOpen(got.Marshal()); err != nil || again != got {
				t.Fatalf("got %+v, then %+v, %v", got, again, err)
			}
		}
		if got, err := rp.ParseSessionID(frame); err == nil {
			if again, err := rp.ParseSessionID(got.Marshal()); err != nil || again != got {
				t.Fatalf("got %q, then %q, %v", got, again, err)
			}
		}
	})
}

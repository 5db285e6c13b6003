package rp_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

// data is bytes in hex.
type data []byte

func (d *data) UnmarshalText(text []byte) (err error) {
	*d, err = hex.AppendDecode(nil, text)
	return err
}

func (d data) block() rp.Block { return rp.Block(d) }

// vectors are the answers that other implementations computed; the file says
// which. Package takion uses the parts about the stream.
type vectors struct {
	Registration []struct {
		Flavour   string
		PIN       string
		Account   string `json:"account_b64"`
		Nonce     data
		Fill      data   `json:"context_fill"`
		Text      string `json:"text_text"`
		Body      data
		Key       data
		IVCounter data `json:"iv_counter0"`
	}
	Rows []struct {
		Flavour string
		Context data `json:"context_before"`
		PIN     string
		Nonce   data
		Key     data
		Hidden  data     `json:"hidden_nonce"`
		At      []string `json:"hidden_at"`
	} `json:"registration_rows"`
	Replies []struct {
		Flavour string
		PIN     string
		Nonce   data
		Fill    data   `json:"context_fill"`
		Plain   string `json:"plain_text"`
		Sealed  data
	} `json:"registration_reply"`
	SessionKeys []struct {
		Flavour string
		Nonce   data
		RPKey   data `json:"rp_key"`
		Key     data
		IV      data `json:"iv_material"`
	} `json:"session_keys"`
	Counters []struct {
		Flavour string
		Nonce   data
		RPKey   data `json:"rp_key"`
		Counter uint64
		IV      data
		Plain   data
		Sealed  data
	}
	ControlHeaders []struct {
		Flavour   string
		Nonce     data
		RPKey     data   `json:"rp_key"`
		RegistKey string `json:"regist_key_digits_text"`
		OnWire    string `json:"regist_key_header_text"`
		Request   []struct {
			Header  string
			Counter int
			Plain   data
			Value   string `json:"value_b64"`
		}
		ServerType string `json:"reply_RP-Server-Type_b64"`
		Next       int    `json:"next_client_counter"`
	} `json:"ctrl_headers"`
	Frames []struct {
		Flavour string
		Nonce   data
		RPKey   data `json:"rp_key"`
		From    string
		Name    string
		Type    string
		Counter *int
		Plain   data
		Wire    data
	} `json:"ctrl_frames"`
	Wake []struct {
		OnWire     string `json:"regist_key_header_text"`
		Digits     string `json:"regist_key_digits_text"`
		Credential string `json:"user_credential_text"`
	}
	Account []struct {
		ID     string `json:"user_id_text"`
		Base64 string `json:"account_b64"`
	}
}

func readVectors(t testing.TB) *vectors {
	t.Helper()
	raw, err := os.ReadFile("testdata/rp-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	v := &vectors{}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
	return v
}

func family(flavour string) rp.Family {
	return map[string]rp.Family{"ps5": rp.PS5, "ps4-10": rp.PS4, "ps4-9": rp.PS4At7, "ps4-8": rp.PS4At6}[flavour]
}

func number(t testing.TB, text string, bits int) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func registration(t testing.TB, flavour, pin string, nonce data, fill byte) rp.RegisterRequest {
	r := rp.RegisterRequest{Family: family(flavour), Host: "10.0.2.15", PIN: uint32(number(t, pin, 32)), Nonce: nonce.block()}
	for i := range r.Context {
		r.Context[i] = fill
	}
	return r
}

func TestRegistrationVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Registration {
		r := registration(t, v.Flavour, v.PIN, v.Nonce, v.Fill[0])
		id, err := rp.DecodeAccountID(v.Account)
		if err != nil {
			t.Fatal(err)
		}
		r.AccountID = id
		if r.Text() != v.Text {
			t.Errorf("%s: text %q, want %q", v.Flavour, r.Text(), v.Text)
		}
		head, body, _ := strings.Cut(string(r.Marshal()), "\r\n\r\n")
		if body != string(v.Body) {
			t.Errorf("%s, PIN %s: body %x, want %x", v.Flavour, v.PIN, body, v.Body)
		}
		for _, want := range []string{
			"POST " + r.Family.Dialect().RegisterPath + " HTTP/1.1", "\r\nHOST: 10.0.2.15\r\nUser-Agent: remoteplay Windows\r\nConnection: close\r\n",
			"\r\nContent-Length: " + strconv.Itoa(len(v.Body)), "\r\nRP-Version: " + r.Family.Dialect().Version,
		} {
			if !strings.Contains(head, want) {
				t.Errorf("%s: head %q lacks %q", v.Flavour, head, want)
			}
		}
		req, err := rp.ReadRequest(bufio.NewReader(bytes.NewReader(r.Marshal())))
		if err != nil {
			t.Fatal(err)
		}
		got, err := rp.ParseRegisterRequest(r.Family, r.PIN, req)
		if err != nil || got.Nonce != r.Nonce || got.AccountID != id {
			t.Errorf("%s: parsed %v, %v", v.Flavour, got.AccountID, err)
		}
		if _, err := rp.ParseRegisterRequest(r.Family, r.PIN^1, req); err == nil {
			t.Errorf("%s: a wrong PIN opens the request", v.Flavour)
		}
	}
}

func TestRegistrationRowVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Rows {
		r := registration(t, v.Flavour, v.PIN, v.Nonce, 0)
		r.Context = [rp.ContextSize]byte(v.Context)
		if key := rp.RegisterKey(r.Family, &r.Context, r.PIN); key != v.Key.block() {
			t.Errorf("%s: key %x, want %x", v.Flavour, key, v.Key)
		}
		_, body, _ := strings.Cut(string(r.Marshal()), "\r\n\r\n")
		var hidden string
		for _, at := range v.At {
			hidden += place(t, body, at)
		}
		if hidden != string(v.Hidden) {
			t.Errorf("%s: hidden nonce %x, want %x", v.Flavour, hidden, v.Hidden)
		}
	}
}

// place returns the bytes of body that "0..7 at 0x191" names.
func place(t *testing.T, body, at string) string {
	t.Helper()
	span, offset, _ := strings.Cut(at, " at ")
	first, last, _ := strings.Cut(span, "..")
	start, err := strconv.ParseUint(offset, 0, 16)
	if err != nil {
		t.Fatal(err)
	}
	return body[start : start+number(t, last, 8)-number(t, first, 8)+1]
}

func TestRegistrationReplyVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Replies {
		r := registration(t, v.Flavour, v.PIN, v.Nonce, v.Fill[0])
		if got := string(r.Cipher().Open(0, v.Sealed)); got != v.Plain {
			t.Errorf("%s: opened %q, want %q", v.Flavour, got, v.Plain)
		}
		if got := r.Cipher().Seal(0, []byte(v.Plain)); !bytes.Equal(got, v.Sealed) {
			t.Errorf("%s: sealed %x, want %x", v.Flavour, got, v.Sealed)
		}
		got, err := rp.ParseRegistration([]byte(v.Plain))
		want := rp.Registration{HostType: "PS4", HostID: "0123456789AB", Nickname: "PS4-001", KeyType: "2", RegistKey: "0a1b2c3d", Key: got.Key}
		if r.Family == rp.PS5 {
			want.HostType, want.Nickname, want.RegistKey, want.SupportCmd = "PS5", "Wohnzimmer", "d1e2f3a4", "140000"
		}
		if string(got.Marshal()) != v.Plain {
			t.Errorf("%s: marshalled %q, want %q", v.Flavour, got.Marshal(), v.Plain)
		}
		if err != nil || got != want || !strings.Contains(v.Plain, "RP-Key: "+hex.EncodeToString(got.Key[:])) {
			t.Errorf("%s: parsed %+v, %v", v.Flavour, got, err)
		}
	}
}

func TestSessionKeyVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).SessionKeys {
		key, iv := rp.SessionKeys(family(v.Flavour), v.Nonce.block(), v.RPKey.block())
		if key != v.Key.block() || iv != v.IV.block() {
			t.Errorf("%s: key %x, IV material %x, want %x, %x", v.Flavour, key, iv, v.Key, v.IV)
		}
	}
}

func TestCounterVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Counters {
		c := rp.SessionCipher(family(v.Flavour), v.Nonce.block(), v.RPKey.block())
		if iv := rp.IV(c, v.Counter); !bytes.Equal(iv, v.IV) {
			t.Errorf("%s %d: IV %x, want %x", v.Flavour, v.Counter, iv, v.IV)
		}
		if got := c.Seal(v.Counter, v.Plain); !bytes.Equal(got, v.Sealed) {
			t.Errorf("%s %d: sealed %x, want %x", v.Flavour, v.Counter, got, v.Sealed)
		}
		if got := c.Open(v.Counter, v.Sealed); !bytes.Equal(got, v.Plain) {
			t.Errorf("%s %d: opened %x, want %x", v.Flavour, v.Counter, got, v.Plain)
		}
	}
}

func TestControlHeaderVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).ControlHeaders {
		f := family(v.Flavour)
		client := rp.NewCounters(rp.SessionCipher(f, v.Nonce.block(), v.RPKey.block()))
		r := rp.ControlRequest{Family: f, Host: "192.168.1.20:9295", RegistKey: v.RegistKey, DeviceID: rp.Block(v.Request[1].Plain[10:26])}
		raw := r.Marshal(client)
		req, err := rp.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range v.Request {
			if got := req.Header.Get(h.Header); got != h.Value {
				t.Errorf("%s: %s is %s, want %s", v.Flavour, h.Header, got, h.Value)
			}
		}
		if sent, _ := rp.Spent(client); sent != uint64(v.Next) {
			t.Errorf("%s: %d counters spent, want %d", v.Flavour, sent, v.Next)
		}
		console := rp.NewCounters(rp.SessionCipher(f, v.Nonce.block(), v.RPKey.block()))
		if got, err := rp.ParseControlRequest(f, console, req); err != nil || got != r {
			t.Errorf("%s: parsed %v, %v", v.Flavour, got, err)
		}
		if _, received := rp.Spent(console); received != uint64(v.Next) {
			t.Errorf("%s: the console spent %d counters, want %d", v.Flavour, received, v.Next)
		}
		init := rp.InitRequest{Family: f, Host: "192.168.1.20:9295", RegistKey: v.RegistKey}
		if raw := string(init.Marshal()); !strings.Contains(raw, "\r\nContent-Length: 0\r\nRP-Registkey: "+v.OnWire+"\r\nRp-Version: "+f.Dialect().Version+"\r\n\r\n") {
			t.Errorf("%s: init %q", v.Flavour, raw)
		}
		reply := rp.Reply{Status: 200, Header: rp.Header{{Name: "rp-server-type", Value: v.ServerType}}}
		model, err := rp.ParseControlReply(client, reply)
		want := byte(rp.ModelPS4)
		if f == rp.PS5 {
			want = rp.ModelPS5
		}
		if err != nil || model.Model > rp.ModelPS5 || f == rp.PS5 && model.Model != want {
			t.Errorf("%s: model %d, %v", v.Flavour, model.Model, err)
		}
	}
}

func TestFrameVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Frames {
		c := rp.SessionCipher(family(v.Flavour), v.Nonce.block(), v.RPKey.block())
		at := 0
		if v.Counter != nil {
			at = *v.Counter
		}
		kind, err := strconv.ParseUint(v.Type, 0, 16)
		if err != nil {
			t.Fatal(err)
		}
		want := rp.Frame{Type: rp.Type(kind), Payload: v.Plain}
		if got := want.Append(nil, rp.CountersAt(c, at)); !bytes.Equal(got, v.Wire) {
			t.Errorf("%s %s: marshalled %x, want %x", v.Flavour, v.Name, got, v.Wire)
		}
		got, err := rp.ReadFrame(bytes.NewReader(v.Wire), rp.CountersAt(c, at))
		if err != nil || got.Type != want.Type || !bytes.Equal(got.Payload, want.Payload) {
			t.Errorf("%s %s: read %x %x, %v", v.Flavour, v.Name, got.Type, got.Payload, err)
		}
		checkMessage(t, v.Name, want)
	}
}

// checkMessage compares a frame of the vectors with the message that makes it.
func checkMessage(t *testing.T, name string, want rp.Frame) {
	t.Helper()
	var got rp.Frame
	switch name {
	case "home":
		got = rp.HomePressed()
	case "keyboard text":
		text, err := rp.ParseKeyboardText(want)
		if err != nil || text != (rp.KeyboardText{Counter: 1, Text: "Grüße"}) {
			t.Errorf("%s: %+v, %v", name, text, err)
		}
		got = text.Marshal(want.Type)
	case "keyboard accept", "keyboard reject":
		got = rp.KeyboardEnd(name == "keyboard accept")
	case "session id":
		id, err := rp.ParseSessionID(want)
		if err != nil || len(id) != 74 {
			t.Errorf("%s: %q, %v", name, id, err)
		}
		got = id.Marshal()
	case "passcode 4711":
		got = rp.Frame{Type: rp.TypePasscode, Payload: []byte("4711")}
	case "login good":
		got = rp.Frame{Type: rp.TypeLogin, Payload: []byte{rp.LoginGood}}
	case "login wrong passcode":
		got = rp.Frame{Type: rp.TypeLogin, Payload: []byte{rp.LoginWrongPasscode}}
	case "standby":
		got = rp.Frame{Type: rp.TypeStandby}
	case "heartbeat":
		got = rp.Frame{Type: rp.TypeHeartbeat}
	case "heartbeat answer":
		got = rp.Frame{Type: rp.TypeHeartbeatAnswer}
	case "passcode request":
		got = rp.Frame{Type: rp.TypePasscodeWanted}
	default:
		t.Errorf("no message for %q", name)
	}
	if got.Type != want.Type || !bytes.Equal(got.Payload, want.Payload) {
		t.Errorf("%s: message %x %x, want %x %x", name, got.Type, got.Payload, want.Type, want.Payload)
	}
}

func TestWakeVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Wake {
		r, err := rp.ParseInitRequest(rp.Request{Header: rp.Header{{Name: "RP-Registkey", Value: v.OnWire}}})
		if err != nil || r.RegistKey != v.Digits {
			t.Errorf("%s: digits %q, %v", v.OnWire, r.RegistKey, err)
		}
		if got, err := rp.WakeCredential(v.Digits); err != nil || uint64(got) != number(t, v.Credential, 32) {
			t.Errorf("%s: credential %d, %v, want %s", v.Digits, got, err, v.Credential)
		}
	}
}

func TestAccountVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Account {
		id := number(t, v.ID, 64)
		got, err := rp.DecodeAccountID(v.Base64)
		if err != nil || got != id || rp.EncodeAccountID(id) != v.Base64 {
			t.Errorf("%s: %d, %v, %s", v.ID, got, err, rp.EncodeAccountID(id))
		}
	}
	if _, err := rp.DecodeAccountID(base64.StdEncoding.EncodeToString(make([]byte, 9))); err == nil {
		t.Error("9 bytes are an account id")
	}
}

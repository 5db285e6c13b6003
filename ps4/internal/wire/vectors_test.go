package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// vector is a packet of testdata/vectors.json. It comes from ps4-waker 1.10.1 or
// from the layouts that several clients agree on, never from this code.
type vector struct {
	Packet    string
	Args      args
	Plain     hexBytes
	Encrypted hexBytes
	Key, IV   hexBytes
}

type args struct {
	PIN, Passcode, Title, Text, Key, Command string
	Model                                    string
	AppLabel                                 string `json:"app_label"`
	OSVersion                                string `json:"os_version"`
	Op, Hold, Caret                          uint32
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func vectors(t testing.TB) (clients []vector, console map[string]vector) {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Packets []vector
		Console map[string]vector
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Packets) == 0 || len(file.Console) == 0 {
		t.Fatal("no vectors")
	}
	return file.Packets, file.Console
}

const credential = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// message returns our packet for the vector.
func (v vector) message() (wire.Message, bool) {
	switch v.Packet {
	case "hello":
		return wire.Hello{Version: wire.ProtocolVersion}, true
	case "login":
		// The defaults of ps4-waker, as in the plain text.
		l := wire.Login{Credential: credential, AppLabel: "PlayStation", OSVersion: "4.4", Model: "PS4 Waker holdouthost"}
		if v.Args.AppLabel != "" {
			l.AppLabel, l.Model, l.OSVersion = v.Args.AppLabel, v.Args.Model, v.Args.OSVersion
		}
		l.PIN, l.Passcode = v.Args.PIN, v.Args.Passcode
		return l, true
	case "status":
		return wire.Word{Type: wire.TypeStatus}, true
	case "standby":
		return wire.Empty{Type: wire.TypeStandby}, true
	case "boot":
		return wire.Boot{TitleID: v.Args.Title}, true
	case "rc":
		return wire.Remote{Operation: operations[v.Args.Key], HoldMS: v.Args.Hold}, true
	case "osk_start":
		return wire.Empty{Type: wire.TypeKeyboardStart}, true
	case "osk_change":
		return wire.NewKeyboardText(v.Args.Text), true
	case "osk_control":
		return wire.Word{Type: wire.TypeKeyboardControl, Value: controls[v.Args.Command]}, true
	case "logout":
		return wire.Empty{Type: wire.TypeLogout}, true
	case "bye":
		return wire.Empty{Type: wire.TypeBye}, true
	}
	return nil, false
}

var (
	operations = map[string]wire.Operation{
		"UP": wire.OpUp, "DOWN": wire.OpDown, "RIGHT": wire.OpRight, "LEFT": wire.OpLeft,
		"ENTER": wire.OpEnter, "BACK": wire.OpBack,
	}
	controls = map[string]uint32{"return": wire.KeyboardReturn, "close": wire.KeyboardClose}
)

func TestPeersPackets(t *testing.T) {
	t.Parallel()
	clients, _ := vectors(t)
	for _, v := range clients {
		t.Run(v.Packet, func(t *testing.T) {
			t.Parallel()
			m, known := v.message()
			if !known {
				t.Fatal("unknown packet")
			}
			if got := m.Marshal(); !bytes.Equal(got, v.Plain) {
				t.Errorf("plain\n got %x\nwant %x", got, []byte(v.Plain))
			}
			if v.Encrypted == nil {
				return // the hello is not encrypted
			}
			if got := v.encrypt(t, m); !bytes.Equal(got, v.Encrypted) {
				t.Errorf("encrypted\n got %x\nwant %x", got, []byte(v.Encrypted))
			}
			if got := v.decrypt(t); !bytes.Equal(got.Body, v.Plain[8:]) {
				t.Errorf("decrypted body %x, want %x", got.Body, []byte(v.Plain[8:]))
			}
		})
	}
}

func (v vector) keys() (key [16]byte, iv [16]byte) {
	copy(key[:], v.Key)
	copy(iv[:], v.IV)
	return key, iv
}

func (v vector) encrypt(t *testing.T, m wire.Message) []byte {
	t.Helper()
	var out bytes.Buffer
	key, iv := v.keys()
	if err := wire.NewConn(&out, key, iv).Write(m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (v vector) decrypt(t *testing.T) wire.Packet {
	t.Helper()
	key, iv := v.keys()
	p, err := wire.NewConn(bytes.NewBuffer(slices.Clone(v.Encrypted)), key, iv).Read()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestConsolesPackets parses the packets of a console and marshals them again.
func TestConsolesPackets(t *testing.T) {
	t.Parallel()
	word := func(kind wire.Type, value uint32) wire.Message { return wire.Word{Type: kind, Value: value} }
	want := map[string]wire.Message{
		"login_result ok":         word(wire.TypeLoginResult, 0),
		"login_result pin needed": word(wire.TypeLoginResult, 20),
		"heartbeat":               word(wire.TypeHeartbeat, 0),
		"heartbeat osk open":      word(wire.TypeHeartbeat, wire.HeartbeatKeyboard),
		"standby_result ok":       word(wire.TypeStandbyResult, 0),
		"boot_result ok":          word(wire.TypeBootResult, 0),
		"boot_result other app":   word(wire.TypeBootResult, 12),
		"osk_start_result 'abc'":  wire.KeyboardStarted{Kind: 0x414, MaxLength: 64, Text: "abc"},
		"osk_changed":             wire.KeyboardText{PreEditIndex: 1, PreEditLength: 2, Caret: 5, EditIndex: 3, EditLength: 4, Text: "from the television"},
	}
	_, console := vectors(t)
	if len(console) != len(want)+1 {
		t.Errorf("%d packets, %d expectations", len(console), len(want)+1)
	}
	for name, m := range want {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, found := console[name]
			if !found {
				t.Fatal("no such vector")
			}
			if got := parse(t, v.decrypt(t)); got != m {
				t.Errorf("got %+v, want %+v", got, m)
			}
			if got := m.Marshal(); !bytes.Equal(got, v.Plain) {
				t.Errorf("plain\n got %x\nwant %x", got, []byte(v.Plain))
			}
			if got := v.encrypt(t, m); !bytes.Equal(got, v.Encrypted) {
				t.Errorf("encrypted\n got %x\nwant %x", got, []byte(v.Encrypted))
			}
		})
	}
}

// parse parses a packet of a console.
func parse(t *testing.T, p wire.Packet) wire.Message {
	t.Helper()
	var m wire.Message
	var err error
	switch p.Type {
	case wire.TypeKeyboardStarted:
		m, err = wire.UnmarshalKeyboardStarted(p)
	case wire.TypeKeyboardText:
		m, err = wire.UnmarshalKeyboardText(p)
	default:
		var value uint32
		value, err = wire.UnmarshalWord(p)
		m = wire.Word{Type: p.Type, Value: value}
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestConsolesHello(t *testing.T) {
	t.Parallel()
	_, console := vectors(t)
	v := console["hello_reply"]
	p, err := wire.ReadClear(strings.NewReader(string(v.Plain)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.UnmarshalHelloReply(p)
	want := wire.HelloReply{Version: wire.ProtocolVersion, Option: 1}
	copy(want.IV[:], v.IV)
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if !bytes.Equal(got.Marshal(), v.Plain) {
		t.Errorf("marshalled %x", got.Marshal())
	}
}

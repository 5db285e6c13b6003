package takion_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
)

// data is bytes in hex.
type data []byte

func (d *data) UnmarshalText(text []byte) (err error) {
	*d, err = hex.AppendDecode(nil, text)
	return err
}

// direction is what the key of a direction is made of.
type direction struct {
	Index        byte
	HandshakeKey data `json:"handshake_key"`
	Secret       data
}

func (d direction) key() *takion.Key { return takion.NewKey(d.HandshakeKey, d.Secret, d.Index) }

// vectors are the answers that other implementations computed; the file says
// which.
type vectors struct {
	ECDH []struct {
		HandshakeKey    data `json:"handshake_key"`
		Private         data
		Public          data
		Signature       data `json:"public_signature"`
		RemotePublic    data `json:"remote_public"`
		RemoteSignature data `json:"remote_signature"`
		Secret          data
	}
	StreamKeys []struct {
		direction
		Key  data
		IV   data
		GMAC data `json:"gmac_key0"`
	} `json:"stream_keys"`
	StreamCipher []struct {
		direction
		Position uint64
		Plain    data
		Sealed   data
	} `json:"stream_cipher"`
	GMAC []struct {
		direction
		Position uint64 `json:"key_position"`
		Bytes    data
		Tag      data
	}
	Packets []struct {
		Name string
		direction
		Position uint64 `json:"key_position"`
		Clear    data   `json:"clear_payload"`
		Packet   data
	}
	States []struct {
		Version uint64 `json:"takion_version"`
		LeftX   int    `json:"left_x"`
		RightX  int    `json:"right_x"`
		Bytes   data
	} `json:"feedback_state"`
	Buttons []struct {
		Button string
		Down   bool
		Bytes  data
	} `json:"feedback_button"`
	Histories []struct {
		Events []struct {
			Button string
			State  int
		} `json:"events_oldest_first"`
		Bytes data
	} `json:"feedback_history"`
	Touches   []struct{ Bytes data } `json:"touch"`
	Positions []struct {
		Low  []uint32 `json:"low_words"`
		Full []uint64
	} `json:"key_position_64"`
	Congestion []struct {
		Received, Lost uint16
		Position       uint32 `json:"key_position"`
		Bytes          data   `json:"bytes_before_gmac"`
	}
	Messages []struct {
		Name  string
		Bytes data
	}
	LaunchSpec []struct {
		Flavour      string
		Nonce        data
		RPKey        data `json:"rp_key"`
		HandshakeKey data `json:"handshake_key"`
		JSONHash     data `json:"json_sha256"`
		SentHash     data `json:"sent_b64_sha256"`
		KeyStream    data `json:"keystream_first_64"`
	} `json:"launch_spec"`
}

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("../rp/testdata/rp-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s is %x, want %x", what, got, want)
	}
}

func TestHandshakeVectors(t *testing.T) {
	t.Parallel()
	list := readVectors(t).ECDH
	if len(list) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range list {
		h := takion.HandshakeWith(v.HandshakeKey, v.Private)
		public, signature := h.Public()
		same(t, "the public key", public, v.Public)
		same(t, "its signature", signature, v.Signature)
		secret, err := h.Shared(v.RemotePublic)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the secret", secret, v.Secret)
		fromClient, fromConsole, err := h.Keys(v.RemotePublic, v.RemoteSignature)
		if err != nil {
			t.Fatal(err)
		}
		for index, key := range map[byte]*takion.Key{2: fromClient, 3: fromConsole} {
			same(t, "a tag", key.Tag(v.Public, 48), takion.NewKey(v.HandshakeKey, v.Secret, index).Tag(v.Public, 48))
		}
		v.RemoteSignature[0]++
		if _, _, err := h.Keys(v.RemotePublic, v.RemoteSignature); err == nil {
			t.Error("a wrong signature was accepted")
		}
	}
}

func TestKeyVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).StreamKeys {
		iv, gmac := v.key().Parts()
		same(t, "the IV", iv[:], v.IV)
		same(t, "the GMAC key", gmac[:], v.GMAC)
	}
}

func TestCipherVectors(t *testing.T) {
	t.Parallel()
	list := readVectors(t).StreamCipher
	if len(list) < 10 {
		t.Fatalf("%d vectors", len(list))
	}
	for _, v := range list {
		got := bytes.Clone(v.Plain)
		v.key().Seal(got, v.Position-16) // that of the payload, not of the packet
		same(t, "sealed", got, v.Sealed)
	}
}

func TestGMACVectors(t *testing.T) {
	t.Parallel()
	list := readVectors(t).GMAC
	if len(list) < 10 {
		t.Fatalf("%d vectors", len(list))
	}
	keys := map[string]*takion.Key{} // one key for several windows
	for _, v := range list {
		name := string(v.Index) + string(v.Secret)
		if keys[name] == nil {
			keys[name] = v.key()
		}
		same(t, "the tag", keys[name].Tag(v.Bytes, v.Position), v.Tag)
	}
}

// TestPacketVectors signs and seals whole packets, and checks those of others.
func TestPacketVectors(t *testing.T) {
	t.Parallel()
	list := readVectors(t).Packets
	if len(list) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range list {
		var got []byte
		switch takion.TypeOf(v.Packet) {
		case takion.TypeControl:
			c, err := takion.ParseControl(v.Packet)
			if err != nil {
				t.Fatal(v.Name, err)
			}
			d, err := takion.ParseData(c.Body)
			if err != nil {
				t.Fatal(v.Name, err)
			}
			c.Body = d.Append(nil)
			got = c.Append(nil)
			v.key().Sign(got, v.Position)
		case takion.TypeCongestion:
			c, err := takion.ParseCongestion(v.Packet)
			if err != nil {
				t.Fatal(v.Name, err)
			}
			got = c.Append(nil)
			v.key().Sign(got, v.Position)
		default:
			f := takion.Feedback{
				Type: takion.TypeOf(v.Packet), Sequence: binary.BigEndian.Uint16(v.Packet[1:]), Payload: v.Clear,
			}
			got = f.Append(nil, v.key(), v.Position)
		}
		same(t, v.Name, got, v.Packet)
		position, valid := v.key().Verify(v.Packet, 0)
		same(t, "the verified "+v.Name, v.Packet, got)
		if !valid || position != v.Position {
			t.Errorf("%s: position %d, %v", v.Name, position, valid)
		}
		v.Packet[len(v.Packet)-5]++
		if _, valid := v.key().Verify(v.Packet, 0); valid {
			t.Errorf("%s: a changed packet was accepted", v.Name)
		}
	}
}

func TestPositionVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Positions {
		var highest uint64
		for i, low := range v.Low {
			got := takion.Extend(low, highest)
			if got != v.Full[i] {
				t.Errorf("%#x after %#x is %#x, want %#x", low, highest, got, v.Full[i])
			}
			highest = max(highest, got)
		}
	}
}

func TestCongestionVectors(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	for _, v := range v.Congestion {
		got := takion.Congestion{Received: v.Received, Lost: v.Lost}.Append(nil)
		binary.BigEndian.PutUint32(got[11:], v.Position)
		same(t, "the report", got, v.Bytes)
	}
}

func TestStateVectors(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, v := range readVectors(t).States {
		if v.LeftX == 0 && v.RightX == 0 {
			same(t, "the state", takion.IdleState(v.Version), v.Bytes)
			checked++
		}
	}
	if checked != 2 {
		t.Errorf("%d vectors", checked)
	}
}

var buttonNames = map[string]takion.Button{
	"up": takion.Up, "down": takion.Down, "left": takion.Left, "right": takion.Right,
	"l1": takion.L1, "r1": takion.R1, "l2": takion.L2, "r2": takion.R2,
	"cross": takion.Cross, "circle": takion.Circle, "square": takion.Square, "triangle": takion.Triangle,
	"options": takion.Options, "share": takion.Share, "ps": takion.PS, "l3": takion.L3, "r3": takion.R3,
}

func TestHistoryVectors(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	for _, v := range v.Buttons {
		button, known := buttonNames[v.Button]
		if !known {
			t.Fatal(v.Button)
		}
		same(t, v.Button, takion.AppendHistory(nil, []takion.Event{{Button: button, Down: v.Down}}), v.Bytes)
	}
	for _, v := range v.Histories {
		var events []takion.Event
		for _, e := range v.Events {
			events = append([]takion.Event{{Button: buttonNames[e.Button], Down: e.State != 0}}, events...)
		}
		same(t, "the history", takion.AppendHistory(nil, events), v.Bytes)
	}
	for _, v := range v.Touches {
		if events, err := takion.ParseHistory(v.Bytes); err != nil || len(events) != 0 {
			t.Errorf("touch %x: %v, %v", v.Bytes, events, err)
		}
	}
}

func TestMessageVectors(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	remote := v.ECDH[0]
	want := map[string]takion.Message{
		"heartbeat":                       {Type: takion.TypeHeartbeat},
		"streaminfo_ack":                  {Type: takion.TypeStreamInfoAck},
		"controller_connection DualSense": takion.ControllerConnection{Connected: true, Controller: takion.DualSense}.Message(),
		"bang": takion.Bang{
			Version: 12, KeyAccepted: true, VersionAccepted: true, SessionKey: "sessionKey",
			PublicKey: remote.RemotePublic, Signature: remote.RemoteSignature,
		}.Message(),
	}
	for _, v := range v.Messages {
		m, known := want[v.Name]
		if !known {
			t.Fatal(v.Name)
		}
		same(t, v.Name, m.Append(nil), v.Bytes)
	}
}

// TestLaunchSpecVectors compares the whole text, of which the vectors hold the
// hash.
func TestLaunchSpecVectors(t *testing.T) {
	t.Parallel()
	families := map[string]rp.Family{"ps5": rp.PS5, "ps4-10": rp.PS4}
	list := readVectors(t).LaunchSpec
	if len(list) != len(families) {
		t.Fatalf("%d vectors", len(list))
	}
	for _, v := range list {
		cipher := rp.SessionCipher(families[v.Flavour], rp.Block(v.Nonce), rp.Block(v.RPKey))
		same(t, "the key stream", cipher.Seal(0, make([]byte, 64)), v.KeyStream)
		spec := takion.LaunchSpec{MaxFPS: 30, PS5: v.Flavour == "ps5", HandshakeKey: v.HandshakeKey}
		hash := sha256.Sum256(bytes.TrimRight(spec.JSON(), "\x00"))
		same(t, v.Flavour+": the hash of the text", hash[:], v.JSONHash)
		hash = sha256.Sum256([]byte(spec.Seal(cipher.Seal)))
		same(t, v.Flavour+": the hash of what is sent", hash[:], v.SentHash)
	}
}

package takion_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/takion"
)

func TestHandshakeRefusesBadKeys(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef")
	ours, theirs := takion.NewHandshake(key), takion.NewHandshake(key)
	public, signature := theirs.Public()
	if _, _, err := ours.Keys(public, signature); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "infinity": {0}, "short": public[:64], "compressed": append([]byte{2}, public[1:]...),
		"not on the curve": append(bytes.Clone(public[:64]), public[64]^1), "zero": append([]byte{4}, make([]byte, 64)...),
		"too large": append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...),
	} {
		mac := hmac.New(sha256.New, key)
		mac.Write(bad)
		if _, _, err := ours.Keys(bad, mac.Sum(nil)); !errors.Is(err, takion.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHandshakesAgree makes many keys, so that every kind of addition occurs.
func TestHandshakesAgree(t *testing.T) {
	t.Parallel()
	for range 20 {
		a, b := takion.NewHandshake(nil), takion.NewHandshake(nil)
		publicA, _ := a.Public()
		publicB, _ := b.Public()
		ab, errA := a.Shared(publicB)
		ba, errB := b.Shared(publicA)
		if errA != nil || errB != nil || !bytes.Equal(ab, ba) {
			t.Fatalf("%x and %x, %v, %v", ab, ba, errA, errB)
		}
	}
}

// TestCounterCarries adds to the 128-bit IV as math/big does.
func TestCounterCarries(t *testing.T) {
	t.Parallel()
	iv := [16]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 41} // little endian
	number := func(b [16]byte) *big.Int {
		slices.Reverse(b[:])
		return new(big.Int).SetBytes(b[:])
	}
	for _, n := range []uint64{0, 1, 2, 1 << 40} {
		want := new(big.Int).Add(number(iv), new(big.Int).SetUint64(n))
		if got := number(takion.Plus(iv, n)); got.Cmp(want) != 0 {
			t.Errorf("%d more: %x, want %x", n, got, want)
		}
	}
}

// TestPositionsNeverOverlap: what a packet spends ends before the next begins.
func TestPositionsNeverOverlap(t *testing.T) {
	t.Parallel()
	for n := range 100 {
		const at = 160
		if next := takion.Advance(at, n); next < at+uint64(n) || next%16 != 0 || next == at {
			t.Errorf("%d bytes: %d", n, next)
		}
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var o takion.Outbox
	o.Reset(0xfffffffe) // the sequence wraps around
	for _, p := range []string{"a", "b", "c"} {
		o.Add([]byte(p), start)
	}
	due := func(after time.Duration, want string) {
		t.Helper()
		packets, alive := o.Due(start.Add(after))
		if got := string(bytes.Join(packets, nil)); got != want || !alive {
			t.Errorf("after %v: %q, %v, want %q", after, got, alive, want)
		}
	}
	due(199*time.Millisecond, "")
	o.Ack(1) // never sent
	due(200*time.Millisecond, "abc")
	o.Ack(0xffffffff)
	due(400*time.Millisecond, "c")
	due(599*time.Millisecond, "")
	o.Ack(0xfffffffd) // an old one
	if o.Empty() {
		t.Error("empty")
	}
	sends, alive := 3, true
	for at := start; alive && sends < 100; sends++ {
		at = at.Add(time.Second)
		_, alive = o.Due(at)
	}
	if sends != takion.MaxSends+1 {
		t.Errorf("given up after %d", sends)
	}
	o.Ack(0)
	if !o.Empty() {
		t.Error("not empty")
	}
}

func fragment(sequence uint32, last bool, content string) takion.Control {
	c := takion.Control{Body: takion.Data{Sequence: sequence, Channel: 1, Fragment: []byte(content)}.Append(nil)}
	if last {
		c.Flags = takion.FlagLast
	}
	return c
}

func TestInbox(t *testing.T) {
	t.Parallel()
	var in takion.Inbox
	in.Reset(7)
	add := func(c takion.Control, acked uint32, want ...takion.MessageType) {
		t.Helper()
		messages, err := in.Add(c)
		var got []takion.MessageType
		for _, m := range messages {
			got = append(got, m.Type)
		}
		if err != nil || !reflect.DeepEqual(got, want) || in.Acked() != acked {
			t.Errorf("got %v, %v, acknowledged %d; want %v, %d", got, err, in.Acked(), want, acked)
		}
	}
	add(fragment(9, true, "\x03"), 6)                                                       // the end of 8
	add(fragment(10, true, "\x00\x08\x0e"), 6)                                              // whole
	add(fragment(7, true, "\x00\x08\x03"), 7, takion.TypeHeartbeat)                         // whole
	add(fragment(7, true, "\x00\x08\x03"), 7)                                               // a duplicate
	add(fragment(8, false, "\x00\x08"), 10, takion.TypeHeartbeat, takion.TypeStreamInfoAck) // the gap
	add(fragment(11, true, "\x01\x08\x03"), 11)                                             // another kind of data
	if _, err := in.Add(fragment(1000, true, "\x00\x08\x03")); !errors.Is(err, takion.ErrProtocol) {
		t.Errorf("far ahead: %v", err)
	}
}

// TestInboxDropsEndlessMessage sends fragments without a last one: little is
// kept, and once the message ends, the next one arrives.
func TestInboxDropsEndlessMessage(t *testing.T) {
	t.Parallel()
	var in takion.Inbox
	in.Reset(0)
	const packets, limit = 1000, 70 << 10
	for n := range uint32(packets) {
		if messages, err := in.Add(fragment(n, false, strings.Repeat("\x00", 1400))); len(messages) > 0 || err != nil {
			t.Fatal(messages, err)
		}
		if held := in.Held(); held > limit {
			t.Fatalf("%d bytes are kept", held)
		}
	}
	if messages, err := in.Add(fragment(packets, true, "\x00")); len(messages) > 0 || !errors.Is(err, takion.ErrProtocol) {
		t.Error(messages, err)
	}
	messages, err := in.Add(fragment(packets+1, true, "\x00\x08\x03"))
	if err != nil || len(messages) != 1 || messages[0].Type != takion.TypeHeartbeat {
		t.Error(messages, err)
	}
}

// TestSplit puts a long message together again.
func TestSplit(t *testing.T) {
	t.Parallel()
	want := takion.Big{Version: 12, LaunchSpec: string(bytes.Repeat([]byte("x"), 3000))}
	fragments := takion.Split(want.Message())
	if len(fragments) != 3 {
		t.Errorf("%d fragments", len(fragments))
	}
	var in takion.Inbox
	in.Reset(0)
	for i, f := range fragments {
		messages, err := in.Add(fragment(uint32(i), i == len(fragments)-1, string(f)))
		if err != nil || len(f) > takion.MTU-53 || (len(messages) == 1) != (i == len(fragments)-1) {
			t.Fatalf("fragment %d of %d bytes: %d messages, %v", i, len(f), len(messages), err)
		}
		if len(messages) == 1 {
			if got, err := takion.ParseBig(messages[0]); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	}
}

// TestFeedbackRoundTrip opens what another key would not.
func TestFeedbackRoundTrip(t *testing.T) {
	t.Parallel()
	v := readVectors(t).StreamKeys[2]
	events := []takion.Event{{Button: takion.Touchpad}, {Button: takion.Touchpad, Down: true}, {Button: takion.L2, Down: true}}
	packet := takion.Feedback{
		Type: takion.TypeFeedbackHistory, Sequence: 3, Payload: takion.AppendHistory(nil, events),
	}.Append(nil, v.key(), 320)
	position, valid := v.key().Verify(packet, 0)
	if position != 320 || !valid {
		t.Fatalf("position %d, %v", position, valid)
	}
	f, err := takion.OpenFeedback(packet, v.key(), position)
	if err != nil || f.Sequence != 3 {
		t.Fatal(f, err)
	}
	if got, err := takion.ParseHistory(f.Payload); err != nil || !reflect.DeepEqual(got, events) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOpenLaunchSpec(t *testing.T) {
	t.Parallel()
	cipher := func(_ uint64, plain []byte) []byte { return bytes.Repeat([]byte{0x55}, len(plain)) }
	want := []byte("0123456789abcdef")
	got, err := takion.OpenLaunchSpec(takion.LaunchSpec{HandshakeKey: want}.Seal(cipher), cipher)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "?", "e30=", takion.LaunchSpec{HandshakeKey: want[:3]}.Seal(cipher)} {
		if _, err := takion.OpenLaunchSpec(bad, cipher); !errors.Is(err, takion.ErrProtocol) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	parsers := map[string]func([]byte) error{
		"control":    func(b []byte) error { _, err := takion.ParseControl(b); return err },
		"init":       func(b []byte) error { _, err := takion.ParseInit(b); return err },
		"data":       func(b []byte) error { _, err := takion.ParseData(b); return err },
		"data_ack":   func(b []byte) error { _, err := takion.ParseDataAck(b); return err },
		"congestion": func(b []byte) error { _, err := takion.ParseCongestion(b); return err },
		"feedback":   func(b []byte) error { _, err := takion.OpenFeedback(b, nil, 0); return err },
		"history":    func(b []byte) error { _, err := takion.ParseHistory(b); return err },
		"message":    func(b []byte) error { _, err := takion.ParseMessage(b); return err },
	}
	control := takion.Control{Body: make([]byte, 9)}.Append(nil)
	for _, tt := range []struct {
		parser string
		bytes  []byte
	}{
		{"control", control[:16]}, {"control", control[:20]}, {"control", append(control, 0)},
		{"init", make([]byte, 15)}, {"init", make([]byte, 47)}, {"data", make([]byte, 8)}, {"data_ack", make([]byte, 11)},
		{"congestion", make([]byte, 15)}, {"congestion", []byte{5}}, {"feedback", make([]byte, 11)},
		{"history", []byte{0x80}}, {"history", []byte{0x80, 0x7f}}, {"history", []byte{0x81, 0x8c}}, {"history", []byte{0xd0, 1, 2, 3}},
		{"history", []byte{0x80, 0x80}}, {"history", []byte{0x80, 0x92}}, {"history", []byte{0x80, 0xb2}},
		{"message", nil}, {"message", []byte{0x80}}, {"message", []byte{0x00, 0x01}}, {"message", []byte{0x08}},
		{"message", []byte{0x12, 0x05, 1, 2}}, {"message", []byte{0x12, 0x80}}, {"message", []byte{0x0a, 0}},
		{"message", []byte{0x08, 3, 0x11, 1, 2, 3, 4, 5, 6, 7}}, {"message", []byte{0x08, 3, 0x15, 1, 2, 3}}, {"message", []byte{0x08, 3, 0x13}},
	} {
		if err := parsers[tt.parser](tt.bytes); !errors.Is(err, takion.ErrProtocol) {
			t.Errorf("%s %x: %v", tt.parser, tt.bytes, err)
		}
	}
	// Fields of 64 and 32 bits are skipped.
	m, err := takion.ParseMessage([]byte{0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x08, 3})
	if err != nil || m.Type != takion.TypeHeartbeat {
		t.Errorf("message %v, %v", m, err)
	}
}

// FuzzPacket checks that what parses marshals to the same bytes.
func FuzzPacket(f *testing.F) {
	for _, v := range readVectors(f).Packets {
		f.Add([]byte(v.Packet))
	}
	f.Add(takion.Control{Chunk: takion.ChunkInitAck, Body: takion.Init{Tag: 1, Sequence: 1, Cookie: make([]byte, 32)}.Append(nil)}.Append(nil))
	f.Add(takion.Control{Chunk: takion.ChunkDataAck, Body: takion.DataAck{Sequence: 9}.Append(nil)}.Append(nil))
	key := takion.NewKey(make([]byte, 16), make([]byte, 32), 2)
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		key.Verify(raw, 1<<40)
		if !bytes.Equal(raw, before) {
			t.Fatalf("verifying changed %x to %x", before, raw)
		}
		if c, err := takion.ParseControl(raw); err == nil {
			again := c.Append(nil)
			copy(again[5:13], raw[5:]) // the signature
			again[0] = raw[0]
			if !bytes.Equal(again, raw) {
				t.Fatalf("%+v marshals to %x", c, again)
			}
			if d, err := takion.ParseData(c.Body); err == nil {
				if again, err := takion.ParseData(d.Append(nil)); err != nil || !reflect.DeepEqual(again, d) {
					t.Fatalf("%+v, then %+v", d, again)
				}
			}
			if i, err := takion.ParseInit(c.Body); err == nil {
				if again, err := takion.ParseInit(i.Append(nil)); err != nil || !reflect.DeepEqual(again, i) {
					t.Fatalf("%+v, then %+v", i, again)
				}
			}
			if a, err := takion.ParseDataAck(c.Body); err == nil {
				if again, err := takion.ParseDataAck(a.Append(nil)); err != nil || again != a {
					t.Fatalf("%+v, then %+v", a, again)
				}
			}
		}
		if c, err := takion.ParseCongestion(raw); err == nil {
			if again, err := takion.ParseCongestion(c.Append(nil)); err != nil || again != c {
				t.Fatalf("%+v, then %+v", c, again)
			}
		}
	})
}

// FuzzMessage checks that parsing what a message marshals to returns it.
func FuzzMessage(f *testing.F) {
	for _, v := range readVectors(f).Messages {
		f.Add([]byte(v.Bytes))
	}
	for _, m := range []takion.Message{
		takion.Big{Version: 12, SessionKey: "id", LaunchSpec: "spec", PublicKey: []byte{4}, Signature: []byte{5}}.Message(),
		takion.Big{Version: 9}.Message(), takion.Disconnect{Reason: "bye"}.Message(),
		takion.StreamInfo(640, 360, []byte{1}, []byte{2}), takion.Versions(takion.TypeVersionsAck, 9),
	} {
		f.Add(m.Append(nil))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := takion.ParseMessage(raw)
		if err != nil {
			return
		}
		again, err := takion.ParseMessage(m.Append(nil))
		if err != nil || again.Type != m.Type || !bytes.Equal(again.Payload, m.Payload) {
			t.Fatalf("%v, then %v, %v", m, again, err)
		}
		roundTrip(t, m, takion.ParseBig)
		roundTrip(t, m, takion.ParseBang)
		roundTrip(t, m, takion.ParseControllerConnection)
		roundTrip(t, m, takion.ParseDisconnect)
	})
}

// roundTrip compares the bytes of what a message parses to, twice.
func roundTrip[T interface{ Message() takion.Message }](t *testing.T, m takion.Message, parse func(takion.Message) (T, error)) {
	t.Helper()
	first, err := parse(m)
	if err != nil {
		return
	}
	once := first.Message()
	second, err := parse(once)
	if twice := second.Message(); err != nil || !bytes.Equal(once.Payload, twice.Payload) {
		t.Fatalf("%+v, then %+v, %v", first, second, err)
	}
}

// FuzzHistory checks that events which parse marshal to the same events.
func FuzzHistory(f *testing.F) {
	v := readVectors(f)
	for _, v := range v.Histories {
		f.Add([]byte(v.Bytes))
	}
	for _, v := range v.Touches {
		f.Add([]byte(v.Bytes))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := takion.ParseHistory(raw)
		if err != nil {
			return
		}
		again, err := takion.ParseHistory(takion.AppendHistory(nil, events))
		if err != nil || !reflect.DeepEqual(again, events) {
			t.Fatalf("%v, then %v, %v", events, again, err)
		}
	})
}

// FuzzInbox delivers messages whole, once and in order, whatever the network
// does: each byte of the input is the number of a packet that arrives.
func FuzzInbox(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add([]byte{5, 4, 3, 2, 1, 0, 0, 3})
	f.Fuzz(func(t *testing.T, order []byte) {
		var in takion.Inbox
		in.Reset(0xfffffffd)
		parts := []takion.Control{ // three messages, of types 0, 1 and 2
			fragment(0xfffffffd, false, "\x00"), fragment(0xfffffffe, true, "\x08\x00"), fragment(0xffffffff, true, "\x00\x08\x01"),
			fragment(0, false, "\x00\x08"), fragment(1, true, "\x02"),
		}
		arrived, got := map[byte]bool{}, 0
		for _, n := range order {
			n %= byte(len(parts))
			arrived[n] = true
			messages, err := in.Add(parts[n])
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				if int(m.Type) != got {
					t.Fatalf("message %d in place of %d", m.Type, got)
				}
				got++
			}
		}
		first := byte(0)
		for arrived[first] {
			first++
		}
		if want := map[byte]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 2, 5: 3}[first]; got != want || in.Acked() != 0xfffffffc+uint32(first) {
			t.Fatalf("%d messages, acknowledged %#x, want %d", got, in.Acked(), want)
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	theirs := takion.NewHandshake(nil)
	public, signature := theirs.Public()
	for b.Loop() {
		if _, _, err := takion.NewHandshake(nil).Keys(public, signature); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFeedback(b *testing.B) {
	key := takion.NewKey(make([]byte, 16), make([]byte, 32), 2)
	state, position := takion.IdleState(takion.VersionPS5), uint64(0)
	var packet []byte
	b.ReportAllocs()
	for b.Loop() {
		packet = takion.Feedback{Type: takion.TypeFeedbackState, Payload: state}.Append(packet[:0], key, position)
		position = takion.Advance(position, len(state))
	}
}

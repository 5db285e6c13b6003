package hapserver

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

type srpVector struct {
	Label, Code                               string
	Salt, PrivA, PrivB, V, A, B, S, K, M1, M2 hexBytes
}

// UnmarshalJSON is written out because the names of a and A differ by case
// only, which encoding/json ignores.
func (v *srpVector) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	v.Label, v.Code = m["label"], m["code"]
	fields := map[string]*hexBytes{"salt": &v.Salt, "a": &v.PrivA, "b": &v.PrivB, "verifier": &v.V, "A": &v.A, "B": &v.B,
		"S": &v.S, "K": &v.K, "M1": &v.M1, "M2": &v.M2}
	for name, field := range fields {
		if err := field.UnmarshalText([]byte(m[name])); err != nil {
			return err
		}
	}
	return nil
}

func srpVectors(t *testing.T) []srpVector {
	t.Helper()
	b, err := os.ReadFile("testdata/srp.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []srpVector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// The vectors come from another implementation; A, B and S that start with a
// zero byte are among them.
func TestSRPVectors(t *testing.T) {
	t.Parallel()
	zeroLed := map[string]bool{}
	for _, v := range srpVectors(t) {
		for name, b := range map[string]hexBytes{"A": v.A, "B": v.B, "S": v.S} {
			zeroLed[name] = zeroLed[name] || len(b) > 0 && b[0] == 0
		}
		t.Run(v.Label, func(t *testing.T) {
			t.Parallel()
			testSRPVector(t, v)
		})
	}
	for _, name := range []string{"A", "B", "S"} {
		if !zeroLed[name] {
			t.Errorf("no vector has a zero-led %s", name)
		}
	}
}

func testSRPVector(t *testing.T, v srpVector) {
	s := newSRPServerWith(v.Code, v.Salt, v.PrivB)
	key, m2, err := s.verify(v.A, v.M1)
	if err != nil {
		t.Fatal(err)
	}
	c := newSRPClientWith(v.Code, v.Salt, v.B, v.PrivA)
	for _, f := range []struct {
		name      string
		got, want []byte
	}{
		{"salt", s.salt, v.Salt}, {"verifier", srpPad(s.v), v.V}, {"B", s.public, v.B}, {"K", key, v.K}, {"M2", m2, v.M2},
		{"controller's A", c.A, v.A}, {"controller's K", c.K, v.K}, {"controller's M1", c.M1, v.M1},
	} {
		if !bytes.Equal(f.got, f.want) {
			t.Errorf("%s:\n got %x\nwant %x", f.name, f.got, f.want)
		}
	}
	if !c.check(v.M2) {
		t.Error("the controller refuses M2")
	}
	if len(v.S) > 0 && !bytes.Equal(key, sha512Of(v.S)) {
		t.Error("K is not the hash of S")
	}
}

// A controller may send A without its leading zeros.
func TestSRPShortKey(t *testing.T) {
	t.Parallel()
	done := 0
	for _, v := range srpVectors(t) {
		short := bytes.TrimLeft(v.A, "\x00")
		if len(short) == len(v.A) {
			continue
		}
		done++
		s := newSRPServerWith(v.Code, v.Salt, v.PrivB)
		if key, _, err := s.verify(short, v.M1); err != nil || !bytes.Equal(key, v.K) {
			t.Errorf("%s: %v", v.Label, err)
		}
	}
	if done == 0 {
		t.Fatal("no vector has a zero-led A")
	}
}

// With A = 0 the shared secret would be 0 whatever the code: the proof is
// right, and still refused.
func TestSRPRefusesBadKeys(t *testing.T) {
	t.Parallel()
	s := newSRPServer("518-08-582")
	n, zero := s.n, make([]byte, srpKeyLen)
	forged := clientProof(n, s.salt, zero, s.public, sha512Of(zero))
	for name, a := range map[string][]byte{
		"empty": {}, "nil": nil, "zero": zero, "one zero byte": {0}, "N": n.Bytes(),
		"above N": bytes.Repeat([]byte{0xFF}, srpKeyLen), "too long": append([]byte{0}, n.Bytes()...),
		"too long and zero-led": make([]byte, srpKeyLen+1),
	} {
		if key, m2, err := s.verify(a, forged); !errors.Is(err, errSRPBadKey) || key != nil || m2 != nil {
			t.Errorf("%s: got %v, want errSRPBadKey", name, err)
		}
	}
}

func TestSRPRefusesWrongProofs(t *testing.T) {
	t.Parallel()
	s := newSRPServer("518-08-582")
	c := newSRPClient("518-08-582", s.salt, s.public)
	flipped := bytes.Clone(c.M1)
	flipped[63] ^= 1
	for name, m1 := range map[string][]byte{
		"nil": nil, "short": c.M1[:63], "long": append(bytes.Clone(c.M1), 0), "one bit": flipped, "zero": make([]byte, 64),
		"wrong code": newSRPClient("518-08-583", s.salt, s.public).M1,
	} {
		if key, m2, err := s.verify(c.A, m1); !errors.Is(err, errSRPProof) || key != nil || m2 != nil {
			t.Errorf("%s: got %v, want errSRPProof", name, err)
		}
	}
	if _, _, err := s.verify(c.A, c.M1); err != nil {
		t.Errorf("right proof after wrong ones: %v", err)
	}
}

func TestSRPServersDiffer(t *testing.T) {
	t.Parallel()
	a, b := newSRPServer("518-08-582"), newSRPServer("518-08-582")
	if bytes.Equal(a.salt, b.salt) || bytes.Equal(a.public, b.public) || a.b.Cmp(b.b) == 0 {
		t.Error("two exchanges share a random value")
	}
	if len(a.salt) != 16 || len(a.public) != 384 {
		t.Errorf("salt of %d and B of %d bytes, want 16 and 384", len(a.salt), len(a.public))
	}
}

// Random codes, salts and keys work out. Leading zeros, which turn up in about
// 1 of 100 exchanges, are the business of the vectors.
func TestSRPRandomExchanges(t *testing.T) {
	t.Parallel()
	for i := range 12 {
		exchange(t, i%6 == 0)
	}
}

// exchange pairs with the right code, and now and then tries a wrong one as
// well.
func exchange(t *testing.T, tryWrong bool) {
	code := newSetupCode()
	s := newSRPServer(code)
	c := newSRPClient(code, s.salt, s.public)
	key, m2, err := s.verify(c.A, c.M1)
	if err != nil || !bytes.Equal(key, c.K) || !c.check(m2) {
		t.Errorf("right code refused (A %x…, B %x…): %v", c.A[:2], s.public[:2], err)
	}
	if !tryWrong {
		return
	}
	wrong := newSRPClient(newSetupCode(), s.salt, s.public)
	if _, _, err := s.verify(wrong.A, wrong.M1); !errors.Is(err, errSRPProof) {
		t.Errorf("wrong code: got %v, want errSRPProof", err)
	}
}

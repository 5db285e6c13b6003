package hapserver

import (
	"bytes"
	"testing"
)

// offered asks for M2 and returns its salt and key.
func (c *controller) offered(t *testing.T) []byte {
	t.Helper()
	m2, err := c.exchange("/pair-setup", setupStart(), 2)
	if err != nil {
		t.Fatal(err)
	}
	salt := m2.get(tlvSalt)
	b := m2.get(tlvPublicKey)
	return bytes.Join([][]byte{salt, b}, nil)
}

// A stranger that repeats M1 must not cost two exponentiations each time.
func TestPairSetupM1IsNotPaidTwice(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	stranger := f.stranger(t)
	first := stranger.offered(t)
	for range 500 { // with an exchange made for each, this alone would take many seconds
		if !bytes.Equal(stranger.offered(t), first) {
			t.Fatal("M1 made another exchange")
		}
	}
	stranger.conn.Close()
	f.waitConnections(t, 0)
	next := f.stranger(t)
	if !bytes.Equal(next.offered(t), first) {
		t.Error("another connection's M1 made another exchange")
	}
	if err := next.pair(testCode, f.Info().DeviceID); err != nil {
		t.Errorf("pairing with an exchange that was offered before: %v", err)
	}
}

// Each guess is at an exchange of its own, right or wrong, and a reset makes
// one for the new code.
func TestPairSetupExchangeIsUsedOnce(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t, func(o *Options) { o.SetupCode = "" }).start(t)
	seen := map[string]bool{}
	fresh := func(when string) {
		t.Helper()
		c := f.stranger(t)
		o := string(c.offered(t))
		if seen[o] {
			t.Errorf("%s: the exchange was used before", when)
		}
		seen[o] = true
		c.conn.Close()
		f.waitConnections(t, 0)
	}
	fresh("at first")
	c := f.stranger(t)
	if _, err := c.proof("111-22-333"); !isPairError(err, tlvErrAuthentication) {
		t.Fatal(err)
	}
	c.conn.Close()
	f.waitConnections(t, 0)
	fresh("after a wrong code")
	if err := f.Unpair(); err != nil {
		t.Fatal(err)
	}
	fresh("after a reset")
	c = f.stranger(t)
	if err := c.pair(f.Info().SetupCode, f.Info().DeviceID); err != nil {
		t.Fatal(err)
	}
	if err := f.Unpair(); err != nil {
		t.Fatal(err)
	}
	c.conn.Close()
	f.waitConnections(t, 0)
	fresh("after pairing and a reset")
}

// slowStore calls saving before it saves.
type slowStore struct {
	memoryStore
	saving func()
}

func (s *slowStore) Save(r Record) error {
	if s.saving != nil {
		s.saving()
	}
	return s.memoryStore.Save(r)
}

// A reset ends the exchanges that begin while it is being saved, as they use the
// old code.
func TestPairSetupWithOldCode(t *testing.T) {
	t.Parallel()
	store := &slowStore{}
	f := newUnpaired(t, func(o *Options) { o.SetupCode, o.Store = "", store }).start(t)
	c, old := f.stranger(t), f.Info().SetupCode
	var key []byte
	store.saving = func() {
		store.saving = nil
		var err error
		if key, err = c.proof(old); err != nil {
			t.Errorf("before the code has changed: %v", err)
		}
	}
	if err := f.Unpair(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.exchange("/pair-setup", c.m5(key), 6); !isPairError(err, tlvErrBusy) || f.Info().Paired {
		t.Errorf("%v, paired: %t", err, f.Info().Paired)
	}
}

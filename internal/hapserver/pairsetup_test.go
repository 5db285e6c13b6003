package hapserver

import (
	"crypto/ed25519"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestPairSetup(t *testing.T) {
	t.Parallel()
	var changes atomic.Int32
	f := newUnpaired(t, func(o *Options) { o.OnChange = func() { changes.Add(1) } }).start(t)
	if i := f.Info(); i.Paired || i.SetupCode != testCode || !strings.HasPrefix(i.SetupURI, "X-HM://00") {
		t.Errorf("before: paired %t, a code %t, a URI %t", i.Paired, i.SetupCode == testCode, i.SetupURI != "")
	}
	c := f.stranger(t)
	if err := c.pair(testCode, f.Info().DeviceID); err != nil {
		t.Fatal(err)
	}
	i := f.Info()
	if !i.Paired || i.SetupCode != "" || i.SetupURI != "" || !reflect.DeepEqual(i.Controllers, []Pairing{c.pairing(true)}) {
		t.Errorf("after: paired %t, controllers %v", i.Paired, i.Controllers)
	}
	if saved := f.store.saved(); len(saved.Pairings) != 1 || saved.Pairings[0].ID != c.id {
		t.Errorf("stored: %v", saved.Pairings)
	}
	if changes.Load() != 1 {
		t.Errorf("OnChange was called %d times", changes.Load())
	}
	// The same connection then verifies itself.
	if err := c.verify(f.records.load()); err != nil {
		t.Fatal(err)
	}
	if a := c.must(t, "GET", "/accessories", nil); a.status != 200 {
		t.Errorf("status %d", a.status)
	}
	if _, err := f.stranger(t).exchange("/pair-setup", setupStart(), 2); !isPairError(err, tlvErrUnavailable) {
		t.Errorf("a second pairing: %v", err)
	}
}

// In hap v0.0.35 M5 was accepted straight after M1, with a session key of
// zeros: anybody became admin without the code.
func TestPairSetupM5StraightAfterM1(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	c := f.stranger(t)
	for name, key := range map[string][]byte{"no key": nil, "zeros": make([]byte, 64)} {
		if _, err := c.exchange("/pair-setup", setupStart(), 2); err != nil {
			t.Fatal(err)
		}
		if _, err := c.exchange("/pair-setup", c.m5(key), 6); !isPairError(err, tlvErrUnknown) {
			t.Errorf("%s: M5 was answered with %v", name, err)
		}
	}
	if f.Info().Paired {
		t.Error("paired without the code")
	}
}

func TestPairSetupOrder(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	m3 := message(3)
	m3.add(tlvPublicKey, make([]byte, 384))
	m3.add(tlvProof, make([]byte, 64))
	withMethod := func(m byte) tlv { t := message(1); t.addByte(tlvMethod, m); return t }
	withFlags := func(flags ...byte) tlv { t := setupStart(); t.add(tlvFlags, flags); return t }
	for name, tc := range map[string]struct {
		send tlv
		want pairError
	}{
		"M3 first":         {m3, tlvErrUnknown},
		"M5 first":         {message(5), tlvErrUnknown},
		"M2":               {message(2), tlvErrUnknown},
		"no state":         {tlv{}, tlvErrUnknown},
		"no method":        {message(1), tlvErrUnknown},
		"unknown method":   {withMethod(2), tlvErrUnknown},
		"transient":        {withFlags(0x10), tlvErrUnknown},
		"split":            {withFlags(0, 0, 0, 1), tlvErrUnknown},
		"transient, short": {withFlags(0x10, 0), tlvErrUnknown},
	} {
		if _, err := f.stranger(t).exchange("/pair-setup", tc.send, tc.send.next()); !isPairError(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, start := range map[string]tlv{"with authentication": withMethod(1), "no flags": withFlags(0), "other flags": withFlags(0, 1)} {
		c := f.stranger(t)
		if _, err := c.exchange("/pair-setup", start, 2); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.exchange("/pair-setup", message(3), 4); !isPairError(err, tlvErrUnknown) { // lets the next one in
			t.Errorf("%s: M3 without contents: %v", name, err)
		}
	}
}

func (t tlv) next() byte { state, _ := t.byteAt(tlvState); return state + 1 }

func TestPairSetupRestartsOnItsConnection(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	c := f.stranger(t)
	if _, err := c.exchange("/pair-setup", setupStart(), 2); err != nil {
		t.Fatal(err)
	}
	if err := c.pair(testCode, f.Info().DeviceID); err != nil {
		t.Error(err)
	}
}

func TestPairSetupWrongCode(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	c := f.stranger(t)
	if _, err := c.proof("111-22-333"); !isPairError(err, tlvErrAuthentication) {
		t.Fatalf("a wrong code: %v", err)
	}
	if n := f.store.saved().SetupFailures; n != 1 {
		t.Errorf("%d failures are stored", n)
	}
	// A failed M3 ends the exchange: M5 and another M3 are out of turn.
	if _, err := c.exchange("/pair-setup", c.m5(make([]byte, 64)), 6); !isPairError(err, tlvErrUnknown) {
		t.Errorf("M5 after a wrong code: %v", err)
	}
	if err := f.stranger(t).pair(testCode, f.Info().DeviceID); err != nil {
		t.Errorf("the right code after it: %v", err)
	}
	if n := f.store.saved().SetupFailures; n != 0 {
		t.Errorf("%d failures are left after pairing", n)
	}
}

func TestPairSetupZeroKey(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	c := f.stranger(t)
	if _, err := c.exchange("/pair-setup", setupStart(), 2); err != nil {
		t.Fatal(err)
	}
	m3 := message(3)
	m3.add(tlvPublicKey, make([]byte, 384))
	m3.add(tlvProof, make([]byte, 64))
	if _, err := c.exchange("/pair-setup", m3, 4); !isPairError(err, tlvErrAuthentication) {
		t.Errorf("A = 0: %v", err)
	}
	if f.Stats().SetupFailures != 1 {
		t.Error("it did not count as a failure")
	}
}

// hap v0.0.35 had no lock-out after any number of wrong codes.
func TestPairSetupHundredFailuresLock(t *testing.T) {
	t.Parallel()
	rec := newRecord("")
	rec.SetupFailures = 99
	store := &memoryStore{rec: &rec}
	var changes atomic.Int32
	f := newFixture(t, store, func(o *Options) { o.OnChange = func() { changes.Add(1) } }).start(t)
	if f.Info().SetupLocked || f.Stats().SetupLocked {
		t.Error("locked after 99 failures")
	}
	if _, err := f.stranger(t).proof("111-22-333"); !isPairError(err, tlvErrAuthentication) {
		t.Fatal(err)
	}
	if n := f.Stats().SetupFailures; !f.Info().SetupLocked || n != 100 || changes.Load() != 1 {
		t.Errorf("after: locked %t, %d failures, %d calls of OnChange", f.Info().SetupLocked, n, changes.Load())
	}
	if _, err := f.stranger(t).proof(testCode); !isPairError(err, tlvErrMaxTries) {
		t.Errorf("after 100 failures the right code gets %v", err)
	}
	if i := f.Info(); i.SetupCode != "" || i.SetupURI != "" {
		t.Error("a code that no longer works is still shown")
	}
	// A restart does not open it, the owner does.
	again := newFixture(t, store).start(t)
	if !again.Stats().SetupLocked {
		t.Error("a restart has opened pair-setup")
	}
	if _, err := again.stranger(t).proof(testCode); !isPairError(err, tlvErrMaxTries) {
		t.Errorf("after a restart: %v", err)
	}
	if err := again.Unpair(); err != nil || again.Info().SetupLocked {
		t.Fatalf("%v, locked %t", err, again.Info().SetupLocked)
	}
	if err := again.stranger(t).pair(testCode, again.Info().DeviceID); err != nil {
		t.Errorf("after the reset: %v", err)
	}
}

func TestPairSetupFailureCountsOnFullDisk(t *testing.T) {
	t.Parallel()
	rec := newRecord("")
	rec.SetupFailures = maxSetupFailures - 1
	f := newFixture(t, &memoryStore{rec: &rec}).start(t)
	f.store.fail(errDisk)
	if _, err := f.stranger(t).proof("111-22-333"); !isPairError(err, tlvErrAuthentication) {
		t.Fatal(err)
	}
	if _, err := f.stranger(t).proof(testCode); !isPairError(err, tlvErrMaxTries) {
		t.Errorf("another guess: %v", err)
	}
}

func TestPairSetupIsOnDiskBeforeItIsAcknowledged(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	c := f.stranger(t)
	key, err := c.proof(testCode)
	if err != nil {
		t.Fatal(err)
	}
	f.store.fail(errDisk)
	if _, err := c.exchange("/pair-setup", c.m5(key), 6); !isPairError(err, tlvErrUnknown) {
		t.Errorf("M5 with a full disk: %v", err)
	}
	if f.Info().Paired {
		t.Error("paired in memory only")
	}
	f.store.fail(nil)
	if err := f.stranger(t).pair(testCode, f.Info().DeviceID); err != nil {
		t.Errorf("with room on the disk: %v", err)
	}
}

func TestPairSetupM5(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	other := newController("other")
	seal := func(key []byte, sub tlv) tlv {
		out := message(5)
		out.add(tlvEncryptedData, sealFor(hkdfKey(key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info"), "PS-Msg05", sub.encode()))
		return out
	}
	signed := func(key []byte, id string, by *controller) tlv {
		x := hkdfKey(key, "Pair-Setup-Controller-Sign-Salt", "Pair-Setup-Controller-Sign-Info")
		public := other.key.Public().(ed25519.PublicKey)
		var sub tlv
		sub.add(tlvIdentifier, []byte(id))
		sub.add(tlvPublicKey, public)
		sub.add(tlvSignature, ed25519.Sign(by.key, slices.Concat(x, []byte(id), public)))
		return sub
	}
	for name, m5 := range map[string]func(key []byte) tlv{
		"nothing sealed": func([]byte) tlv { return message(5) },
		"another key":    func(k []byte) tlv { return other.m5(k[1:]) },
		"no items":       func(k []byte) tlv { return seal(k, nil) },
		"false signature": func(k []byte) tlv {
			return seal(k, signed(k, "other", newController("other")))
		},
		"short key": func(k []byte) tlv {
			sub := signed(k, "other", other)
			sub[1].Value = sub[1].Value[1:]
			return seal(k, sub)
		},
		"no identifier":   func(k []byte) tlv { return seal(k, signed(k, "", other)) },
		"long identifier": func(k []byte) tlv { return seal(k, signed(k, strings.Repeat("i", 65), other)) },
	} {
		c := f.stranger(t)
		key, err := c.proof(testCode)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.exchange("/pair-setup", m5(key), 6); !isPairError(err, tlvErrAuthentication) && !isPairError(err, tlvErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.Info().Paired {
		t.Error("paired")
	}
}

// FuzzPairSetup sends messages in any order: without the code nobody gets
// paired, and each message has exactly one answer, with the state that follows
// its own.
func FuzzPairSetup(f *testing.F) {
	f.Add([]byte{1, 5})
	f.Add([]byte{1, 3, 5})
	f.Add([]byte{5, 3, 1, 1, 5, 0x83, 7})
	f.Add([]byte{0x81, 0x85, 0xFF, 0})
	f.Fuzz(func(t *testing.T, steps []byte) {
		if len(steps) > 6 {
			steps = steps[:6]
		}
		synctest.Test(t, func(t *testing.T) {
			fx := newUnpaired(t)
			defer fx.startPiped(t)()
			c := fx.stranger(t)
			for _, step := range steps {
				out := message(step & 0x7F)
				out.addByte(tlvMethod, 0)
				if step&0x80 == 0 { // with everything that a later message may hold
					out.add(tlvPublicKey, []byte{5})
					out.add(tlvProof, make([]byte, 64))
					sealed := c.m5(make([]byte, 64)).get(tlvEncryptedData)
					out.add(tlvEncryptedData, sealed)
				}
				_, err := c.exchange("/pair-setup", out, out.next())
				if pe := pairError(0); err != nil && !errors.As(err, &pe) {
					t.Fatalf("step %#x: %v", step, err)
				}
				if err == nil && step != 1 && step != 0x81 {
					t.Fatalf("step %#x was accepted", step)
				}
			}
			if fx.Info().Paired {
				t.Fatal("paired without the code")
			}
		})
	})
}

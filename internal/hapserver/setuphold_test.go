package hapserver

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestPairSetupBusy(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	first := f.stranger(t)
	if _, err := first.exchange("/pair-setup", setupStart(), 2); err != nil {
		t.Fatal(err)
	}
	if _, err := f.stranger(t).exchange("/pair-setup", setupStart(), 2); !isPairError(err, tlvErrBusy) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := first.exchange("/pair-setup", message(3), 4); !isPairError(err, tlvErrUnknown) {
		t.Errorf("an incomplete M3: %v", err)
	}
	second := f.stranger(t)
	if _, err := second.exchange("/pair-setup", setupStart(), 2); err != nil {
		t.Errorf("after the first one's error: %v", err)
	}
	second.conn.Close()
	deadline := time.Now().Add(5 * time.Second)
	for { // the server notices the close when it reads
		_, err := f.stranger(t).exchange("/pair-setup", setupStart(), 2)
		if err == nil {
			break
		}
		if !isPairError(err, tlvErrBusy) || time.Now().After(deadline) {
			t.Fatalf("after the second one has gone: %v", err)
		}
	}
}

// A stranger that idles after M1 blocked pairing in hap v0.0.35. M1 again and
// again does not prolong the 30 seconds either.
func TestPairSetupIdleHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		defer f.startPiped(t)()
		idle, other := f.stranger(t), f.stranger(t)
		for range 3 {
			if _, err := idle.exchange("/pair-setup", setupStart(), 2); err != nil {
				t.Fatal(err)
			}
			time.Sleep(9 * time.Second)
		}
		if _, err := other.exchange("/pair-setup", setupStart(), 2); !isPairError(err, tlvErrBusy) {
			t.Errorf("after 27 s: %v", err)
		}
		time.Sleep(3 * time.Second)
		if err := other.pair(testCode, f.Info().DeviceID); err != nil {
			t.Errorf("after 30 s: %v", err)
		}
	})
}

// Connections of one address that repeat M1 give way to the owner, who asks now
// and then, and again after a wrong code.
func TestPairSetupTakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		var strangers []*peer
		for range 4 {
			strangers = append(strangers, f.unconnected(t, "192.0.2.2"))
		}
		owner := f.unconnected(t, "192.0.2.1")
		for attempt := range 3 {
			for wait := 0; !f.hold.heldBy(owner); wait++ {
				if wait > 45 {
					t.Fatalf("attempt %d: busy for 45 s", attempt)
				}
				for _, p := range strangers {
					f.hold.take(p)
				}
				if wait%10 == 5 {
					f.hold.take(owner)
				}
				time.Sleep(time.Second)
			}
			f.hold.release(owner)
		}
	})
}

// An attacker that asks from an address of its own each time, which is easy with
// IPv6, waits behind the owner who asked before.
func TestPairSetupNewAddressesWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		owner := f.unconnected(t, "2001:db8::1")
		for wait := 0; !f.hold.heldBy(owner); wait++ {
			if wait > 75 {
				t.Fatal("busy for 75 s")
			}
			f.hold.take(f.unconnected(t, fmt.Sprintf("2001:db8::%d", 1000+wait)))
			if wait%10 == 5 {
				f.hold.take(owner)
			}
			time.Sleep(time.Second)
		}
	})
}

// An address that has not held the right for longest goes first, for a minute.
func TestPairSetupTurnLapses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		a, again, b := f.unconnected(t, "192.0.2.1"), f.unconnected(t, "192.0.2.1"), f.unconnected(t, "192.0.2.2")
		if !f.hold.take(a) || f.hold.take(b) {
			t.Fatal("the first one to ask does not have it")
		}
		f.hold.release(a)
		if f.hold.take(again) {
			t.Error("it has another turn before the one that waits")
		}
		time.Sleep(turnTime)
		if !f.hold.take(again) {
			t.Error("it waits for one that has not come back")
		}
	})
}

// An address that has had its turn and doesn't wait for another one keeps no one
// out, such as a phone that types a wrong code after another phone has.
func TestPairSetupPastTurnDoesNotBlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		a, b := f.unconnected(t, "192.0.2.1"), f.unconnected(t, "192.0.2.2")
		for _, p := range []*peer{a, b, b} {
			if !f.hold.take(p) {
				t.Errorf("%s: busy, although no other address holds or wants it", p.addr)
			}
			time.Sleep(5 * time.Second)
			f.hold.release(p)
		}
	})
}

// TestPairSetupPrefersNewcomer: however many addresses keep asking, one that has
// not held the right yet waits for the current holder only.
func TestPairSetupPrefersNewcomer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		var others []*peer
		for i := range 10 {
			others = append(others, f.unconnected(t, fmt.Sprintf("192.0.2.%d", 10+i)))
		}
		owner := f.unconnected(t, "192.0.2.1")
		const begin, limit = 600, 40 // seconds
		for second := range begin + limit {
			if second >= begin && second%10 == 0 && f.hold.take(owner) {
				return
			}
			for _, p := range others {
				f.hold.take(p)
			}
			time.Sleep(time.Second)
		}
		t.Errorf("busy for %d s", limit)
	})
}

func TestPairSetupSlowTypist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		defer f.startPiped(t)()
		slow, other := f.stranger(t), f.stranger(t)
		if _, err := slow.exchange("/pair-setup", setupStart(), 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * time.Second)
		if err := slow.pair(testCode, f.Info().DeviceID); err != nil {
			t.Errorf("no other connection asked: %v", err)
		}
		if err := f.Unpair(); err != nil {
			t.Fatal(err)
		}
		key, err := slow.proof(testCode)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * time.Second)
		if _, err := other.exchange("/pair-setup", setupStart(), 2); err != nil {
			t.Fatal(err)
		}
		if _, err := slow.exchange("/pair-setup", slow.m5(key), 6); !isPairError(err, tlvErrBusy) {
			t.Errorf("another one has taken over: %v", err)
		}
		if f.Info().Paired {
			t.Error("paired")
		}
	})
}

// A guess of a connection that has lost pair-setup to another one is not
// answered, so it does not count either.
func TestPairSetupM3AfterTakeover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newUnpaired(t)
		defer f.startPiped(t)()
		idle, other := f.stranger(t), f.stranger(t)
		if _, err := idle.exchange("/pair-setup", setupStart(), 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * time.Second)
		if _, err := other.exchange("/pair-setup", setupStart(), 2); err != nil {
			t.Fatal(err)
		}
		m3 := message(3)
		m3.add(tlvPublicKey, []byte{5})
		m3.add(tlvProof, make([]byte, 64))
		if _, err := idle.exchange("/pair-setup", m3, 4); !isPairError(err, tlvErrBusy) || f.Stats().SetupFailures != 0 {
			t.Errorf("%v, %d failures", err, f.Stats().SetupFailures)
		}
		if _, err := other.exchange("/pair-setup", m3, 4); !isPairError(err, tlvErrAuthentication) || f.Stats().SetupFailures != 1 {
			t.Errorf("%v, %d failures", err, f.Stats().SetupFailures)
		}
	})
}

func TestPairSetupEndsWithReset(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t, func(o *Options) { o.SetupCode = "" }).start(t)
	c, code := f.stranger(t), f.Info().SetupCode
	key, err := c.proof(code)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Unpair(); err != nil {
		t.Fatal(err)
	}
	if f.Info().SetupCode == code {
		t.Error("the reset keeps the code")
	}
	if _, err := c.exchange("/pair-setup", c.m5(key), 6); !isPairError(err, tlvErrBusy) {
		t.Errorf("M5 with the old code: %v", err)
	}
	if _, err := f.stranger(t).proof(code); !isPairError(err, tlvErrAuthentication) {
		t.Errorf("M3 with the old code: %v", err)
	}
	if err := f.stranger(t).pair(f.Info().SetupCode, f.Info().DeviceID); err != nil {
		t.Errorf("the new code: %v", err)
	}
}

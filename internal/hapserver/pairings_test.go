package hapserver

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func pairingsRequest(method byte, p *Pairing) tlv {
	t := message(1)
	t.addByte(tlvMethod, method)
	if p != nil {
		t.add(tlvIdentifier, []byte(p.ID))
	}
	if p != nil && method == methodAddPairing {
		rights := byte(0)
		if p.Admin {
			rights = 1
		}
		t.add(tlvPublicKey, p.PublicKey)
		t.addByte(tlvPermissions, rights)
	}
	return t
}

func (c *controller) pairings(method byte, p *Pairing) error {
	_, err := c.exchange("/pairings", pairingsRequest(method, p), 2)
	return err
}

func (c *controller) add(t testing.TB, other *controller, admin bool) {
	t.Helper()
	p := other.pairing(admin)
	if err := c.pairings(methodAddPairing, &p); err != nil {
		t.Fatal(err)
	}
}

func ids(i Info) string {
	var out []string
	for _, c := range i.Controllers {
		out = append(out, fmt.Sprint(c.ID, c.Admin))
	}
	return strings.Join(out, " ")
}

// The specification's form, which hap v0.0.35 did not answer: state, then
// identifier, key and rights of each with separators between.
func TestListPairingsForm(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c, guest := f.connect(t, nil), newController("guest")
	c.add(t, guest, false)
	in, err := c.exchange("/pairings", pairingsRequest(methodListPairings, nil), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := tlv{
		{tlvState, []byte{2}},
		{tlvIdentifier, []byte(f.admin.id)}, {tlvPublicKey, f.admin.key.Public().(ed25519.PublicKey)}, {tlvPermissions, []byte{1}},
		{tlvSeparator, []byte{}},
		{tlvIdentifier, []byte("guest")}, {tlvPublicKey, guest.key.Public().(ed25519.PublicKey)}, {tlvPermissions, []byte{0}},
	}
	if !slices.EqualFunc(in, want, func(a, b tlvItem) bool { return a.Type == b.Type && bytes.Equal(a.Value, b.Value) }) {
		t.Errorf("%x", in)
	}
}

func TestAddPairing(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c, guest := f.connect(t, nil), newController("guest")
	c.add(t, guest, false)
	if saved := f.store.saved(); len(saved.Pairings) != 2 {
		t.Fatalf("%d pairings are stored", len(saved.Pairings))
	}
	g := f.connect(t, guest)
	if a := g.must(t, "GET", "/characteristics?id=1.13", nil); a.status != 200 {
		t.Errorf("the guest reads: %d", a.status)
	}
	p := newController("other").pairing(true)
	for _, method := range []byte{methodAddPairing, methodRemovePairing, methodListPairings} {
		if err := g.pairings(method, &p); !isPairError(err, tlvErrAuthentication) {
			t.Errorf("method %d of a guest: %v", method, err)
		}
	}
	c.add(t, guest, true) // rights change at once, on the open connection
	if err := g.pairings(methodListPairings, nil); err != nil {
		t.Errorf("as admin: %v", err)
	}
	c.add(t, guest, false)
	if err := g.pairings(methodListPairings, nil); !isPairError(err, tlvErrAuthentication) {
		t.Errorf("as guest again: %v", err)
	}
	impostor := newController("guest").pairing(true)
	if err := c.pairings(methodAddPairing, &impostor); !isPairError(err, tlvErrUnknown) {
		t.Errorf("another key for the same identifier: %v", err)
	}
	if got, want := ids(f.Info()), f.admin.id+"true guestfalse"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAddPairingRefuses(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.connect(t, nil)
	short, long := newController("x").pairing(false), newController(strings.Repeat("x", 65)).pairing(false)
	short.PublicKey = short.PublicKey[1:]
	noRights := newController("x").pairing(false)
	withoutRights := pairingsRequest(methodAddPairing, &noRights)[:4]
	for name, request := range map[string]tlv{
		"short key":      pairingsRequest(methodAddPairing, &short),
		"long id":        pairingsRequest(methodAddPairing, &long),
		"no id":          pairingsRequest(methodAddPairing, nil),
		"no rights":      withoutRights,
		"unknown method": pairingsRequest(9, nil),
		"no method":      message(1),
		"state 3":        message(3),
		"no identifier":  pairingsRequest(methodRemovePairing, nil),
	} {
		if _, err := c.exchange("/pairings", request, 2); !isPairError(err, tlvErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.store.fail(errDisk)
	p := newController("y").pairing(false)
	if err := c.pairings(methodAddPairing, &p); !isPairError(err, tlvErrUnknown) {
		t.Errorf("a full disk: %v", err)
	}
	f.store.fail(nil)
	if n := len(f.Info().Controllers); n != 1 {
		t.Fatalf("%d pairings", n)
	}
	for i := range maxPairings - 1 {
		c.add(t, newController(itoa(i)), false)
	}
	if err := c.pairings(methodAddPairing, &p); !isPairError(err, tlvErrMaxPeers) {
		t.Errorf("one too many: %v", err)
	}
}

// In hap v0.0.35 removing an admin closed the connections of every server in
// the process.
func TestRemovePairingClosesOnlyItsConnections(t *testing.T) {
	t.Parallel()
	f, other := newPaired(t).start(t), newPaired(t).start(t)
	guest := newController("guest")
	c, elsewhere := f.connect(t, nil), other.connect(t, nil)
	c.add(t, guest, false)
	other.connect(t, nil).add(t, guest, false)
	g1, g2, sameGuestElsewhere := f.connect(t, guest), f.connect(t, guest), other.connect(t, guest)
	p := guest.pairing(false)
	f.store.fail(errDisk)
	if err := c.pairings(methodRemovePairing, &p); !isPairError(err, tlvErrUnknown) {
		t.Errorf("a full disk: %v", err)
	}
	g1.must(t, "GET", "/characteristics?id=1.13", nil) // it is still paired
	f.store.fail(nil)
	if err := c.pairings(methodRemovePairing, &p); err != nil {
		t.Fatal(err)
	}
	g1.gone(t)
	g2.gone(t)
	if err := guest.again().use(f.dial()).verify(f.records.load()); !isPairError(err, tlvErrAuthentication) {
		t.Errorf("the removed one verifies: %v", err)
	}
	for name, c := range map[string]*controller{"admin": c, "other server's admin": elsewhere, "other server's guest": sameGuestElsewhere} {
		if a := c.must(t, "GET", "/characteristics?id=1.13", nil); a.status != 200 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if err := c.pairings(methodRemovePairing, &p); err != nil {
		t.Errorf("removed twice: %v", err)
	}
}

func TestRemoveLastAdminRemovesAll(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	second, guest := newController("second"), newController("guest")
	c := f.connect(t, nil)
	c.add(t, second, true)
	c.add(t, guest, false)
	g := f.connect(t, guest)
	own := f.admin.pairing(true)
	if err := c.pairings(methodRemovePairing, &own); err != nil { // it gets its answer, then its connection ends
		t.Fatal(err)
	}
	c.gone(t)
	if got := ids(f.Info()); got != "secondtrue guestfalse" {
		t.Fatalf("left: %s", got)
	}
	c, own = f.connect(t, second), second.pairing(true)
	if err := c.pairings(methodRemovePairing, &own); err != nil {
		t.Fatal(err)
	}
	c.gone(t)
	g.gone(t)
	if i := f.Info(); i.Paired || i.SetupCode != testCode {
		t.Errorf("left: %s", ids(i))
	}
	if err := f.stranger(t).pair(testCode, f.Info().DeviceID); err != nil {
		t.Errorf("pairing again: %v", err)
	}
}

func TestLastAdminGivesUpItsRights(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.connect(t, nil)
	own := f.admin.pairing(false)
	if err := c.pairings(methodAddPairing, &own); err != nil {
		t.Fatal(err)
	}
	c.gone(t)
	if f.Info().Paired {
		t.Error("paired without an admin")
	}
}

func TestUnpair(t *testing.T) {
	t.Parallel()
	f := newPaired(t, func(o *Options) { o.SetupCode = "" }).start(t)
	before, c, stranger := f.Info(), f.connect(t, nil), f.stranger(t)
	f.store.fail(errDisk)
	if err := f.Unpair(); err == nil || !f.Info().Paired {
		t.Errorf("with a full disk: %v", err)
	}
	f.store.fail(nil)
	if err := f.Unpair(); err != nil {
		t.Fatal(err)
	}
	c.gone(t)
	after := f.Info()
	if after.Paired || after.DeviceID != before.DeviceID || after.SetupID != before.SetupID || after.SetupCode == testCode {
		t.Errorf("paired %t, same code %t", after.Paired, after.SetupCode == testCode)
	}
	if a := stranger.must(t, "GET", "/accessories", nil); a.status != 470 {
		t.Errorf("a stranger's connection stays: %d", a.status)
	}
}

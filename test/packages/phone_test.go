package packages_test

import (
	"encoding/json"
	"strings"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// phone is the independent HomeKit controller of test/e2e/hapcontroller, in a
// machine's network.
type phone struct {
	*peer.Driver
	m *machine
}

func startPhone(m *machine, tv peer.Television, pairing json.RawMessage) *phone {
	m.t.Helper()
	const dir = "../e2e/hapcontroller"
	peer.NodeModules(m.t, dir)
	p := &phone{peer.StartDriver(m.t, dir, m.beside("node", "controller.js"), func([]byte) {}), m}
	a := peer.Args{"name": "phone", "device": tv.DeviceID, "address": tv.Address, "port": tv.Port}
	if pairing != nil {
		a["pairing"] = pairing
	}
	p.Do("connect", a, nil)
	return p
}

// pair pairs with the television and returns what a phone remembers.
func (p *phone) pair(tv peer.Television) (pairing json.RawMessage) {
	p.m.t.Helper()
	p.Do("pair", peer.Args{"name": "phone", "code": tv.SetupCode}, &pairing)
	p.reads()
	return pairing
}

// reads checks that the phone can read the accessories, which takes a pairing.
func (p *phone) reads() {
	p.m.t.Helper()
	var said json.RawMessage
	p.Do("accessories", peer.Args{"name": "phone"}, &said)
	if !strings.Contains(string(said), "Den") {
		p.m.t.Errorf("accessories: %s", said)
	}
}

// wantPaired checks that the television still knows the phone, at the same
// address.
func wantPaired(m *machine, tv peer.Television, pairing json.RawMessage) {
	m.t.Helper()
	now := television(m)
	if !now.Paired || now.DeviceID != tv.DeviceID || now.Port != tv.Port {
		m.t.Fatalf("the television is %+v, it was %+v", now, tv)
	}
	startPhone(m, tv, pairing).reads()
}

package hapserver

import (
	"cmp"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// pairError is the error item of a pairing answer.
type pairError byte

const (
	tlvErrUnknown        pairError = 1
	tlvErrAuthentication pairError = 2
	tlvErrMaxPeers       pairError = 4
	tlvErrMaxTries       pairError = 5
	tlvErrUnavailable    pairError = 6
	tlvErrBusy           pairError = 7
)

func (e pairError) Error() string { return fmt.Sprintf("pairing error %d", byte(e)) }

// errSequence answers messages that are malformed or out of turn:
// tlvErrUnknown, with HTTP status 400.
var errSequence = errors.New("malformed or out of turn")

// States of a pairing exchange: the number of the message.
const (
	m1 = iota + 1
	m2
	m3
	m4
	m5
	m6
)

// maxSetupFailures wrong setup codes lock pair-setup, as HAP asks.
const maxSetupFailures = 100

// Methods of pair-setup. Controllers may ask for MFi authentication although we
// announce ff=0; like HAP-NodeJS, we answer both methods the same.
const (
	methodPairSetup         = 0
	methodPairSetupWithAuth = 1
)

// unsupportedFlags ask for a session without a pairing, and for the second half
// of one.
const unsupportedFlags = 1<<4 | 1<<24

// setupExchange is a pair-setup between M1 and M6.
type setupExchange struct {
	srp *srpServer
	key []byte // of the session; nil until the controller has proved the setup code in M3
}

// pairSetup answers M1, M3 and M5 in turn. Any error ends the exchange, so that
// another connection may pair.
func (s *Server) pairSetup(w http.ResponseWriter, r *http.Request) {
	p, in, state := pairingMessage(r)
	out, err := tlv(nil), errSequence
	switch {
	case state == m1:
		out, err = p.setupM1(in)
	case state == m3 && p.setup != nil && p.setup.key == nil:
		out, err = p.setupM3(in)
	case state == m5 && p.setup != nil && p.setup.key != nil:
		out, err = p.setupM5(in)
	}
	if err != nil || state == m5 {
		p.setup = nil
		s.hold.release(p)
	}
	writePairing(w, r, state+1, out, err)
	if err == nil && state == m5 {
		s.pairingsChanged()
	}
}

// pairingMessage returns a request's connection, items and state. A malformed
// message has no items, and state 0.
func pairingMessage(r *http.Request) (p *peer, in tlv, state byte) {
	in, _ = parseTLV(body(r))
	state, _ = in.byteAt(tlvState)
	return peerOf(r), in, state
}

// writePairing answers a pairing message with items or an error.
func writePairing(w http.ResponseWriter, r *http.Request, state byte, items tlv, err error) {
	status := http.StatusOK
	if err != nil {
		p := peerOf(r)
		p.s.log.Debugf("refused %s from %s, message %d: %v", r.URL.Path, p.addr, state-1, err)
		pe, ok := errors.AsType[pairError](err)
		if !ok {
			status, pe = http.StatusBadRequest, tlvErrUnknown
		}
		items = tlv{{tlvError, []byte{byte(pe)}}}
	}
	respond(w, status, typeTLV, append(tlv{{tlvState, []byte{state}}}, items...).encode())
}

// setupM1 starts an exchange, or starts it over.
func (p *peer) setupM1(in tlv) (tlv, error) {
	r := p.s.records.load()
	method, ok := in.byteAt(tlvMethod)
	flags := in.get(tlvFlags) // a number of up to 8 bytes
	switch {
	case !ok || method != methodPairSetup && method != methodPairSetupWithAuth:
		return nil, errSequence
	case r.paired():
		return nil, tlvErrUnavailable
	case r.setupLocked():
		return nil, tlvErrMaxTries
	case binary.LittleEndian.Uint64(append(slices.Clone(flags), make([]byte, 8)...))&unsupportedFlags != 0:
		return nil, tlvErrUnknown
	case !p.s.hold.take(p):
		return nil, tlvErrBusy
	}
	srp := p.s.offer.get(r.SetupCode)
	p.setup = &setupExchange{srp: srp}
	return tlv{{tlvPublicKey, srp.public}, {tlvSalt, srp.salt}}, nil
}

// setupM3 checks the controller's proof of the setup code, and counts a wrong
// one.
func (p *peer) setupM3(in tlv) (tlv, error) {
	a, proof := in.get(tlvPublicKey), in.get(tlvProof)
	if a == nil || proof == nil {
		return nil, errSequence
	}
	if !p.s.hold.heldBy(p) || !p.s.offer.use(p.setup.srp) {
		return nil, tlvErrBusy
	}
	key, answer, err := p.setup.srp.verify(a, proof)
	if err == nil {
		p.setup.key = key
		return tlv{{tlvProof, answer}}, nil
	}
	failures, err := p.s.records.countFailure()
	p.s.log.Warnf("wrong setup code from %s, %d of %d", p.addr, failures, maxSetupFailures)
	if err != nil {
		p.s.log.Errorf("cannot save the number of wrong setup codes: %v", err)
	}
	if failures == maxSetupFailures {
		p.s.log.Warnf("pairing is locked after %d wrong setup codes, until the owner resets it", failures)
		p.s.pairingsChanged()
	}
	return nil, tlvErrAuthentication
}

// setupM5 exchanges long-term keys. The pairing is saved before the answer.
func (p *peer) setupM5(in tlv) (tlv, error) {
	sealed := in.get(tlvEncryptedData)
	if sealed == nil {
		return nil, errSequence
	}
	key := deriveKey(p.setup.key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
	sub, err := openMessage(key, "PS-Msg05", sealed)
	if err != nil {
		return nil, tlvErrAuthentication
	}
	id, public, signature := sub.get(tlvIdentifier), sub.get(tlvPublicKey), sub.get(tlvSignature)
	x := deriveKey(p.setup.key, "Pair-Setup-Controller-Sign-Salt", "Pair-Setup-Controller-Sign-Info")
	if !validPairing(string(id), public) || !ed25519.Verify(public, slices.Concat(x, id, public), signature) {
		return nil, tlvErrAuthentication
	}
	err = p.s.changePairings(func(r *Record) error {
		// Another connection or the owner's reset may have ended the exchange.
		if !p.s.hold.heldBy(p) || r.paired() || r.SetupCode != p.setup.srp.code {
			return tlvErrBusy
		}
		r.Pairings, r.SetupFailures = []Pairing{{ID: string(id), PublicKey: public, Admin: true}}, 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.s.log.Infof("paired with controller %q", id)
	return tlv{{tlvEncryptedData, sealMessage(key, "PS-Msg06", p.s.setupIdentity(p.setup.key))}}, nil
}

// setupIdentity returns our identifier and long-term key, signed.
func (s *Server) setupIdentity(secret []byte) tlv {
	x := deriveKey(secret, "Pair-Setup-Accessory-Sign-Salt", "Pair-Setup-Accessory-Sign-Info")
	r := s.records.load()
	id, key := []byte(r.DeviceID), r.key()
	public := key[ed25519.SeedSize:] // a private key ends with its public key
	signature := ed25519.Sign(key, slices.Concat(x, id, public))
	return tlv{{tlvIdentifier, id}, {tlvPublicKey, public}, {tlvSignature, signature}}
}

// setupHold lets one connection pair at a time. After setupTime it keeps the
// right until another one asks, so that a slow typist succeeds and an idle
// connection blocks no one. Addresses that ask take turns: those that have not
// held the right for longest go first, and among them the one that has waited
// longest.
type setupHold struct {
	mu     sync.Mutex
	holder *peer
	since  time.Time
	turns  map[netip.Addr]setupTurn
}

// setupTurn is the place of an address in the queue.
type setupTurn struct {
	waiting time.Time // since when; zero: it is not
	asked   time.Time // last
	held    time.Time // last
}

const (
	setupTime = 30 * time.Second
	turnTime  = time.Minute // for an address to ask again when it was told "busy"
	maxTurns  = 1000
)

// take claims the right for p. Claiming it again does not extend it.
func (h *setupHold) take(p *peer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holder == p {
		return true
	}
	now := time.Now()
	own := h.turns[p.addr]
	if own.waiting.IsZero() || now.Sub(own.asked) >= turnTime {
		own.waiting = now
	}
	own.asked = now
	free := h.holder == nil || now.Sub(h.since) >= setupTime
	for addr, t := range h.turns {
		first := cmp.Or(t.held.Compare(own.held), t.waiting.Compare(own.waiting)) < 0
		if addr != p.addr && !t.waiting.IsZero() && now.Sub(t.asked) < turnTime && first {
			free = false
		}
	}
	if free {
		h.holder, h.since = p, now
		own.waiting, own.held = time.Time{}, now
	}
	if h.turns == nil || len(h.turns) >= maxTurns {
		h.turns = map[netip.Addr]setupTurn{}
	}
	h.turns[p.addr] = own
	return free
}

func (h *setupHold) heldBy(p *peer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.holder == p
}

// release ends the right of p, if it has it.
func (h *setupHold) release(p *peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holder == p {
		h.holder = nil
	}
}

// cancel ends the right of any connection.
func (h *setupHold) cancel() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holder, h.turns = nil, nil
}

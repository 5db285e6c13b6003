package hapserver

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// pairError is what a pairing request gets in its error item. Messages without meaning, or out of turn, get errSequence.
type pairError byte

func (e pairError) Error() string { return fmt.Sprintf("pairing error %d", byte(e)) }

// errSequence becomes HTTP 400 and the unknown error: the message is malformed or not the one that is due.
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

// Methods of pair-setup. Apple's controllers and others also ask with MFi authentication of accessories that have none; like
// HAP-NodeJS we answer both the same, for ff=0 says that there is none.
const (
	methodPairSetup         = 0
	methodPairSetupWithAuth = 1
)

// Flags of pair-setup's M1 that ask for what is not offered: a session without a pairing, and the second half of such a one.
const unsupportedFlags = 1<<4 | 1<<24

// setupExchange is a pair-setup between M1 and M6. answered is the last message that we sent.
type setupExchange struct {
	answered byte
	srp      *srpServer
	key      []byte // the session key, once the controller has proved that it knows the setup code
}

// pairSetup answers M1, M3 and M5, each only when it is due; any error ends the exchange and lets others try.
func (s *Server) pairSetup(w http.ResponseWriter, r *http.Request) {
	p := peerOf(r)
	in, err := parseTLV(body(r))
	state, _ := in.byteAt(tlvState)
	if err != nil {
		err = errSequence
	}
	var out tlv
	if err == nil {
		out, err = p.setupStep(state, in)
	}
	if err != nil || state == m5 {
		p.setup = nil
		s.hold.release(p)
	}
	writePairing(w, state+1, out, err)
	if err == nil && state == m5 {
		s.pairingsChanged()
	}
}

// writePairing answers a pairing message: with items, or with the error.
func writePairing(w http.ResponseWriter, state byte, items tlv, err error) {
	var out tlv
	out.addByte(tlvState, state)
	var pe pairError
	switch {
	case err == nil:
		writeTLV(w, http.StatusOK, append(out, items...))
	case errors.As(err, &pe):
		out.addByte(tlvError, byte(pe))
		writeTLV(w, http.StatusOK, out)
	default:
		out.addByte(tlvError, tlvErrUnknown)
		writeTLV(w, http.StatusBadRequest, out)
	}
}

func (p *peer) setupStep(state byte, in tlv) (tlv, error) {
	switch {
	case state == m1:
		return p.setupM1(in)
	case state == m3 && p.setup != nil && p.setup.answered == m2:
		return p.setupM3(in)
	case state == m5 && p.setup != nil && p.setup.answered == m4:
		return p.setupM5(in)
	}
	return nil, errSequence
}

// setupM1 begins an exchange, or begins again.
func (p *peer) setupM1(in tlv) (tlv, error) {
	r := p.s.records.load()
	method, ok := in.byteAt(tlvMethod)
	switch {
	case !ok || method != methodPairSetup && method != methodPairSetupWithAuth:
		return nil, errSequence
	case r.paired():
		return nil, pairError(tlvErrUnavailable)
	case r.SetupFailures >= p.s.lim.SetupFailures:
		return nil, pairError(tlvErrMaxTries)
	case setupFlags(in)&unsupportedFlags != 0:
		return nil, pairError(tlvErrUnknown)
	case !p.s.hold.take(p):
		return nil, pairError(tlvErrBusy)
	}
	srp, err := p.s.offer.take(r.SetupCode)
	if err != nil {
		return nil, pairError(tlvErrUnknown)
	}
	p.setup = &setupExchange{answered: m2, srp: srp}
	var out tlv
	out.add(tlvPublicKey, srp.publicKey())
	out.add(tlvSalt, srp.salt())
	return out, nil
}

// setupFlags reads an integer of up to 8 bytes, 0 when there is none.
func setupFlags(in tlv) uint64 {
	v, _ := in.get(tlvFlags)
	return binary.LittleEndian.Uint64(append(slices.Clone(v), make([]byte, 8)...))
}

// setupM3 checks the controller's proof that it knows the setup code. A false one counts.
func (p *peer) setupM3(in tlv) (tlv, error) {
	a, okA := in.get(tlvPublicKey)
	proof, okProof := in.get(tlvProof)
	if !okA || !okProof {
		return nil, errSequence
	}
	if !p.s.hold.heldBy(p) || !p.s.offer.use(p.setup.srp) {
		return nil, pairError(tlvErrBusy)
	}
	key, answer, err := p.setup.srp.verify(a, proof)
	if err != nil {
		p.s.countSetupFailure()
		return nil, pairError(tlvErrAuthentication)
	}
	p.setup.answered, p.setup.key = m4, key
	var out tlv
	out.add(tlvProof, answer)
	return out, nil
}

func (s *Server) countSetupFailure() {
	failures, err := s.records.countFailure()
	if err != nil {
		s.log.Errorf("a wrong setup code was counted in memory only: %v", err)
	}
	if failures == s.lim.SetupFailures {
		s.log.Warnf("pairing is locked after %d wrong setup codes, until the owner resets it", failures)
		s.pairingsChanged()
	}
}

// setupM5 takes the controller's long-term key and gives ours, after the pairing is on disk.
func (p *peer) setupM5(in tlv) (tlv, error) {
	sealed, ok := in.get(tlvEncryptedData)
	if !ok {
		return nil, errSequence
	}
	key, err := deriveKey(p.setup.key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
	if err != nil {
		return nil, pairError(tlvErrUnknown)
	}
	sub, err := openMessage(key, "PS-Msg05", sealed)
	if err != nil {
		return nil, pairError(tlvErrAuthentication)
	}
	admin, err := signedPairing(sub, p.setup.key)
	if err != nil {
		return nil, err
	}
	answer, err := p.s.signedIdentity(p.setup.key)
	if err != nil {
		return nil, pairError(tlvErrUnknown)
	}
	sealed, err = sealMessage(key, "PS-Msg06", answer.encode())
	if err != nil {
		return nil, pairError(tlvErrUnknown)
	}
	if err := p.s.pairAdmin(p, admin); err != nil {
		return nil, err
	}
	var out tlv
	out.add(tlvEncryptedData, sealed)
	return out, nil
}

// signedPairing reads the controller's identifier and key and checks that it signed them.
func signedPairing(sub tlv, secret []byte) (Pairing, error) {
	id, _ := sub.get(tlvIdentifier)
	key, _ := sub.get(tlvPublicKey)
	signature, _ := sub.get(tlvSignature)
	if !validPairing(string(id), key) {
		return Pairing{}, pairError(tlvErrAuthentication)
	}
	x, err := deriveKey(secret, "Pair-Setup-Controller-Sign-Salt", "Pair-Setup-Controller-Sign-Info")
	if err != nil || !ed25519.Verify(key, slices.Concat(x, id, key), signature) {
		return Pairing{}, pairError(tlvErrAuthentication)
	}
	return Pairing{ID: string(id), PublicKey: key, Admin: true}, nil
}

// signedIdentity is our identifier and key, signed.
func (s *Server) signedIdentity(secret []byte) (tlv, error) {
	x, err := deriveKey(secret, "Pair-Setup-Accessory-Sign-Salt", "Pair-Setup-Accessory-Sign-Info")
	if err != nil {
		return nil, err
	}
	r := s.records.load()
	id, key := []byte(r.DeviceID), r.key()
	public := key[ed25519.SeedSize:] // a private key ends with its public key
	var out tlv
	out.add(tlvIdentifier, id)
	out.add(tlvPublicKey, public)
	out.add(tlvSignature, ed25519.Sign(key, slices.Concat(x, id, public)))
	return out, nil
}

// pairAdmin stores the first pairing. It fails when the owner or another connection came in between.
func (s *Server) pairAdmin(p *peer, admin Pairing) error {
	err := s.records.update(func(r *Record) error {
		if !s.hold.heldBy(p) || r.paired() {
			return errNotHeld
		}
		r.Pairings, r.SetupFailures = []Pairing{admin}, 0
		return nil
	})
	switch {
	case errors.Is(err, errNotHeld):
		return pairError(tlvErrBusy)
	case err != nil:
		s.log.Errorf("pairing failed: %v", err)
		return pairError(tlvErrUnknown)
	}
	s.log.Infof("paired with controller %q", admin.ID)
	return nil
}

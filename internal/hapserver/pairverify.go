package hapserver

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"slices"
)

// verifyExchange is a pair-verify between M1 and M3.
type verifyExchange struct {
	controllerKey, ourKey []byte // of this exchange, X25519
	shared                []byte
	key                   []byte // seals M2 and M3
}

// pairVerify answers M1 and M3. After the answer to M3 the connection is
// encrypted.
func (s *Server) pairVerify(w http.ResponseWriter, r *http.Request) {
	p, in, state := pairingMessage(r)
	exchange := p.verify
	p.verify = nil // an exchange has one M3
	out, err := tlv(nil), errSequence
	switch {
	case p.verified():
	case state == m1:
		out, err = p.verifyM1(in)
	case state == m3 && exchange != nil:
		err = p.verifyM3(in, exchange)
	}
	writePairing(w, r, state+1, out, err)
}

// verifyM1 answers with our key of this exchange and a signature.
func (p *peer) verifyM1(in tlv) (tlv, error) {
	theirs := in.get(tlvPublicKey)
	remote, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return nil, errSequence
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, tlvErrUnknown
	}
	shared, err := private.ECDH(remote)
	if err != nil { // a key of low order: everyone would know the secret
		return nil, tlvErrAuthentication
	}
	v := &verifyExchange{
		controllerKey: theirs, ourKey: private.PublicKey().Bytes(), shared: shared,
		key: deriveKey(shared, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info"),
	}
	p.verify = v
	r := p.s.records.load()
	id := []byte(r.DeviceID)
	identity := tlv{{tlvIdentifier, id}, {tlvSignature, ed25519.Sign(r.key(), slices.Concat(v.ourKey, id, v.controllerKey))}}
	return tlv{{tlvPublicKey, v.ourKey}, {tlvEncryptedData, sealMessage(v.key, "PV-Msg02", identity)}}, nil
}

// verifyM3 checks that the controller is paired. An unknown controller and a
// wrong signature get the same answer.
func (p *peer) verifyM3(in tlv, v *verifyExchange) error {
	sealed := in.get(tlvEncryptedData)
	if sealed == nil {
		return errSequence
	}
	sub, err := openMessage(v.key, "PV-Msg03", sealed)
	if err != nil {
		return tlvErrAuthentication
	}
	id, signature := sub.get(tlvIdentifier), sub.get(tlvSignature)
	controller, ok := p.s.records.load().pairing(string(id))
	if !ok || !ed25519.Verify(controller.PublicKey, slices.Concat(v.controllerKey, id, v.ourKey), signature) {
		return tlvErrAuthentication
	}
	p.controller.Store(&controller)
	if !p.s.records.load().trusts(controller) { // removed just now, when dropRevoked did not see this connection yet
		p.controller.Store(nil)
		return tlvErrAuthentication
	}
	p.s.o.Strangers.remove(p)
	p.s.peers.makeRoom(p)
	p.secret = v.shared
	return nil
}

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

// pairVerify answers M1 and M3. Once M3 is answered, the connection runs in frames.
func (s *Server) pairVerify(w http.ResponseWriter, r *http.Request) {
	p := peerOf(r)
	in, err := parseTLV(body(r))
	state, _ := in.byteAt(tlvState)
	exchange := p.verify
	p.verify = nil // each exchange gets one answer to M1 and one to M3
	var out tlv
	switch {
	case err != nil || p.verified():
		err = errSequence
	case state == m1:
		out, err = p.verifyM1(in)
	case state == m3 && exchange != nil:
		err = p.verifyM3(in, exchange)
	default:
		err = errSequence
	}
	writePairing(w, state+1, out, err)
}

// verifyM1 answers with a key of our own, signed.
func (p *peer) verifyM1(in tlv) (tlv, error) {
	theirs, _ := in.get(tlvPublicKey)
	remote, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return nil, errSequence
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, pairError(tlvErrUnknown)
	}
	shared, err := private.ECDH(remote)
	if err != nil { // a key of low order: the secret would be known to everybody
		return nil, pairError(tlvErrAuthentication)
	}
	key, err := deriveKey(shared, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info")
	if err != nil {
		return nil, pairError(tlvErrUnknown)
	}
	p.verify = &verifyExchange{controllerKey: theirs, ourKey: private.PublicKey().Bytes(), shared: shared, key: key}
	sealed, err := sealMessage(key, "PV-Msg02", p.s.verifyIdentity(p.verify).encode())
	if err != nil {
		return nil, pairError(tlvErrUnknown)
	}
	var out tlv
	out.add(tlvPublicKey, p.verify.ourKey)
	out.add(tlvEncryptedData, sealed)
	return out, nil
}

func (s *Server) verifyIdentity(v *verifyExchange) tlv {
	r := s.records.load()
	id := []byte(r.DeviceID)
	var out tlv
	out.add(tlvIdentifier, id)
	out.add(tlvSignature, ed25519.Sign(r.key(), slices.Concat(v.ourKey, id, v.controllerKey)))
	return out
}

// verifyM3 checks that the controller is a paired one. An unknown one and a wrong signature look the same from outside.
func (p *peer) verifyM3(in tlv, v *verifyExchange) error {
	sealed, ok := in.get(tlvEncryptedData)
	if !ok {
		return errSequence
	}
	sub, err := openMessage(v.key, "PV-Msg03", sealed)
	if err != nil {
		return pairError(tlvErrAuthentication)
	}
	id, _ := sub.get(tlvIdentifier)
	signature, _ := sub.get(tlvSignature)
	controller, ok := p.s.records.load().pairing(string(id))
	if !ok || !ed25519.Verify(controller.PublicKey, slices.Concat(v.controllerKey, id, v.ourKey), signature) {
		return pairError(tlvErrAuthentication)
	}
	ciphers, err := newSessionCiphers(v.shared)
	if err != nil {
		return pairError(tlvErrUnknown)
	}
	p.controller.Store(&controller)
	if !p.s.records.load().trusts(controller) { // removed between the two looks, so nobody else has closed this connection
		p.controller.Store(nil)
		return pairError(tlvErrAuthentication)
	}
	p.secure = ciphers
	return nil
}

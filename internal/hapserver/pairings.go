package hapserver

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
)

// maxPairings is the largest number of paired controllers. HAP asks for at
// least 16.
const maxPairings = 64

// Methods of /pairings.
const (
	methodAddPairing    = 3
	methodRemovePairing = 4
	methodListPairings  = 5
)

// pairings lets an admin add, remove and list controllers. It closes the
// connections of a removed controller, the requesting one after the answer.
func (s *Server) pairings(w http.ResponseWriter, r *http.Request) {
	p, in, state := pairingMessage(r)
	method, _ := in.byteAt(tlvMethod)
	out, err := tlv(nil), errSequence
	switch {
	case state != m1:
	case !s.isAdmin(p):
		err = tlvErrAuthentication
	case method == methodAddPairing:
		err = s.addPairing(in)
	case method == methodRemovePairing:
		err = s.removePairing(in)
	case method == methodListPairings:
		out, err = s.listPairings(), nil
	}
	changed := err == nil && method != methodListPairings
	if changed {
		s.dropRevoked(p)
	}
	writePairing(w, r, m2, out, err)
	if changed {
		s.pairingsChanged()
	}
}

// isAdmin looks at the current pairings, as rights may have changed since
// pair-verify.
func (s *Server) isAdmin(p *peer) bool {
	r, c := s.records.load(), p.controller.Load()
	stored, ok := r.pairing(c.ID)
	return ok && stored.Admin && r.trusts(*c)
}

// addPairing adds a controller, or changes the rights of one with the same key.
func (s *Server) addPairing(in tlv) error {
	id, key := in.get(tlvIdentifier), in.get(tlvPublicKey)
	rights, ok := in.byteAt(tlvPermissions)
	if !ok || rights > 1 || !validPairing(string(id), key) {
		return errSequence
	}
	err := s.changePairings(func(r *Record) error {
		switch i := r.find(string(id)); {
		case i < 0 && len(r.Pairings) >= maxPairings:
			return tlvErrMaxPeers
		case i < 0:
			r.Pairings = append(r.Pairings, Pairing{ID: string(id), PublicKey: key, Admin: rights == 1})
		case !bytes.Equal(r.Pairings[i].PublicKey, key):
			return tlvErrUnknown
		default:
			r.Pairings[i].Admin = rights == 1
		}
		return nil
	})
	if err == nil {
		s.log.Infof("added controller %q, admin: %t", id, rights == 1)
	}
	return err
}

// removePairing removes a controller. An unknown one counts as removed.
func (s *Server) removePairing(in tlv) error {
	id := in.get(tlvIdentifier)
	if len(id) == 0 {
		return errSequence
	}
	err := s.changePairings(func(r *Record) error {
		r.Pairings = slices.DeleteFunc(r.Pairings, func(p Pairing) bool { return p.ID == string(id) })
		return nil
	})
	if err == nil {
		s.log.Infof("removed controller %q; %d are paired", id, len(s.records.load().Pairings))
	}
	return err
}

// changePairings saves a change. Without the last admin, who could remove the
// others, it removes all pairings. Every error is a pairError.
func (s *Server) changePairings(change func(*Record) error) error {
	err := s.records.update(func(r *Record) error {
		if err := change(r); err != nil {
			return err
		}
		if !r.hasAdmin() {
			r.Pairings = nil
		}
		return nil
	})
	if _, ok := errors.AsType[pairError](err); err != nil && !ok {
		s.log.Errorf("cannot change pairings: %v", err)
		return tlvErrUnknown
	}
	return err
}

// listPairings returns identifier, key and rights of each controller, with
// separators.
func (s *Server) listPairings() tlv {
	var out tlv
	for i, p := range s.records.load().Pairings {
		if i > 0 {
			out = append(out, tlvItem{Type: tlvSeparator})
		}
		rights := byte(0)
		if p.Admin {
			rights = 1
		}
		out = append(out, tlv{{tlvIdentifier, []byte(p.ID)}, {tlvPublicKey, p.PublicKey}, {tlvPermissions, []byte{rights}}}...)
	}
	return out
}

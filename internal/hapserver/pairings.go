package hapserver

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
)

// Methods of /pairings.
const (
	methodAddPairing    = 3
	methodRemovePairing = 4
	methodListPairings  = 5
)

// pairings lets an admin add, remove and list controllers. Connections of a removed controller end at once, its own after the answer.
func (s *Server) pairings(w http.ResponseWriter, r *http.Request) {
	p := peerOf(r)
	in, err := parseTLV(body(r))
	state, _ := in.byteAt(tlvState)
	method, okMethod := in.byteAt(tlvMethod)
	var out tlv
	switch {
	case err != nil || state != m1 || !okMethod:
		err = errSequence
	case !s.isAdmin(p):
		err = pairError(tlvErrAuthentication)
	case method == methodAddPairing:
		err = s.addPairing(in)
	case method == methodRemovePairing:
		err = s.removePairing(in)
	case method == methodListPairings:
		out = s.listPairings()
	default:
		err = errSequence
	}
	if err == nil && method != methodListPairings {
		s.dropRevoked(p)
	}
	writePairing(w, m2, out, err)
	if err == nil && method != methodListPairings {
		s.pairingsChanged()
	}
}

// isAdmin looks at the pairings of this moment: rights may have changed since the controller verified itself.
func (s *Server) isAdmin(p *peer) bool {
	r, c := s.records.load(), p.controller.Load()
	stored, ok := r.pairing(c.ID)
	return ok && stored.Admin && r.trusts(*c)
}

// addPairing adds a controller, or changes the rights of one that has the same key.
func (s *Server) addPairing(in tlv) error {
	id, _ := in.get(tlvIdentifier)
	key, _ := in.get(tlvPublicKey)
	rights, ok := in.byteAt(tlvPermissions)
	if !ok || rights > 1 || !validPairing(string(id), key) {
		return errSequence
	}
	return s.changePairings(func(r *Record) error {
		switch i := r.find(string(id)); {
		case i < 0 && len(r.Pairings) >= s.lim.Pairings:
			return pairError(tlvErrMaxPeers)
		case i < 0:
			r.Pairings = append(r.Pairings, Pairing{ID: string(id), PublicKey: key, Admin: rights == 1})
		case !bytes.Equal(r.Pairings[i].PublicKey, key):
			return pairError(tlvErrUnknown)
		default:
			r.Pairings[i].Admin = rights == 1
		}
		return nil
	})
}

// removePairing removes a controller. One that is not paired is as good as removed.
func (s *Server) removePairing(in tlv) error {
	id, ok := in.get(tlvIdentifier)
	if !ok || len(id) == 0 {
		return errSequence
	}
	return s.changePairings(func(r *Record) error {
		r.Pairings = slices.DeleteFunc(r.Pairings, func(p Pairing) bool { return p.ID == string(id) })
		return nil
	})
}

// changePairings stores a change. Without an admin nobody could ever remove a controller, so the last admin takes all with it.
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
	if pe := pairError(0); err != nil && !errors.As(err, &pe) {
		s.log.Errorf("a change of pairings failed: %v", err)
		return pairError(tlvErrUnknown)
	}
	return err
}

// listPairings returns identifier, key and rights of each controller, with separators between them.
func (s *Server) listPairings() tlv {
	var out tlv
	for i, p := range s.records.load().Pairings {
		if i > 0 {
			out.add(tlvSeparator, nil)
		}
		rights := byte(0)
		if p.Admin {
			rights = 1
		}
		out.add(tlvIdentifier, []byte(p.ID))
		out.add(tlvPublicKey, p.PublicKey)
		out.addByte(tlvPermissions, rights)
	}
	return out
}

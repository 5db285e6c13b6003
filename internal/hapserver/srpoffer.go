package hapserver

import "sync"

// srpOffer is the exchange that pair-setup offers in M2. Making one costs two exponentiations of 3072 bits, so it is offered again,
// with the same salt and B, until an M3 has used it: a stranger who repeats M1 burns next to nothing, and one who sends M3 gets no
// further than 100 failures. B alone tells nothing about the code, to whomever it was shown before.
type srpOffer struct {
	mu   sync.Mutex
	code string
	srp  *srpServer // nil: the next M1 makes one
}

// take returns the exchange for a setup code.
func (o *srpOffer) take(code string) (*srpServer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.srp != nil && o.code == code {
		return o.srp, nil
	}
	srp, err := newSRPServer(code)
	if err != nil {
		return nil, err
	}
	o.code, o.srp = code, srp
	return srp, nil
}

// use ends the offer of an exchange before its proof is checked; false when another one did. So there is one guess for each B.
func (o *srpOffer) use(srp *srpServer) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.srp != srp {
		return false
	}
	o.srp = nil
	return true
}

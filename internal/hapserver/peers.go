package hapserver

import (
	"slices"
	"sync"
)

// peers are the open connections, in the order in which they came. A full cap makes room by closing the oldest
// connection that is not verified, so strangers cannot keep a controller out.
type peers struct {
	lim     Limits
	hold    *setupHold
	mu      sync.Mutex
	list    []*peer
	refused uint64 // connections that were closed or not taken because a cap was full
}

// add takes a connection in; false when all that could give way are verified.
func (ps *peers) add(p *peer) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	sameHost := func(q *peer) bool { return q.host == p.host }
	anyHost := func(*peer) bool { return true }
	if !ps.makeRoom(ps.lim.PerAddress, sameHost) || !ps.makeRoom(ps.lim.Connections, anyHost) {
		ps.refused++
		return false
	}
	ps.list = append(ps.list, p)
	return true
}

// makeRoom makes the connections that match fewer than limit.
func (ps *peers) makeRoom(limit int, match func(*peer) bool) bool {
	n := 0
	for _, p := range ps.list {
		if match(p) {
			n++
		}
	}
	if n < limit {
		return true
	}
	i := slices.IndexFunc(ps.list, func(p *peer) bool { return match(p) && !p.verified() && !ps.hold.heldBy(p) })
	if i < 0 { // the one that is pairing goes last
		i = slices.IndexFunc(ps.list, func(p *peer) bool { return match(p) && !p.verified() })
	}
	if i < 0 {
		return false
	}
	ps.refused++
	ps.list[i].shut()
	ps.list = slices.Delete(ps.list, i, i+1)
	return true
}

func (ps *peers) remove(p *peer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.list = slices.DeleteFunc(ps.list, func(q *peer) bool { return q == p })
}

// all returns the connections at this moment.
func (ps *peers) all() []*peer {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return slices.Clone(ps.list)
}

// count returns how many are open, how many of these are verified, and how many were refused so far.
func (ps *peers) count() (open, verified int, refused uint64) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.list {
		if p.verified() {
			verified++
		}
	}
	return len(ps.list), verified, ps.refused
}

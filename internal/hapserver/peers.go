package hapserver

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	maxStrangers = 128             // unverified connections to all servers that share Strangers
	maxVerified  = 64              // verified connections to one server
	grace        = 5 * time.Second // for an address's only connection to verify or pair
)

// Strangers limits the unverified connections of the servers that share it. A
// full limit closes a connection of the address that has the most.
type Strangers struct{ peers }

// add returns false if p has to be refused: every address has one connection,
// and all of these are younger than grace.
func (ss *Strangers) add(p *peer) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if len(ss.list) >= maxStrangers {
		i := ss.victim(p)
		if i < 0 {
			return false
		}
		ss.list[i].evict()
		ss.list = slices.Delete(ss.list, i, i+1)
	}
	ss.list = append(ss.list, p)
	return true
}

// victim returns the index of the connection that p replaces, or -1: the oldest
// one of the IPv4 address or IPv6 /64 that has the most, and in a /64 of the
// address that has the most. The connection that is pairing goes last.
func (ss *Strangers) victim(p *peer) int {
	inNetwork, atAddress := map[netip.Prefix]int{}, map[netip.Addr]int{}
	for _, q := range append(ss.list, p) {
		inNetwork[q.network()]++
		atAddress[q.addr]++
	}
	load := func(a, b *peer) int {
		return cmp.Or(cmp.Compare(inNetwork[a.network()], inNetwork[b.network()]), cmp.Compare(atAddress[a.addr], atAddress[b.addr]))
	}
	best := 0
	for i, q := range ss.list {
		old := ss.list[best]
		if c := load(q, old); c > 0 || c == 0 && old.s.hold.heldBy(old) && !q.s.hold.heldBy(q) {
			best = i
		}
	}
	if v := ss.list[best]; atAddress[v.addr] == 1 && load(p, v) == 0 && time.Since(v.opened) < grace {
		return -1
	}
	return best
}

// network returns the IPv4 address or IPv6 /64 of a peer.
func (p *peer) network() netip.Prefix {
	prefix, _ := p.addr.Prefix(min(p.addr.BitLen(), 64)) // zero for no address
	return prefix
}

// addrOf returns an address without its port.
func addrOf(a net.Addr) netip.Addr {
	port, _ := netip.ParseAddrPort(a.String()) // invalid for a pipe
	return port.Addr().Unmap()
}

// peers are open connections.
type peers struct {
	mu   sync.Mutex
	list []*peer // oldest first
}

func (ps *peers) add(p *peer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.list = append(ps.list, p)
}

func (ps *peers) remove(p *peer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.list = slices.DeleteFunc(ps.list, func(q *peer) bool { return q == p })
}

func (ps *peers) all() []*peer {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return slices.Clone(ps.list)
}

// makeRoom closes a verified connection if newest is one too many: the stalest
// one of the controller that has the most. A controller with one connection
// keeps it.
func (ps *peers) makeRoom(newest *peer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	byController, verified := map[string][]*peer{}, 0
	for _, p := range ps.list {
		if c := p.controller.Load(); c != nil {
			byController[c.ID] = append(byController[c.ID], p)
			verified++
		}
	}
	most := byController[newest.controller.Load().ID]
	for _, list := range byController {
		if len(list) > len(most) {
			most = list
		}
	}
	if verified <= maxVerified || len(most) < 2 {
		return
	}
	stalest := slices.MinFunc(most, func(a, b *peer) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
	stalest.evict()
	ps.list = slices.DeleteFunc(ps.list, func(q *peer) bool { return q == stalest })
}

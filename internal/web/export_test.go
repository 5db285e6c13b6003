package web

import (
	"net/netip"
	"time"
)

// OccupyHashing takes every slot for hashing a password until release.
func OccupyHashing(g *Guard) (release func()) {
	for range maxHashing {
		g.strangers.hashing <- struct{}{}
	}
	return func() {
		for range maxHashing {
			<-g.strangers.hashing
		}
	}
}

// Throttle limits tries without any password.
type Throttle struct{ *gate }

// NewThrottle returns a Throttle without tries.
func NewThrottle() Throttle { return Throttle{newGate(1)} }

// Take takes a try, or returns how long to wait for one.
func (t Throttle) Take(from netip.Addr) time.Duration { return t.take(network(from).String()) }

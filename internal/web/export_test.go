package web

import (
	"net/netip"
	"time"
)

// OccupyHashing takes every slot for working out a password hash until release.
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
type Throttle struct{ throttle }

// Take uses up a try, or tells how long to wait for one.
func (t *Throttle) Take(from netip.Addr) time.Duration { return t.take(network(from).String()) }

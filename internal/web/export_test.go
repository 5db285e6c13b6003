package web

import (
	"net/http"
	"net/netip"
	"time"
)

// NewClient is a client whose requests go anywhere.
var NewClient = newClient

// NotConnected is the error of Connect for a failed dial.
var NotConnected = notConnected

// Routes are those of the API on the page, as "METHOD /path", with what each needs.
func Routes(o SiteOptions) map[string]Access {
	list := map[string]Access{}
	for _, r := range o.routes() {
		list[r.pattern] = r.access
	}
	return list
}

// APIOf is the API on the page, where everybody may do everything.
func APIOf(o SiteOptions) http.Handler { return api(o.routes(), nil) }

// OccupyHashing takes every slot for working out a password hash until release.
func OccupyHashing(g *Guard) (release func()) {
	for range maxHashing {
		g.hashing <- struct{}{}
	}
	return func() {
		for range maxHashing {
			<-g.hashing
		}
	}
}

// Throttle limits tries without any password.
type Throttle struct{ throttle }

// Take uses up a try, or tells how long to wait for one.
func (t *Throttle) Take(from netip.Addr) time.Duration { return t.take(from) }

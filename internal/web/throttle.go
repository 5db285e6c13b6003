package web

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Limits of sign-in attempts.
const (
	tries        = 5 // in a burst
	tryInterval  = 30 * time.Second
	maxAddresses = 1024 // remembered; the others share one limit
)

// gate limits the sign-in attempts of each address or device, and how many
// passwords are hashed at a time.
type gate struct {
	hashing chan struct{}

	mu   sync.Mutex
	by   map[string]*rate.Limiter
	rest *rate.Limiter // shared by the addresses beyond maxAddresses
}

func newGate(hashing int) *gate {
	return &gate{hashing: make(chan struct{}, hashing), by: map[string]*rate.Limiter{}, rest: newLimiter()}
}

func newLimiter() *rate.Limiter { return rate.NewLimiter(rate.Every(tryInterval), tries) }

// take takes a try, or returns how long to wait for one.
func (g *gate) take(from string) time.Duration {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.by) >= maxAddresses {
		maps.DeleteFunc(g.by, func(_ string, l *rate.Limiter) bool { return l.TokensAt(now) >= tries })
	}
	limiter := g.by[from]
	switch {
	case limiter != nil:
	case len(g.by) < maxAddresses:
		limiter = newLimiter()
		g.by[from] = limiter
	default:
		limiter = g.rest
	}
	try := limiter.ReserveN(now, 1)
	wait := try.DelayFrom(now)
	if wait > 0 {
		try.CancelAt(now)
	}
	return wait
}

// forget resets the tries of an address.
func (g *gate) forget(from string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.by, from)
}

// network returns the network that counts as one address: a /64 of IPv6, because
// a single machine can use all of it.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	p, _ := a.Prefix(min(a.BitLen(), 64)) // zero for no address
	return p
}

func errTooMany(wait time.Duration) error {
	return &api.Error{Code: api.CodeTooMany, Message: "too many sign-in attempts", RetryAfter: wait,
		Hint: fmt.Sprintf("Wait %.0f s and try again.", math.Ceil(wait.Seconds()))}
}

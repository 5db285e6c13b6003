package web

import (
	"fmt"
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

// throttle limits the tries of each address or device.
type throttle struct {
	mu   sync.Mutex
	by   map[string]*rate.Limiter
	rest *rate.Limiter // shared by the addresses beyond maxAddresses
}

// take takes a try, or returns how long to wait for one.
func (t *throttle) take(from string) time.Duration {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	try := t.limiter(from, now).ReserveN(now, 1)
	wait := try.DelayFrom(now)
	if wait > 0 {
		try.CancelAt(now)
	}
	return wait
}

// forget resets the tries of an address.
func (t *throttle) forget(from string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, from)
}

func (t *throttle) limiter(from string, now time.Time) *rate.Limiter {
	if l := t.by[from]; l != nil {
		return l
	}
	if len(t.by) >= maxAddresses {
		t.drop(now)
	}
	fresh := rate.NewLimiter(rate.Every(tryInterval), tries)
	switch {
	case len(t.by) < maxAddresses:
		if t.by == nil {
			t.by = map[string]*rate.Limiter{}
		}
		t.by[from] = fresh
	case t.rest == nil:
		t.rest = fresh
	default:
		return t.rest
	}
	return fresh
}

// drop forgets the addresses that have all their tries back.
func (t *throttle) drop(now time.Time) {
	for from, l := range t.by {
		if l.TokensAt(now) >= tries {
			delete(t.by, from)
		}
	}
}

// network returns the network that counts as one address: a /64 of IPv6, because
// a single machine can use all of it.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // zero for no address
	return p
}

func errTooMany(wait time.Duration) error {
	return &api.Error{Code: api.CodeTooMany, Message: "too many sign-in attempts", RetryAfter: wait,
		Hint: fmt.Sprintf("Wait %.0f s and try again.", math.Ceil(wait.Seconds()))}
}

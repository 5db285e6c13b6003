package web

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Tries of the password: a few at once, then one now and then.
const (
	tries        = 5
	tryInterval  = 30 * time.Second
	maxAddresses = 1024 // that are remembered; those beyond share their tries
)

// throttle counts the tries of each address; those of one IPv6 network (/64) count as
// of one, since a single machine has all of its addresses.
type throttle struct {
	mu   sync.Mutex
	by   map[netip.Prefix]*rate.Limiter
	rest *rate.Limiter // of the addresses that found no room
}

// take uses up a try, or tells how long to wait for one.
func (t *throttle) take(from netip.Addr) time.Duration {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	try := t.limiter(network(from), now).ReserveN(now, 1)
	wait := try.DelayFrom(now)
	if wait > 0 {
		try.CancelAt(now)
	}
	return wait
}

// forget gives an address all of its tries back.
func (t *throttle) forget(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, network(from))
}

func (t *throttle) limiter(from netip.Prefix, now time.Time) *rate.Limiter {
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
			t.by = map[netip.Prefix]*rate.Limiter{}
		}
		t.by[from] = fresh
	case t.rest == nil:
		t.rest = fresh
	default:
		return t.rest
	}
	return fresh
}

// drop forgets the addresses that have all of their tries again.
func (t *throttle) drop(now time.Time) {
	for from, l := range t.by {
		if l.TokensAt(now) >= tries {
			delete(t.by, from)
		}
	}
}

// network is what counts as one address.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // zero for no address
	return p
}

// tooManyError means that somebody has to wait before the next try.
type tooManyError struct{ wait time.Duration }

func (*tooManyError) Error() string { return "too many tries of the password" }

// Code returns a short name for programs.
func (*tooManyError) Code() string { return codeTooMany }

// Hint returns what the user can do.
func (e *tooManyError) Hint() string { return fmt.Sprintf("Wait %d s and try again.", e.seconds()) }

func (e *tooManyError) seconds() int { return int(math.Ceil(e.wait.Seconds())) }

// header tells a program how long to wait.
func (e *tooManyError) header(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(e.seconds()))
}

package hapserver

import (
	"errors"
	"sync"
	"time"
)

// errNotHeld means that another connection has taken over pair-setup, or that the owner has reset it.
var errNotHeld = errors.New("pair-setup belongs to another connection")

// setupHold lets one connection at a time pair. It keeps the right for limit; after that it keeps it only until another one asks,
// so that somebody who types the code slowly succeeds and somebody who idles blocks nobody.
type setupHold struct {
	limit  time.Duration
	mu     sync.Mutex
	holder *peer
	since  time.Time
}

// take asks for the right. Asking again does not prolong it.
func (h *setupHold) take(p *peer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch now := time.Now(); {
	case h.holder == p:
	case h.holder == nil || now.Sub(h.since) >= h.limit:
		h.holder, h.since = p, now
	default:
		return false
	}
	return true
}

func (h *setupHold) heldBy(p *peer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.holder == p
}

func (h *setupHold) release(p *peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holder == p {
		h.holder = nil
	}
}

// cancel takes the right from whoever has it.
func (h *setupHold) cancel() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holder = nil
}

package artcache

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// How long a host that failed is left alone: doubling from the first to the
// last; a Retry-After of the host counts if it is longer.
const (
	firstPause = 30 * time.Second
	lastPause  = time.Hour

	// plainFor is how long a host is asked over plain http at once after https
	// could not be spoken.
	plainFor = 24 * time.Hour
)

// health remembers which hosts failed. The number of hosts is bounded by the
// site table. The zero value is ready; it is safe for concurrent use.
type health struct {
	mu    sync.Mutex
	hosts map[string]*hostHealth
}

type hostHealth struct {
	failures   int
	until      time.Time // asked no sooner
	plainUntil time.Time // no https before
}

// A busyError is a host's own word that it cannot answer now.
type busyError struct {
	status string
	after  time.Duration
}

func (e *busyError) Error() string   { return fmt.Sprintf("%v: status %.60q", ErrUnavailable, e.status) }
func (e *busyError) Is(t error) bool { return t == ErrUnavailable }

// A pausedError says that a host is left alone until a time.
type pausedError struct {
	host  string
	until time.Time
}

func (e *pausedError) Error() string {
	return fmt.Sprintf("%v: %s failed and is left alone until %s", ErrUnavailable, e.host, e.until.Format(time.TimeOnly))
}
func (e *pausedError) Is(t error) bool { return t == ErrUnavailable }

// unavailable hides the address in a transport error: the cause is enough.
func unavailable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer within %v", ErrUnavailable, fetchTimeout)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, cause(err))
}

// cause returns a transport error without its address.
func cause(err error) error {
	var transport *url.Error
	if errors.As(err, &transport) {
		return transport.Err
	}
	return err
}

// get returns what is known of a host; the lock is held.
func (h *health) get(host string) *hostHealth {
	if h.hosts == nil {
		h.hosts = map[string]*hostHealth{}
	}
	if h.hosts[host] == nil {
		h.hosts[host] = &hostHealth{}
	}
	return h.hosts[host]
}

// ready returns an error while the host is to be left alone.
func (h *health) ready(host string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if until := h.get(host).until; time.Now().Before(until) {
		return &pausedError{host: host, until: until}
	}
	return nil
}

func (h *health) failed(host string, after time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.get(host)
	s.failures++
	s.until = time.Now().Add(max(pause(s.failures), min(after, lastPause)))
}

func (h *health) worked(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.get(host)
	s.failures, s.until = 0, time.Time{}
}

func (h *health) plain(host string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Before(h.get(host).plainUntil)
}

func (h *health) setPlain(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.get(host).plainUntil = time.Now().Add(plainFor)
}

// pause returns how long to wait after so many failures in a row.
func pause(failures int) time.Duration {
	d := firstPause
	for range min(failures-1, 10) {
		d = min(2*d, lastPause)
	}
	return d
}

// retryAfter returns how long the host asked to be left alone, or 0.
func retryAfter(err error) time.Duration {
	var busy *busyError
	if errors.As(err, &busy) {
		return busy.after
	}
	return 0
}

// parseRetryAfter reads the seconds form; the date form trusts two clocks and
// is not worth it.
func parseRetryAfter(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(lastPause.Seconds()))) * time.Second
}

package ps4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// maxFound bounds what one search keeps, whatever the network sends.
const maxFound = 1024

// Discover searches for consoles for the given time, asking once a second, and
// returns the latest status of each host id, sorted by host id. It searches
// Options.Broadcast, on Options.Interfaces, and asks the addresses in also.
// Finding no console is not an error.
//
// Discover fails if nothing could be sent at all, with [ErrNoNetwork] if this
// machine has no link, and with [net.ErrClosed] once the network is closed. If
// ctx ends first, it returns its cause along with what was found until then.
func (n *Network) Discover(ctx context.Context, wait time.Duration, also ...netip.AddrPort) ([]Status, error) {
	ctx, release, err := n.shared.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	found := &search{byHost: map[string]Status{}}
	n.mu.Lock()
	n.searches[found] = struct{}{}
	n.mu.Unlock()

	until := time.Now().Add(wait)
	shared, simulated := n.searchTargets(also)
	var parts []func() error
	if len(shared) > 0 {
		parts = append(parts, func() error { return n.shared.searchUntil(ctx, until, shared) })
	}
	for _, target := range simulated {
		parts = append(parts, func() error { return n.searchSimulated(ctx, until, target) })
	}
	errs := make([]error, len(parts))
	var group sync.WaitGroup
	for i, part := range parts {
		group.Go(func() { errs[i] = part() })
	}
	group.Wait()

	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.searches, found)
	return found.sorted(), searchErr(ctx, errs)
}

// searchErr returns ctx's error, or the joined errors if every part failed.
func searchErr(ctx context.Context, errs []error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if slices.Contains(errs, nil) {
		return nil
	}
	return errors.Join(errs...)
}

// lookFor searches once for a console that may have moved, unless the last
// search is less than a second old. Replies find it by its host id.
func (n *Network) lookFor(ctx context.Context, c *Console) {
	if c.HostID() == "" || n.shared.sinceSearch() < searchEvery {
		return
	}
	shared, simulated := n.searchTargets(nil)
	if len(shared) > 0 {
		if err := n.shared.search(ctx, shared); err != nil {
			n.set.Logf("searching: %v", err)
		}
	}
	var group sync.WaitGroup
	for _, target := range simulated {
		group.Go(func() {
			if err := n.searchSimulated(ctx, time.Now().Add(simulatedWait), target); err != nil {
				n.set.Logf("searching %v: %v", target, err)
			}
		})
	}
	group.Wait()
}

// searchTargets returns the addresses to ask from the shared endpoint, and
// those of simulated consoles, to ask from one endpoint each.
func (n *Network) searchTargets(also []netip.AddrPort) (shared, simulated []netip.AddrPort) {
	for _, target := range slices.Concat(n.set.Broadcast, also) {
		target = withPort(target)
		if isReal(target) || target.Addr() == limitedBroadcast {
			shared = append(shared, target)
		} else if !slices.Contains(simulated, target) {
			simulated = append(simulated, target)
		}
	}
	return shared, simulated
}

// searchSimulated asks one simulated console once a second.
func (n *Network) searchSimulated(ctx context.Context, until time.Time, target netip.AddrPort) error {
	e := newEndpoint(n, 0, target.Port())
	ctx, release, err := e.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	return e.searchUntil(ctx, until, []netip.AddrPort{target})
}

// searchUntil searches once a second, and no sooner than searchGap after
// another search.
func (e *endpoint) searchUntil(ctx context.Context, until time.Time, targets []netip.AddrPort) error {
	for time.Now().Before(until) {
		if err := sleep(ctx, min(searchGap-e.sinceSearch(), time.Until(until))); err != nil {
			return err
		}
		if err := e.search(ctx, targets); err != nil {
			return err
		}
		if err := sleep(ctx, min(searchEvery, time.Until(until))); err != nil {
			return err
		}
	}
	return nil
}

func (e *endpoint) sinceSearch() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Since(e.searched)
}

// search sends one SRCH to each target. Replies go to every search and console.
// It fails if it could send none.
func (e *endpoint) search(ctx context.Context, targets []netip.AddrPort) error {
	e.mu.Lock()
	e.searched = time.Now()
	e.mu.Unlock()
	set := e.net.set
	var errs []error
	for _, target := range targets {
		expanded := set.expand(target)
		if len(expanded) == 0 {
			errs = append(errs, fmt.Errorf("no broadcast address on the interfaces %q", set.Interfaces))
			continue
		}
		e.noteSearched(target)
		if err := e.send(ctx, searchFor(target.Port()), expanded...); err != nil {
			errs = append(errs, err)
			continue
		}
		set.Counters.DDPSent.Add(uint64(len(expanded)))
	}
	if len(errs) < len(targets) {
		return nil
	}
	return errors.Join(errs...)
}

// search keeps the latest status of each host that replies.
type search struct{ byHost map[string]Status }

func (s *search) add(status Status) {
	if _, known := s.byHost[status.HostID]; known || len(s.byHost) < maxFound {
		s.byHost[status.HostID] = status
	}
}

func (s *search) sorted() []Status {
	return slices.SortedFunc(maps.Values(s.byHost), func(a, b Status) int { return cmp.Compare(a.HostID, b.HostID) })
}

// limitedBroadcast reaches one network only, that of the default route.
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func defaultBroadcast() []netip.AddrPort {
	return []netip.AddrPort{
		netip.AddrPortFrom(limitedBroadcast, ddp.Port),
		netip.AddrPortFrom(limitedBroadcast, ddp.PortPS5),
	}
}

// expand turns 255.255.255.255 into the broadcast addresses of the chosen
// interfaces, plus itself if none were chosen.
func (s *settings) expand(target netip.AddrPort) []netip.AddrPort {
	if target.Addr() != limitedBroadcast {
		return []netip.AddrPort{target}
	}
	var targets []netip.AddrPort
	if len(s.Interfaces) == 0 {
		targets = append(targets, target)
	}
	for _, addr := range s.links.broadcastAddrs(s.Interfaces) {
		targets = append(targets, netip.AddrPortFrom(addr, target.Port()))
	}
	return targets
}

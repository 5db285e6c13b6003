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
// returns one entry for each host id, sorted by it; the latest reply counts.
// Finding none is no error. It fails when nothing could be sent at all, and
// when ctx ends first, with what was found until then.
//
// It searches Options.Broadcast, on Options.Interfaces, and asks the addresses
// given here as well.
func (n *Network) Discover(ctx context.Context, wait time.Duration, also ...netip.AddrPort) ([]Status, error) {
	if err := n.acquire(ctx); err != nil {
		return nil, err
	}
	defer n.release()
	found := &collector{byHost: map[string]Status{}}
	n.mu.Lock()
	n.searches[found] = struct{}{}
	n.mu.Unlock()

	until := time.Now().Add(wait)
	shared, apart := n.searchTargets(also)
	var parts []func() error
	if len(shared) > 0 {
		parts = append(parts, func() error { return n.searchUntil(ctx, until, shared) })
	}
	for _, target := range apart {
		parts = append(parts, func() error { return n.searchApart(ctx, until, target) })
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

// searchTargets returns the addresses that the shared socket asks, and those
// of simulated consoles, which are asked each from a socket of its own.
func (n *Network) searchTargets(also []netip.AddrPort) (shared, apart []netip.AddrPort) {
	for _, target := range slices.Concat(n.set.Broadcast, also) {
		target = withPort(target)
		if isReal(target) || target.Addr() == limitedBroadcast {
			shared = append(shared, target)
		} else if !slices.Contains(apart, target) {
			apart = append(apart, target)
		}
	}
	return shared, apart
}

// searchUntil asks once a second until the time has come. What others ask in
// between counts as well.
func (n *Network) searchUntil(ctx context.Context, until time.Time, targets []netip.AddrPort) error {
	for time.Now().Before(until) {
		n.mu.Lock()
		wait := time.Until(n.searched.Add(searchGap))
		n.mu.Unlock()
		if err := sleep(ctx, min(wait, time.Until(until))); err != nil {
			return err
		}
		if err := n.search(ctx, targets); err != nil {
			return err
		}
		if err := sleep(ctx, min(searchEvery, time.Until(until))); err != nil {
			return err
		}
	}
	return nil
}

// searchApart asks one simulated console for its status once a second.
func (n *Network) searchApart(ctx context.Context, until time.Time, target netip.AddrPort) error {
	alone := n.alone(target)
	alone.parent = n
	if err := alone.acquire(ctx); err != nil {
		return err
	}
	defer alone.release()
	return alone.searchUntil(ctx, until, []netip.AddrPort{target})
}

// search sends one SRCH to each target. Replies go to every search and console.
func (n *Network) search(ctx context.Context, targets []netip.AddrPort) error {
	n.mu.Lock()
	n.searched = time.Now()
	n.mu.Unlock()
	var errs []error
	for _, target := range targets {
		expanded := n.set.expand(target)
		if len(expanded) == 0 {
			errs = append(errs, fmt.Errorf("no network to search on the interfaces %q", n.set.Interfaces))
			continue
		}
		cmp.Or(n.parent, n).noteAsked(target)
		if err := n.send(ctx, searchFor(target.Port()), expanded...); err != nil {
			errs = append(errs, err)
			continue
		}
		n.set.Counters.DDPSent.Add(uint64(len(expanded)))
	}
	if len(errs) < len(targets) {
		return nil
	}
	return errors.Join(errs...)
}

// lookFor searches once for consoles that have moved, unless somebody has just
// searched. Their replies find their way by host id.
func (n *Network) lookFor(ctx context.Context) {
	n.mu.Lock()
	fresh := time.Since(n.searched) < searchEvery
	n.mu.Unlock()
	if fresh {
		return
	}
	shared, apart := n.searchTargets(nil)
	if len(shared) > 0 {
		if err := n.search(ctx, shared); err != nil {
			n.set.Logf("searching: %v", err)
		}
	}
	for _, target := range apart {
		if err := n.searchApart(ctx, time.Now().Add(apartTime), target); err != nil {
			n.set.Logf("searching %v: %v", target, err)
		}
	}
}

// noteAsked lets a reply from a target count that is on no network of this
// machine.
func (n *Network) noteAsked(target netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asked[target] == nil {
		n.asked[target] = &questions{}
	}
	n.asked[target].searched = time.Now()
}

// collector keeps the latest status of each host.
type collector struct{ byHost map[string]Status }

func (c *collector) add(s Status) {
	if _, known := c.byHost[s.HostID]; known || len(c.byHost) < maxFound {
		c.byHost[s.HostID] = s
	}
}

func (c *collector) sorted() []Status {
	return slices.SortedFunc(maps.Values(c.byHost), func(a, b Status) int { return cmp.Compare(a.HostID, b.HostID) })
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
// interfaces; if none were chosen it is sent as well.
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

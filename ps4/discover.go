package ps4

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// maxFound bounds what one search keeps, whatever the network sends.
const maxFound = 1024

// search is a search in progress.
type search struct{ byHost map[string]Status }

// Discover searches for consoles for the given time, asking once a second, and
// returns the latest status of each host id, sorted by host id. It searches
// Options.Broadcast, on Options.Interfaces, and asks the addresses in also.
// Finding no console is not an error.
//
// Discover fails if nothing could be sent at all, with [ErrNoNetwork] if this
// machine has no link, and with [net.ErrClosed] once the network is closed. If
// ctx ends first, it returns its cause along with the consoles found so far.
func (n *Network) Discover(ctx context.Context, wait time.Duration, also ...netip.AddrPort) ([]Status, error) {
	found := &search{map[string]Status{}}
	n.mu.Lock()
	n.searches[found] = struct{}{}
	n.mu.Unlock()

	err := n.search(ctx, time.Now().Add(wait), also)

	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.searches, found)
	byHostID := func(a, b Status) int { return cmp.Compare(a.HostID, b.HostID) }
	return slices.SortedFunc(maps.Values(found.byHost), byHostID), err
}

// lookFor searches once for a console that may have moved, unless the last
// search is less than a second old. Replies find it by its host id.
func (n *Network) lookFor(ctx context.Context, c *Console) {
	if c.HostID() == "" || n.shared.sinceSearch() < searchEvery {
		return
	}
	until := time.Now()
	if _, simulated := n.searchTargets(nil); len(simulated) > 0 {
		until = until.Add(simulatedWait)
	}
	if err := n.search(ctx, until, nil); err != nil {
		n.set.Logf("searching: %v", err)
	}
}

// search asks Options.Broadcast and also once a second. It returns ctx's error,
// or that of an endpoint if each failed.
func (n *Network) search(ctx context.Context, until time.Time, also []netip.AddrPort) error {
	shared, simulated := n.searchTargets(also)
	errs := make([]error, 1+len(simulated))
	var group sync.WaitGroup
	if len(shared) > 0 {
		group.Go(func() { errs[0] = n.shared.searchUntil(ctx, until, shared) })
	}
	for i, target := range simulated {
		group.Go(func() { errs[1+i] = newEndpoint(n, 0, target.Port()).searchUntil(ctx, until, []netip.AddrPort{target}) })
	}
	group.Wait()
	if len(shared) == 0 {
		errs = errs[1:]
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case slices.Contains(errs, nil):
		return nil
	}
	return errs[0] // the others rarely differ
}

// searchTargets returns the addresses to ask from the shared endpoint, and
// those of simulated consoles, to ask from one endpoint each.
func (n *Network) searchTargets(also []netip.AddrPort) (shared, simulated []netip.AddrPort) {
	for _, target := range slices.Concat(n.set.Broadcast, also) {
		target = withPort(target)
		if isReal(target) || target.Addr() == ddp.LimitedBroadcast {
			shared = append(shared, target)
		} else if !slices.Contains(simulated, target) {
			simulated = append(simulated, target)
		}
	}
	return shared, simulated
}

// searchUntil searches once a second, and no sooner than searchGap after
// another search.
func (e *endpoint) searchUntil(ctx context.Context, until time.Time, targets []netip.AddrPort) error {
	ctx, release, err := e.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	for {
		if err := sleep(ctx, min(searchGap-e.sinceSearch(), time.Until(until))); err != nil {
			return err
		}
		if err := e.search(ctx, targets); err != nil {
			return err
		}
		if err := sleep(ctx, min(searchEvery, time.Until(until))); err != nil {
			return err
		}
		if !time.Now().Before(until) {
			return nil
		}
	}
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
		e.mu.Lock()
		e.questionsTo(target).searched = time.Now() // replies count from now on, even from another network
		e.mu.Unlock()
		if err := e.send(ctx, set.Counters, searchFor(target.Port()), expanded...); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) < len(targets) {
		return nil
	}
	return errs[0] // the others rarely differ
}

// expand turns 255.255.255.255 into the broadcast addresses of the chosen
// interfaces, plus itself if none were chosen.
func (s *settings) expand(target netip.AddrPort) []netip.AddrPort {
	if target.Addr() != ddp.LimitedBroadcast {
		return []netip.AddrPort{target}
	}
	var targets []netip.AddrPort
	if len(s.Interfaces) == 0 {
		targets = append(targets, target)
	}
	for _, l := range s.links.load() {
		chosen := len(s.Interfaces) == 0 || slices.Contains(s.Interfaces, l.name)
		addr, ok := ddp.Broadcast(l.prefix)
		directed := netip.AddrPortFrom(addr, target.Port())
		if ok && chosen && l.flags&net.FlagBroadcast != 0 && !slices.Contains(targets, directed) {
			targets = append(targets, directed)
		}
	}
	return targets
}

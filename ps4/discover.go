package ps4

import (
	"cmp"
	"context"
	"errors"
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

// Discover searches for consoles for the given time, asking once a second, and
// returns one entry for each host id, sorted by it: the latest reply counts.
// None found is no error. It fails when nothing could be sent at all, and when
// ctx ends first, with what was found until then.
//
// See Options.Broadcast and Options.Interfaces for where it searches.
func Discover(ctx context.Context, wait time.Duration, o *Options) ([]Status, error) {
	set := newSettings(o)
	found := &collector{byHost: map[string]Status{}}
	errs := make([]error, len(set.Broadcast))
	var group sync.WaitGroup
	until := time.Now().Add(wait)
	for i, target := range set.Broadcast {
		target = withPort(target)
		port := set.askFrom(target)
		if i > 0 {
			port = 0 // the first one has Options.LocalPort
		}
		sock, err := set.listen(ctx, port)
		if errs[i] = err; err == nil {
			group.Go(func() { errs[i] = sock.search(ctx, target, until, found) })
		}
	}
	group.Wait()
	return found.sorted(), failure(ctx, errs)
}

// failure is ctx's error, or that of a search of which no part worked.
func failure(ctx context.Context, errs []error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if slices.Contains(errs, nil) {
		return nil
	}
	return errors.Join(errs...)
}

// search asks one target again and again. It has its own socket, so that every
// reply is known to be for the port that was asked.
func (s *socket) search(ctx context.Context, target netip.AddrPort, until time.Time, found *collector) error {
	defer s.Close()
	take := func(from netip.Addr, r ddp.Reply) bool {
		s.set.Counters.DDPReceived.Add(1)
		found.add(newStatus(netip.AddrPortFrom(from, target.Port()), r))
		return false
	}
	targets := s.set.expand(target)
	if len(targets) == 0 {
		return fmt.Errorf("ps4: no network to search on the interfaces %q", s.set.Interfaces)
	}
	for time.Now().Before(until) {
		if err := s.send(searchFor(target.Port()), targets...); err != nil {
			return err
		}
		if _, err := s.receive(ctx, earlier(until, searchEvery), take); err != nil {
			return err
		}
	}
	return nil
}

// earlier returns the given time, or now plus d if that comes first.
func earlier(t time.Time, d time.Duration) time.Time {
	if next := time.Now().Add(d); next.Before(t) {
		return next
	}
	return t
}

// collector keeps the latest status of each host.
type collector struct {
	mu     sync.Mutex
	byHost map[string]Status
}

func (c *collector) add(s Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
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

// expand turns 255.255.255.255 into the broadcast addresses of the interfaces
// that were asked for; without such a choice it is sent as well.
func (s *settings) expand(target netip.AddrPort) []netip.AddrPort {
	if target.Addr() != limitedBroadcast {
		return []netip.AddrPort{target}
	}
	var targets []netip.AddrPort
	if len(s.Interfaces) == 0 {
		targets = append(targets, target)
	}
	for _, addr := range broadcastAddrs(s.Interfaces) {
		targets = append(targets, netip.AddrPortFrom(addr, target.Port()))
	}
	return targets
}

// broadcastAddrs returns the IPv4 broadcast addresses of interfaces that are
// up, all of them or those named.
func broadcastAddrs(names []string) []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var found []netip.Addr
	for _, i := range interfaces {
		const usable = net.FlagUp | net.FlagBroadcast
		if i.Flags&usable != usable || len(names) > 0 && !slices.Contains(names, i.Name) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if b, ok := broadcastOf(a.String()); ok && !slices.Contains(found, b) {
				found = append(found, b)
			}
		}
	}
	return found
}

// broadcastOf returns the last address of an IPv4 network like "10.0.0.7/24".
// Networks of one or two addresses have none.
func broadcastOf(cidr string) (netip.Addr, bool) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() || prefix.Bits() > 30 {
		return netip.Addr{}, false
	}
	b := prefix.Addr().As4()
	for bit := prefix.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b), true
}

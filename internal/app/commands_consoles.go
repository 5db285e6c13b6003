package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

func (c *commands) AddConsole(ctx context.Context, in api.AddConsoleRequest) (api.Console, error) {
	ctx = api.AsOwner(ctx) // the access that this operation requires is the owner's
	addr, err := ResolveAddress(ctx, in.Address)
	if err != nil {
		return api.Console{}, err
	}
	u, err := c.registry.findAt(ctx, addr)
	switch {
	case errors.Is(err, ps4.ErrUnreachable):
		return api.Console{}, &api.Error{Code: "unreachable", Message: "no console answers at " + FormatAddress(addr),
			Hint: "Turn it on, or put it into rest mode, and add it again.", Err: err}
	case err != nil:
		return api.Console{}, err
	}
	if u, err = c.registry.accept(u, added); err != nil {
		return api.Console{}, err
	}
	shown, err := c.Status(ctx, api.HostRequest{Host: u.hostID})
	shown.Origin = u.origin()
	return shown, err
}

// ResolveAddress returns the address of ADDR, ADDR:DDPPORT, a host name or
// HOST:DDPPORT.
func ResolveAddress(ctx context.Context, text string) (netip.AddrPort, error) {
	addr, err := ps4.ParseAddress(text)
	if err == nil && addr.Addr().Is4() && addr.Port() != 0 {
		return addr, nil
	}
	host, port := text, uint64(ps4.DefaultPort)
	if h, p, err := net.SplitHostPort(text); err == nil {
		host = h
		if port, err = strconv.ParseUint(p, 10, 16); err != nil {
			port = 0
		}
	}
	if err == nil || port == 0 || host == "" || strings.ContainsAny(host, " :/") || strings.Trim(host, "0123456789.") == "" {
		return netip.AddrPort{}, &api.Error{Code: "bad_address", Message: fmt.Sprintf("%q is neither an IPv4 address nor a host name", text),
			Hint: "Enter an address such as 192.168.1.20, or a host name."}
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return netip.AddrPort{}, &api.Error{Code: "unreachable", Message: "no address is known for " + host,
			Hint: "Check the name, or give the address of the console.", Err: err}
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(port)), nil
}

func (c *commands) ForgetConsole(ctx context.Context, in api.HostRequest) error {
	if in.Host == "" {
		return &api.Error{Code: "bad_request", Message: "name the console to forget"}
	}
	stored, err := c.stored(in.Host)
	if err != nil {
		return err
	}
	hosts := slices.Sorted(maps.Keys(stored))
	switch {
	case len(hosts) == 0:
		return unknownConsole(in.Host)
	case len(hosts) > 1:
		return ambiguous(slices.Sorted(maps.Values(stored)))
	}
	hostID := hosts[0]
	successor, err := c.checkForget(ctx, hostID)
	if err != nil {
		return err
	}
	if err := c.registry.forget(hostID); err != nil {
		return err
	}
	c.log.WithField("host_id", hostID).Info("console forgotten")
	if successor.HostID != "" {
		c.registry.meet(successor, false)
	}
	return nil
}

// stored returns the consoles that host may mean and that have a unit or
// anything on disk: by host id, labels for messages.
func (c *commands) stored(host string) (map[string]string, error) {
	found := map[string]string{}
	at, _ := ps4.ParseAddress(host)
	for _, r := range c.files.consoles() {
		if strings.EqualFold(host, r.HostID) || strings.EqualFold(host, r.Name) || at.IsValid() && isAt(at, r.Address) {
			found[r.HostID] = label(r.Name, r.HostID)
		}
	}
	for _, u := range c.registry.list() {
		if u.is(host) || at.IsValid() && isAt(at, u.console.Addr()) {
			found[u.hostID] = label(u.tv.Snapshot().Name, u.hostID)
		}
	}
	paired, err := c.files.store.HomeKitHosts()
	for _, hostID := range slices.AppendSeq(paired, maps.Keys(c.registry.refusals())) {
		if strings.EqualFold(host, hostID) {
			found[hostID] = cmp.Or(found[hostID], hostID)
		}
	}
	return found, err
}

// checkForget returns an error for a console that would come back unchanged: one
// that is simulated, or that config.yaml names. If another console now answers at
// the address of its entry without a host id, checkForget returns that one.
func (c *commands) checkForget(ctx context.Context, hostID string) (successor ps4.Status, err error) {
	if u := c.registry.unit(hostID); u != nil && u.simulated != nil {
		return ps4.Status{}, &api.Error{Code: "config", Message: u.name + " is simulated by this server",
			Hint: "Restart the server without --simulate."}
	}
	remembered := c.files.consoles()
	for _, entry := range c.config.Consoles {
		if meant(entry, remembered) != hostID {
			continue
		}
		if entry.HostID == "" {
			st, err := c.registry.ask(ctx, entry.Address)
			if err == nil && st.HostID != hostID {
				successor = st
				continue
			}
		}
		return ps4.Status{}, &api.Error{Code: "config", Message: "config.yaml names the console " + hostID,
			Hint: "Remove it from consoles: there, and restart the server if one is running."}
	}
	return successor, nil
}

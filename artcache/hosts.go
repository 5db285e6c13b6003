package artcache

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
)

// Hosts of the sources (docs/protocol.md §8).
const (
	hostTMDB      = "tmdb.np.dl.playstation.net"
	hostUpdates   = "gs-sec.ww.np.dl.playstation.net"
	hostPackages  = "gs2.ww.prod.dl.playstation.net"
	hostPackages2 = "gs2-sec.ww.prod.dl.playstation.net"
	hostLists     = "ps4-eb.ww.np.dl.playstation.net"
	hostStore     = "commerce1.api.np.km.playstation.net"
	hostChihiro   = "store.playstation.com"

	// suffixSystem follows f<region>01 in the hosts of the system update lists.
	suffixSystem = "01.ps4.update.playstation.net"
)

// Bases replace the scheme and host of a group of sources, for a mirror or a
// test; the path is kept. Empty means the real ones, and so does the group's
// real host, unless it asks for plain http where https is known to answer.
type Bases struct {
	TMDB     string // title metadata
	Updates  string // update description XML
	Packages string // update description JSON, packages, additional content, icons
	Lists    string // service, application launch and system update lists
	Store    string // content icons
	Chihiro  string // title containers
}

// A site is where one group of sources lives.
type site struct {
	name    string
	hosts   []string
	base    *url.URL // replaces the hosts; nil = the real ones
	plain   bool     // plain HTTP is all that is known to answer
	console bool     // an endpoint of the console's own client
}

// sites returns the sites with the configured bases. TMDB answered over HTTPS in
// May 2025, the lists and the store are named with https; of the rest only plain
// HTTP addresses are known (docs/protocol.md §8).
func sites(b Bases) ([]site, error) {
	out := []site{
		{name: "tmdb_url", hosts: []string{hostTMDB}, console: true},
		{name: "updates_url", hosts: []string{hostUpdates}, plain: true, console: true},
		{name: "packages_url", hosts: []string{hostPackages, hostPackages2}, plain: true, console: true},
		{name: "lists_url", hosts: []string{hostLists}, console: true},
		{name: "lists_url", plain: true, console: true}, // system update lists: see isSystemHost
		{name: "store_url", hosts: []string{hostStore}},
		{name: "chihiro_url", hosts: []string{hostChihiro}},
	}
	for i, base := range []string{b.TMDB, b.Updates, b.Packages, b.Lists, b.Lists, b.Store, b.Chihiro} {
		if base == "" {
			continue
		}
		u, err := url.Parse(base)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
			return nil, fmt.Errorf("%w: art.%s must be http://HOST or https://HOST", ErrAddress, out[i].name)
		}
		if !out[i].real(u) {
			out[i].base = &url.URL{Scheme: u.Scheme, Host: u.Host}
		}
	}
	return out, nil
}

// real reports whether a base is where the site lives anyway. The system update
// lists have hosts of their own beside that of lists_url.
func (s *site) real(base *url.URL) bool {
	known := s.owns(base.Host) || len(s.hosts) == 0 && base.Host == hostLists
	return known && (base.Scheme == "https" || s.plain)
}

// owns reports whether host is one of the site's real hosts.
func (s *site) owns(host string) bool {
	if len(s.hosts) == 0 {
		return isSystemHost(host)
	}
	return slices.Contains(s.hosts, host)
}

// isSystemHost reports whether host is f<region>01.ps4.update.playstation.net;
// regions us and eu are known.
func isSystemHost(host string) bool {
	return len(host) == 3+len(suffixSystem) && host[0] == 'f' && isCode(host[1:3]) && host[3:] == suffixSystem
}

// siteOf returns the site of an address, as the documents give it.
func siteOf(all []site, u *url.URL) (*site, error) {
	if (u.Scheme == "http" || u.Scheme == "https") && u.User == nil {
		for i := range all {
			if all[i].owns(u.Host) {
				return &all[i], nil
			}
		}
	}
	return nil, fmt.Errorf("%w: host %.80q is not configured", ErrAddress, u.Host)
}

// targets returns where to ask for an address, best first: the configured base
// as it is, else https and then, where nothing else is known, plain http.
func (s *site) targets(u *url.URL) []*url.URL {
	if s.base != nil {
		return []*url.URL{moved(u, s.base.Scheme, s.base.Host)}
	}
	out := []*url.URL{moved(u, "https", u.Host)}
	if s.plain {
		out = append(out, moved(u, "http", u.Host))
	}
	return out
}

// moved returns u with another scheme and host.
func moved(u *url.URL, scheme, host string) *url.URL {
	v := *u
	v.Scheme, v.Host = scheme, host
	return &v
}

// allowed reports whether a redirect may lead to u: to a configured host, and
// in the clear only where nothing else is known.
func allowed(all []site, u *url.URL) bool {
	for i := range all {
		s := &all[i]
		switch {
		case u.User != nil:
			return false
		case s.base != nil && s.base.Host == u.Host && s.base.Scheme == u.Scheme:
			return true
		case s.base == nil && s.owns(u.Host) && (u.Scheme == "https" || s.plain && u.Scheme == "http"):
			return true
		}
	}
	return false
}

// isLoopback reports whether an address is on this machine; nothing is resolved.
func isLoopback(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback() || u.Hostname() == "localhost"
}

// canonical gives an address on a configured base its real host back, so that
// an address may be pasted in either form.
func canonical(all []site, s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	for i := range all {
		if b := all[i].base; b != nil && b.Host == u.Host && len(all[i].hosts) > 0 {
			return moved(u, "http", all[i].hosts[0]).String()
		}
	}
	return s
}

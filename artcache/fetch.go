package artcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Limits of one request.
const (
	fetchTimeout  = 10 * time.Second // with redirects and the body
	dialTimeout   = 3 * time.Second  // leaves time for http after a silent https port
	maxImage      = 10 << 20         // bytes of an image
	maxDocument   = 1 << 20          // bytes of a document; real ones are a few kB
	maxHeader     = 64 << 10         // bytes of a response header
	maxRedirects  = 3
	maxConcurrent = 2 // requests at once
)

// A host that failed is left alone for firstPause, twice as long after each
// further failure, up to lastPause; or as long as it asks for, if that is
// longer.
const (
	firstPause = 30 * time.Second
	lastPause  = time.Hour
)

// User agents. The console's own endpoints see the console's own client
// (docs/protocol.md §8).
const (
	consoleAgent = "PS4TitleMetadata/1.00 libhttp/1.50 (PlayStation 4)"
	storeAgent   = "ps4kit"
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
	hostImages    = "image.api.playstation.com"
	hostSystem    = "f[a-z][a-z]01.ps4.update.playstation.net" // by region; us and eu are known
)

// Bases replace scheme and host of a group of sources, for a mirror or a test;
// the path stays. Empty and the group's real host mean the real hosts, unless
// http is named where https is known to answer.
type Bases struct {
	TMDB     string // title metadata
	Updates  string // update description XML
	Packages string // update description JSON, packages, additional content, icons
	Lists    string // service, application launch and system update lists
	Store    string // content icons
	Chihiro  string // title containers
	Images   string // covers that a PSN account's list of titles names
}

// A site is where one group of sources lives.
type site struct {
	key    string   // in the configuration
	base   string   // of Bases
	hosts  []string // patterns of path.Match
	plain  bool     // https is not known to answer
	agent  string   // User-Agent
	mirror *url.URL // replaces the hosts; nil for the real ones
}

// sites returns the sites with the configured bases. TMDB answered over https
// in May 2025, and documents name the lists and the store with https; for the
// rest only http addresses are known (docs/protocol.md §8).
func sites(b Bases) ([]site, error) {
	all := []site{
		{key: "tmdb_url", base: b.TMDB, hosts: []string{hostTMDB}, agent: consoleAgent},
		{key: "updates_url", base: b.Updates, hosts: []string{hostUpdates}, plain: true, agent: consoleAgent},
		{key: "packages_url", base: b.Packages, hosts: []string{hostPackages, hostPackages2}, plain: true, agent: consoleAgent},
		{key: "lists_url", base: b.Lists, hosts: []string{hostLists}, agent: consoleAgent},
		{key: "lists_url", base: b.Lists, hosts: []string{hostSystem}, plain: true, agent: consoleAgent},
		{key: "store_url", base: b.Store, hosts: []string{hostStore}, agent: storeAgent},
		{key: "chihiro_url", base: b.Chihiro, hosts: []string{hostChihiro}, agent: storeAgent},
		{key: "images_url", base: b.Images, hosts: []string{hostImages}, agent: storeAgent},
	}
	for i := range all {
		s := &all[i]
		if s.base == "" {
			continue
		}
		u, err := webAddress(s.base)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%w: art.%s must be http://HOST or https://HOST", ErrAddress, s.key)
		}
		known := s.owns(u.Host) || s.hosts[0] == hostSystem && u.Host == hostLists
		if !known || u.Scheme == "http" && !s.plain {
			s.mirror = &url.URL{Scheme: u.Scheme, Host: u.Host}
		}
	}
	return all, nil
}

// webAddress parses an http or https address that holds no password.
func webAddress(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, fmt.Errorf("%w: %.200q", ErrAddress, s)
	}
	return u, nil
}

// owns reports whether host is one of the site's real hosts.
func (s *site) owns(host string) bool {
	return slices.ContainsFunc(s.hosts, func(pattern string) bool {
		ok, _ := path.Match(pattern, host)
		return ok
	})
}

// targets returns where to ask for an address, best first: the mirror, or https
// and then, where only that is known, http.
func (s *site) targets(u url.URL) []*url.URL {
	if s.mirror != nil {
		u.Scheme, u.Host = s.mirror.Scheme, s.mirror.Host
		return []*url.URL{&u}
	}
	plain := u
	u.Scheme, plain.Scheme = "https", "http"
	if s.plain {
		return []*url.URL{&u, &plain}
	}
	return []*url.URL{&u}
}

// A fetcher sends bounded requests, few at a time, and none to a host that has
// just failed. It is safe for concurrent use.
type fetcher struct {
	client *http.Client
	sites  []site
	local  bool // ask loopback only
	slots  chan struct{}

	mu    sync.Mutex
	hosts map[string]hostHealth // as many as there are sites
}

type hostHealth struct {
	failures int
	until    time.Time // not asked before
}

// An answer is a body with its record, or the record of the cached copy that is
// still good.
type answer struct {
	record record
	body   []byte        // nil: unchanged
	after  time.Duration // with ErrUnavailable: Retry-After
}

func newFetcher(o Options) (*fetcher, error) {
	all, err := sites(o.Bases)
	if err != nil {
		return nil, err
	}
	f := &fetcher{sites: all, local: o.Loopback, slots: make(chan struct{}, maxConcurrent), hosts: map[string]hostHealth{}}
	transport := o.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    maxConcurrent,
			IdleConnTimeout:        fetchTimeout,
			ForceAttemptHTTP2:      true,
		}
	}
	f.client = &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		switch {
		case len(via) > maxRedirects:
			return malformed("too many redirects")
		case !f.mayRedirect(r.URL):
			return malformed("redirect to a host that is not configured")
		}
		return nil
	}}
	return f, nil
}

// mayRedirect reports whether a redirect may lead to u: a configured host, and
// over http only where https is not known.
func (f *fetcher) mayRedirect(u *url.URL) bool {
	return u.User == nil && (!f.local || isLoopback(u)) && slices.ContainsFunc(f.sites, func(s site) bool {
		if s.mirror != nil {
			return s.mirror.Host == u.Host && s.mirror.Scheme == u.Scheme
		}
		return s.owns(u.Host) && (u.Scheme == "https" || s.plain && u.Scheme == "http")
	})
}

// isLoopback reports whether an address is on this machine, without resolving
// it.
func isLoopback(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback() || u.Hostname() == "localhost"
}

// siteOf returns the site of an address in a document.
func (f *fetcher) siteOf(address string) (*site, *url.URL, error) {
	u, err := webAddress(address)
	if err != nil {
		return nil, nil, err
	}
	at := slices.IndexFunc(f.sites, func(s site) bool { return s.owns(u.Host) })
	if at < 0 {
		return nil, nil, fmt.Errorf("%w: host %.80q is not configured", ErrAddress, u.Host)
	}
	return &f.sites[at], u, nil
}

// get fetches r, unless it is still what old describes. It returns ErrAddress,
// ErrNotFound, ErrMalformed, ErrUnavailable or ctx's error.
func (f *fetcher) get(ctx context.Context, r resource, old record) (answer, error) {
	s, u, err := f.siteOf(r.url)
	if err != nil {
		return answer{}, err
	}
	targets := s.targets(*u)
	host := targets[0].Host
	if f.local && !isLoopback(targets[0]) {
		return answer{}, fmt.Errorf("%w: %s is not on this machine", ErrUnavailable, u.Host)
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	f.mu.Lock()
	h := f.hosts[host]
	f.mu.Unlock()
	if time.Now().Before(h.until) {
		return answer{}, fmt.Errorf("%w: %s failed and is left alone until %s", ErrUnavailable, host, h.until.Format(time.TimeOnly))
	}
	limited, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	a, err := f.ask(limited, s, targets, r, old)
	if ctx.Err() != nil { // the caller gave up, which says nothing about the host
		return answer{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(err, ErrUnavailable) {
		h = f.hosts[host]
		h.failures++
		h.until = time.Now().Add(max(pause(h.failures), a.after))
		f.hosts[host] = h
	} else {
		delete(f.hosts, host)
	}
	return a, err
}

// pause returns how long to wait after so many failures in a row.
func pause(failures int) time.Duration {
	return min(firstPause<<min(failures-1, 10), lastPause)
}

// ask asks the targets in order until one can be reached.
func (f *fetcher) ask(ctx context.Context, s *site, targets []*url.URL, r resource, old record) (answer, error) {
	header := http.Header{}
	for name, value := range map[string]string{
		"User-Agent": s.agent, "Accept": r.accept, "If-None-Match": old.ETag, "If-Modified-Since": old.Modified,
	} {
		if value != "" {
			header.Set(name, value)
		}
	}
	var resp *http.Response
	var err error
	for _, u := range targets {
		resp, err = f.client.Do((&http.Request{Method: http.MethodGet, URL: u, Header: header}).WithContext(ctx))
		if err == nil {
			break
		}
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the address, which has a hash in it
		}
		if errors.Is(err, ErrMalformed) { // a refused redirect
			return answer{}, err
		}
	}
	if err != nil {
		return answer{}, unavailable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch code := resp.StatusCode; {
	case code == http.StatusNotModified && old.ETag+old.Modified != "":
		return answer{record: old}, nil
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		// The date form of Retry-After would trust two clocks.
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		after := time.Duration(max(0, min(seconds, int(lastPause.Seconds())))) * time.Second
		return answer{after: after}, fmt.Errorf("%w: status %.60q", ErrUnavailable, resp.Status)
	case code >= 400:
		return answer{}, fmt.Errorf("%w: status %d", ErrNotFound, code)
	case code != http.StatusOK:
		return answer{}, malformed("status %d", code)
	case resp.ContentLength > r.limit:
		return answer{}, malformed("over %d bytes", r.limit)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, r.limit+1))
	switch {
	case int64(len(body)) > r.limit:
		return answer{}, malformed("over %d bytes", r.limit)
	case err != nil:
		return answer{}, unavailable(err)
	}
	rec := record{URL: r.url, ETag: validator(resp.Header.Get("ETag")), Modified: validator(resp.Header.Get("Last-Modified"))}
	return answer{record: rec, body: body}, nil
}

// validator returns a validator unless it is too long to store and send back.
func validator(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}

func unavailable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer within %v", ErrUnavailable, fetchTimeout)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

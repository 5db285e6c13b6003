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

// plainFor is how long a host is asked over http right away after https failed.
const plainFor = 24 * time.Hour

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
	key     string // in the configuration
	hosts   []string
	base    *url.URL // replaces the hosts; nil for the real ones
	plain   bool     // https is not known to answer
	console bool     // an endpoint of the console's own client
}

// sites returns the sites with the configured bases. TMDB answered over https
// in May 2025, and documents name the lists and the store with https; for the
// rest only http addresses are known (docs/protocol.md §8).
func sites(b Bases) ([]site, error) {
	out := []site{
		{key: "tmdb_url", hosts: []string{hostTMDB}, console: true},
		{key: "updates_url", hosts: []string{hostUpdates}, plain: true, console: true},
		{key: "packages_url", hosts: []string{hostPackages, hostPackages2}, plain: true, console: true},
		{key: "lists_url", hosts: []string{hostLists}, console: true},
		{key: "lists_url", hosts: []string{hostSystem}, plain: true, console: true},
		{key: "store_url", hosts: []string{hostStore}},
		{key: "chihiro_url", hosts: []string{hostChihiro}},
		{key: "images_url", hosts: []string{hostImages}},
	}
	for i, base := range []string{b.TMDB, b.Updates, b.Packages, b.Lists, b.Lists, b.Store, b.Chihiro, b.Images} {
		if base == "" {
			continue
		}
		s := &out[i]
		u, err := url.Parse(base)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
			return nil, fmt.Errorf("%w: art.%s must be http://HOST or https://HOST", ErrAddress, s.key)
		}
		known := s.owns(u.Host) || s.hosts[0] == hostSystem && u.Host == hostLists
		if !known || u.Scheme == "http" && !s.plain {
			s.base = &url.URL{Scheme: u.Scheme, Host: u.Host}
		}
	}
	return out, nil
}

// owns reports whether host is one of the site's real hosts.
func (s *site) owns(host string) bool {
	return slices.ContainsFunc(s.hosts, func(pattern string) bool {
		ok, _ := path.Match(pattern, host)
		return ok
	})
}

// targets returns where to ask for an address, best first: the configured base,
// or https and then, where only that is known, http.
func (s *site) targets(u url.URL) []*url.URL {
	if s.base != nil {
		u.Scheme, u.Host = s.base.Scheme, s.base.Host
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
	hosts map[string]*hostHealth // as many as there are sites
}

type hostHealth struct {
	failures   int
	until      time.Time // not asked before
	plainUntil time.Time // asked over http before
}

// A question is one conditional GET.
type question struct {
	url            string
	limit          int64 // bytes of the body
	accept         string
	etag, modified string // validators of the cached copy
}

// An answer is a body, or the news that the cached copy is still good.
type answer struct {
	unchanged      bool
	body           []byte
	etag, modified string
}

// A busyError is an ErrUnavailable with a time before which asking is useless.
type busyError struct {
	reason string
	until  time.Time
}

func (e *busyError) Error() string   { return ErrUnavailable.Error() + ": " + e.reason }
func (e *busyError) Is(t error) bool { return t == ErrUnavailable }

var (
	errRedirect  = errors.New("redirect to a host that is not configured")
	errRedirects = errors.New("too many redirects")
)

func newFetcher(all []site, o Options) *fetcher {
	f := &fetcher{sites: all, local: o.Loopback, slots: make(chan struct{}, maxConcurrent), hosts: map[string]*hostHealth{}}
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
		if len(via) > maxRedirects {
			return errRedirects
		}
		if !f.mayRedirect(r.URL) {
			return errRedirect
		}
		return nil
	}}
	return f
}

// mayRedirect reports whether a redirect may lead to u: a configured host, and
// over http only where https is not known.
func (f *fetcher) mayRedirect(u *url.URL) bool {
	return u.User == nil && (!f.local || isLoopback(u)) && slices.ContainsFunc(f.sites, func(s site) bool {
		if s.base != nil {
			return s.base.Host == u.Host && s.base.Scheme == u.Scheme
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
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return nil, nil, fmt.Errorf("%w: %.200q", ErrAddress, address)
	}
	at := slices.IndexFunc(f.sites, func(s site) bool { return s.owns(u.Host) })
	if at < 0 {
		return nil, nil, fmt.Errorf("%w: host %.80q is not configured", ErrAddress, u.Host)
	}
	return &f.sites[at], u, nil
}

// get sends q. It returns ErrAddress, ErrNotFound, ErrMalformed, ErrUnavailable
// or ctx's error.
func (f *fetcher) get(ctx context.Context, q question) (answer, error) {
	s, u, err := f.siteOf(q.url)
	if err != nil {
		return answer{}, err
	}
	targets := s.targets(*u)
	if f.local && !isLoopback(targets[0]) {
		return answer{}, fmt.Errorf("%w: %s is not on this machine", ErrUnavailable, u.Host)
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	host := targets[0].Host
	plain, err := f.ready(host)
	if err != nil {
		return answer{}, err
	}
	if plain && len(targets) > 1 {
		targets = targets[1:]
	}
	limited, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	a, plain, err := f.ask(limited, s, targets, q)
	if ctx.Err() != nil { // the caller gave up, which says nothing about the host
		return answer{}, ctx.Err()
	}
	f.note(host, plain, err)
	return a, err
}

// ready returns an error while a host must be left alone, and whether it is
// asked over http right away.
func (f *fetcher) ready(host string) (plain bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[host]
	if h == nil {
		return false, nil
	}
	if now := time.Now(); now.Before(h.until) {
		return false, &busyError{fmt.Sprintf("%s failed and is left alone until %s", host, h.until.Format(time.TimeOnly)), h.until}
	}
	return time.Now().Before(h.plainUntil), nil
}

// note remembers how a request to a host ended.
func (f *fetcher) note(host string, plain bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[host]
	if h == nil {
		h = &hostHealth{}
		f.hosts[host] = h
	}
	now := time.Now()
	if plain {
		h.plainUntil = now.Add(plainFor)
	}
	if !errors.Is(err, ErrUnavailable) {
		h.failures, h.until = 0, time.Time{}
		return
	}
	h.failures++
	h.until = now.Add(pause(h.failures))
	if busy := (*busyError)(nil); errors.As(err, &busy) && busy.until.After(h.until) {
		h.until = busy.until
	}
}

// pause returns how long to wait after so many failures in a row.
func pause(failures int) time.Duration {
	return min(firstPause<<min(failures-1, 10), lastPause)
}

// ask tries the targets in order until one can be reached. plain reports that
// this took more than one.
func (f *fetcher) ask(ctx context.Context, s *site, targets []*url.URL, q question) (a answer, plain bool, err error) {
	for i, u := range targets {
		var r *http.Response
		r, err = f.send(ctx, s, u, q) //nolint:bodyclose // read closes it
		switch {
		case err == nil:
			a, err = read(r, q)
			return a, i > 0, err
		case errors.Is(err, errRedirect), errors.Is(err, errRedirects):
			return a, false, malformed("%w", cause(err))
		case ctx.Err() != nil:
			return a, false, unavailable(err)
		}
	}
	return a, false, unavailable(err)
}

func (f *fetcher) send(ctx context.Context, s *site, u *url.URL, q question) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	agent := storeAgent
	if s.console {
		agent = consoleAgent
	}
	for name, value := range map[string]string{
		"User-Agent": agent, "Accept": q.accept, "If-None-Match": q.etag, "If-Modified-Since": q.modified,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	resp, err := f.client.Do(r)
	if err != nil && resp != nil { // a refused redirect
		_ = resp.Body.Close()
	}
	return resp, err
}

// read turns a response into an answer.
func read(r *http.Response, q question) (answer, error) {
	defer func() { _ = r.Body.Close() }()
	switch code := r.StatusCode; {
	case code == http.StatusNotModified && q.etag+q.modified != "":
		return answer{unchanged: true}, nil
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		return answer{}, &busyError{fmt.Sprintf("status %.60q", r.Status), time.Now().Add(retryAfter(r))}
	case code >= 400:
		return answer{}, fmt.Errorf("%w: status %d", ErrNotFound, code)
	case code != http.StatusOK:
		return answer{}, malformed("status %d", code)
	case r.ContentLength > q.limit:
		return answer{}, malformed("over %d bytes", q.limit)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, q.limit+1))
	switch {
	case int64(len(body)) > q.limit:
		return answer{}, malformed("over %d bytes", q.limit)
	case err != nil:
		return answer{}, unavailable(err)
	}
	return answer{body: body, etag: validator(r.Header.Get("ETag")), modified: validator(r.Header.Get("Last-Modified"))}, nil
}

// retryAfter reads the seconds form of Retry-After; the date form would trust
// two clocks.
func retryAfter(r *http.Response) time.Duration {
	n, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(lastPause.Seconds()))) * time.Second
}

// validator returns a validator unless it is too long to store and send back.
func validator(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}

// unavailable turns a transport error into an ErrUnavailable.
func unavailable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer within %v", ErrUnavailable, fetchTimeout)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, cause(err))
}

// cause returns a transport error without the address in it.
func cause(err error) error {
	var transport *url.Error
	if errors.As(err, &transport) {
		return transport.Err
	}
	return err
}

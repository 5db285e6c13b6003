package artcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Limits of one request.
const (
	fetchTimeout  = 10 * time.Second // with redirects and the body
	dialTimeout   = 3 * time.Second  // leaves time for plain http after a silent https port
	maxImage      = 10 << 20         // bytes of an image
	maxDocument   = 1 << 20          // bytes of a document; the real ones are a few kB
	maxHeader     = 64 << 10         // bytes of a response header
	maxRedirects  = 3
	maxConcurrent = 2 // requests at once
)

// consoleAgent is what the console's own client calls itself (docs/protocol.md
// §8); it is used for the console's own endpoints.
const consoleAgent = "PS4TitleMetadata/1.00 libhttp/1.50 (PlayStation 4)"

// Refused redirects.
var (
	errRedirect  = errors.New("redirect to a host that is not configured")
	errRedirects = errors.New("too many redirects")
)

// A fetcher asks the sources: few requests, bounded, and none to a host that
// has just failed. It is safe for concurrent use.
type fetcher struct {
	client *http.Client
	sites  []site
	agent  string // for the store
	local  bool   // only loopback is asked
	slots  chan struct{}
	health health
}

// A question is one conditional GET.
type question struct {
	url            string
	limit          int64  // bytes of the body
	accept         string // value of the Accept header
	etag, modified string // validators of the copy at hand, or empty
}

// An answer is a body, or the news that the copy at hand is still good.
type answer struct {
	unchanged      bool
	body           []byte
	etag, modified string
}

func newFetcher(all []site, o Options) *fetcher {
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
	client := &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errRedirects
		}
		if !allowed(all, r.URL) || o.Loopback && !isLoopback(r.URL) {
			return errRedirect
		}
		return nil
	}}
	return &fetcher{client: client, sites: all, agent: o.UserAgent, local: o.Loopback, slots: make(chan struct{}, maxConcurrent)}
}

// close drops idle connections.
func (f *fetcher) close() { f.client.CloseIdleConnections() }

// get asks for q. Errors are ErrAddress, ErrNotFound, ErrMalformed,
// ErrUnavailable or that of ctx.
func (f *fetcher) get(ctx context.Context, q question) (answer, error) {
	u, err := url.Parse(q.url)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %.200q", ErrAddress, q.url)
	}
	s, err := siteOf(f.sites, u)
	if err != nil {
		return answer{}, err
	}
	if f.local && !isLoopback(s.targets(u)[0]) {
		return answer{}, fmt.Errorf("%w: %s is not on this machine, and nothing else is asked", ErrUnavailable, u.Host)
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	host := s.targets(u)[0].Host
	if err := f.health.ready(host); err != nil {
		return answer{}, err
	}
	limited, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	a, err := f.ask(limited, s, s.targets(u), q)
	switch {
	case ctx.Err() != nil: // our side gave up: that says nothing about the host
		return answer{}, ctx.Err()
	case errors.Is(err, ErrUnavailable):
		f.health.failed(host, retryAfter(err))
	default:
		f.health.worked(host)
	}
	return a, err
}

// ask tries the targets in turn: https first, and plain http where a host is
// known to have nothing else and https could not even be spoken.
func (f *fetcher) ask(ctx context.Context, s *site, targets []*url.URL, q question) (answer, error) {
	if len(targets) > 1 && f.health.plain(targets[0].Host) {
		targets = targets[1:]
	}
	for tries := 0; ; tries++ {
		r, err := f.send(ctx, s, targets[0], q) //nolint:bodyclose // read closes it
		if err == nil {
			if tries > 0 {
				f.health.setPlain(targets[0].Host)
			}
			return read(r, q)
		}
		if errors.Is(err, errRedirect) || errors.Is(err, errRedirects) {
			return answer{}, fmt.Errorf("%w: %w", ErrMalformed, cause(err))
		}
		if targets = targets[1:]; len(targets) == 0 || ctx.Err() != nil {
			return answer{}, unavailable(err)
		}
	}
}

func (f *fetcher) send(ctx context.Context, s *site, u *url.URL, q question) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	agent := f.agent
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
	if err != nil && resp != nil { // a refused redirect comes with its response
		_ = resp.Body.Close()
	}
	return resp, err
}

// read makes an answer of a response.
func read(r *http.Response, q question) (answer, error) {
	defer func() { _ = r.Body.Close() }()
	switch code := r.StatusCode; {
	case code == http.StatusNotModified && q.etag+q.modified != "":
		return answer{unchanged: true}, nil
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		return answer{}, &busyError{status: r.Status, after: parseRetryAfter(r.Header.Get("Retry-After"))}
	case code >= 400:
		return answer{}, fmt.Errorf("%w: status %d", ErrNotFound, code)
	case code != http.StatusOK:
		return answer{}, fmt.Errorf("%w: status %d", ErrMalformed, code)
	case r.ContentLength > q.limit:
		return answer{}, tooLarge(q.limit)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, q.limit+1))
	if err != nil {
		return answer{}, unavailable(err)
	}
	if int64(len(body)) > q.limit {
		return answer{}, tooLarge(q.limit)
	}
	return answer{body: body, etag: validator(r.Header.Get("ETag")), modified: validator(r.Header.Get("Last-Modified"))}, nil
}

func tooLarge(limit int64) error { return fmt.Errorf("%w: over %d bytes", ErrMalformed, limit) }

// validator keeps a validator of sane length: it is stored and sent back.
func validator(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}

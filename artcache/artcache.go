// Package artcache finds the names, updates and cover art of titles and caches
// them on disk.
//
// # Sources
//
// The addresses and the hashes in them are those of docs/protocol.md §8;
// docs/metadata.md tells which sources are known to answer.
//
//	Info           title metadata JSON: names, icon, content id, category
//	Updates        update description XML: version, size, required system
//	Packages       update description JSON: the chunks of a patch
//	PlayGo         PlayGo manifest XML of a patch
//	Addon          additional content JSON, by its address
//	Container      title container of the PS Store
//	Cover          icons named by the metadata, container images, content icons
//	ServiceList    allowed and denied services by country
//	LaunchList     minimum system version, title black list
//	SystemUpdates  system software of a region
//
// [Cache.Name], [Cache.Cached] and [Cache.Titles] read what is cached and never
// wait for the network: a background worker fetches what is missing.
// [Cache.Cover] and the calls above fetch when they have to.
//
// # On disk
//
//	blobs/ab/ab01…     bodies, by the SHA-256 of their content
//	index/KIND/NAME    what was asked for, and the hash of the answer
//	own/CUSA00129.png  the owner's images, which take precedence
//	tmp/               files being written
//
// A body is written before the record that points to it, both by renaming, and
// its hash is checked when it is read. A kill, a full disk or a bad sector
// costs another fetch, and never produces a wrong answer.
package artcache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Errors to check with errors.Is; each is wrapped with details.
var (
	// ErrTitleID means that the text is not a title id such as CUSA00129.
	ErrTitleID = errors.New("not a title id")
	// ErrAddress means that the address is not of the expected kind, or that
	// its host is not configured.
	ErrAddress = errors.New("not such an address")
	// ErrNotFound means that the source has nothing under that id. It is cached
	// for a day.
	ErrNotFound = errors.New("not found")
	// ErrMalformed means that the answer is too large, of the wrong type, about
	// another title, or a redirect to a strange host. It is cached for a day.
	ErrMalformed = errors.New("bad answer")
	// ErrUnavailable means that the source does not answer at the moment.
	// Callers may retry at any time: requests are held back until it makes
	// sense.
	ErrUnavailable = errors.New("source does not answer")
	// ErrOffline means that the answer is not cached and Options.Offline is
	// set.
	ErrOffline = errors.New("offline and not cached")
	// ErrDisabled means that Options.Disabled is set (art.enabled: false).
	ErrDisabled = errors.New("art is switched off")
	// ErrSize means that covers do not come in that size.
	ErrSize = errors.New("not a cover size")
	// ErrClosed means that the cache is closed.
	ErrClosed = errors.New("closed")
)

// Options configure a cache. Nil and the zero value are usable.
type Options struct {
	Dir      string // default: ps4kit/art in the user's cache directory
	MaxBytes int64  // limit of the bodies on disk; default: 256 MB
	Country  string // of the store, two small letters; default: "us"
	Language string // of names and the store, "en" or "pt-BR"; default: "en"
	Bases    Bases  // replacements of the real hosts
	Disabled bool   // fetch and read nothing except the owner's images
	Offline  bool   // serve what is cached and fetch nothing
	Loopback bool   // fetch only from Bases on this machine

	// Learned is called by the background worker after it looked for a title's
	// name and cover. It must not call Close.
	Learned func(titleID string)
	// Logf logs problems with the disk; default: discard.
	Logf func(format string, args ...any)
	// Transport replaces the network.
	Transport http.RoundTripper
	// WriteFile replaces the atomic writing of a file.
	WriteFile func(path string, data []byte) error
}

// defaultMaxBytes is art.max_mb of the configuration.
const defaultMaxBytes = 256 << 20

// A Cache looks up titles. It is safe for concurrent use, and several processes
// may use one directory.
type Cache struct {
	opts    Options
	regions []Region // of the store, in the order in which they are asked
	store   *store
	fetcher *fetcher
	flight  singleflight.Group
	decode  sync.Mutex // one image at a time: decoded images are large
	worker  *worker

	hits, misses, fetched, absent, failed atomic.Uint64

	ctx    context.Context // done after Close
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // calls in progress, and the worker
}

// Open opens a cache and creates its directory. It does no network I/O. The
// caller closes the cache.
func Open(o *Options) (*Cache, error) {
	opts, err := o.complete()
	if err != nil {
		return nil, err
	}
	all, err := sites(opts.Bases)
	if err != nil {
		return nil, err
	}
	st, err := newStore(opts)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		opts: opts, regions: storeRegions(opts.Language, opts.Country),
		store: st, fetcher: newFetcher(all, opts), worker: newWorker(),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.wg.Go(func() { c.worker.run(c.ctx, c.learn) })
	return c, nil
}

func (o *Options) complete() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Dir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return out, fmt.Errorf("no cache directory: %w", err)
		}
		out.Dir = filepath.Join(dir, "ps4kit", "art")
	}
	out.Country, out.Language = cmp.Or(out.Country, "us"), cmp.Or(out.Language, "en")
	if out.MaxBytes <= 0 {
		out.MaxBytes = defaultMaxBytes
	}
	if out.Logf == nil {
		out.Logf = func(string, ...any) {}
	}
	if !isCode(out.Country) {
		return out, fmt.Errorf("country %.20q must be two small letters, like us", out.Country)
	}
	if !isLanguage(out.Language) {
		return out, fmt.Errorf("language %.20q must look like en or pt-BR", out.Language)
	}
	return out, nil
}

// Close cancels calls in progress and waits for them. Later calls return
// ErrClosed.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	c.fetcher.client.CloseIdleConnections()
	return nil
}

// Stats counts lookups and requests since Open.
type Stats struct {
	Hits   uint64 // lookups answered from the cache
	Misses uint64 // lookups that needed a request

	Fetched uint64 // requests that succeeded or confirmed the cached copy
	Absent  uint64 // requests refused or answered badly
	Failed  uint64 // requests that failed, or were held back after a failure
}

// Stats returns the current counts.
func (c *Cache) Stats() Stats {
	return Stats{c.hits.Load(), c.misses.Load(), c.fetched.Load(), c.absent.Load(), c.failed.Load()}
}

func (c *Cache) countLookup(hit bool) {
	if hit {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
}

// A resource is one address to fetch.
type resource struct {
	key    string // in the store
	url    string
	accept string
	limit  int64              // bytes
	fresh  time.Duration      // how long an answer is served without asking again
	check  func([]byte) error // rejects bodies that are not what was asked for

	describe func([]byte) *brief // summarizes a document about a title; may be nil
}

// How long answers are served without asking again.
const (
	freshInfo     = 7 * 24 * time.Hour
	freshUpdates  = 6 * time.Hour
	freshPackages = 30 * 24 * time.Hour // the address contains a hash
	freshList     = 24 * time.Hour
	freshImage    = 30 * 24 * time.Hour
	freshNegative = 24 * time.Hour
)

// A record tells what came back for a key.
type record struct {
	URL      string    `json:"url,omitempty"`
	Hash     string    `json:"hash,omitempty"`    // SHA-256 of the body in hex; empty for a negative result
	Refused  string    `json:"refused,omitempty"` // why a negative result is more than "not found"
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"modified,omitempty"`
	Until    time.Time `json:"until"` // fresh before this time
	Brief    *brief    `json:"title,omitempty"`
}

// fresh reports whether there is no need to ask again. A time far ahead was
// written with a wrong clock, as a Raspberry Pi has before it syncs.
func (r record) fresh(now time.Time) bool {
	return now.Before(r.Until) && r.Until.Sub(now) < 2*freshImage
}

// err returns the error that a negative record stands for.
func (r record) err() error {
	switch {
	case r.Hash != "":
		return nil
	case r.Refused != "":
		return fmt.Errorf("%w: %s", ErrMalformed, r.Refused)
	}
	return ErrNotFound
}

// document loads a resource and parses it.
func document[T any](ctx context.Context, c *Cache, r resource, parse func([]byte) (T, error)) (T, error) {
	r.limit = maxDocument
	r.check = func(body []byte) error {
		_, err := parse(body)
		return err
	}
	_, body, err := c.load(ctx, r)
	if err != nil {
		var none T
		return none, err
	}
	return parse(body)
}

// load returns the record and body of a resource, from the cache while it is
// fresh. A stale copy is better than an error.
func (c *Cache) load(ctx context.Context, r resource) (record, []byte, error) {
	if c.opts.Disabled {
		return record{}, nil, ErrDisabled
	}
	rec, body, ok := c.cached(r.key)
	hit := ok && (rec.fresh(time.Now()) || c.opts.Offline)
	c.countLookup(hit)
	if hit {
		return rec, body, rec.err()
	}
	if c.opts.Offline {
		return record{}, nil, ErrOffline
	}
	err := c.once(ctx, r.key, func(ctx context.Context) error { return c.refresh(ctx, r) })
	if rec, body, found := c.cached(r.key); found && (err == nil || rec.Hash != "") {
		return rec, body, rec.err()
	}
	if err == nil { // evicted at once
		err = fmt.Errorf("%w: the answer does not fit in the cache", ErrUnavailable)
	}
	return record{}, nil, err
}

// cached returns the record and body of a key. A record whose body is gone is
// not found; it is deleted unless it still knows the title's name.
func (c *Cache) cached(key string) (record, []byte, bool) {
	rec, ok := c.store.lookup(key)
	if !ok || rec.Hash == "" {
		return rec, nil, ok
	}
	body, ok := c.store.body(rec.Hash)
	if !ok {
		if rec.Brief == nil {
			c.store.forget(key)
		}
		return record{}, nil, false
	}
	return rec, body, true
}

// once runs fn once for all concurrent callers with the same key. A caller that
// gives up does not stop it for the others: fn ends by itself or with Close.
func (c *Cache) once(ctx context.Context, key string, fn func(context.Context) error) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.wg.Add(1)
	c.mu.Unlock()
	done := c.flight.DoChan(key, func() (any, error) { return nil, fn(c.ctx) })
	select {
	case r := <-done:
		c.wg.Done()
		if c.ctx.Err() != nil && r.Err != nil {
			return ErrClosed
		}
		return r.Err
	case <-ctx.Done():
		go func() { // ends with fn, which Close waits for
			<-done
			c.wg.Done()
		}()
		return ctx.Err()
	}
}

// refresh fetches a resource and stores the answer. Errors that say nothing
// about the resource itself leave the store alone.
func (c *Cache) refresh(ctx context.Context, r resource) error {
	old, body, ok := c.cached(r.key)
	if ok && old.fresh(time.Now()) { // another caller was faster
		return nil
	}
	q := question{url: r.url, limit: r.limit, accept: r.accept}
	if body != nil && old.URL == r.url {
		q.etag, q.modified = old.ETag, old.Modified
	}
	a, err := c.fetcher.get(ctx, q)
	if err == nil && !a.unchanged {
		err = r.check(a.body)
	}
	if errors.Is(err, ErrAddress) { // a document named a strange host
		err = malformed("%w", err)
	}
	switch {
	case err == nil && a.unchanged:
		c.fetched.Add(1)
		old.Until = time.Now().Add(r.fresh)
		c.store.put(r.key, old, nil)
	case err == nil:
		c.fetched.Add(1)
		next := record{URL: r.url, ETag: a.etag, Modified: a.modified, Until: time.Now().Add(r.fresh)}
		if r.describe != nil {
			next.Brief = r.describe(a.body)
		}
		c.store.put(r.key, next, a.body)
	case isFinal(err):
		c.absent.Add(1)
		c.store.put(r.key, negative(r, old, err), nil)
	default:
		c.failed.Add(1)
		return err
	}
	return nil
}

// negative returns the record of a source that has nothing good. A copy that
// was good once stays: a title that the store dropped keeps its name.
func negative(r resource, old record, err error) record {
	if old.Hash == "" {
		old = record{URL: r.url}
		if detail := (*malformedError)(nil); errors.As(err, &detail) {
			old.Refused = cut(clean(detail.reason), 200)
		}
	}
	old.Until = time.Now().Add(freshNegative)
	return old
}

// isFinal reports whether an error is the source's answer, which asking again
// soon would not change.
func isFinal(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrAddress)
}

// A malformedError is an ErrMalformed with its reason, which is cached.
type malformedError struct{ reason string }

func malformed(format string, args ...any) error {
	return &malformedError{fmt.Errorf(format, args...).Error()}
}

func (e *malformedError) Error() string   { return ErrMalformed.Error() + ": " + e.reason }
func (e *malformedError) Is(t error) bool { return t == ErrMalformed }

package artcache

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Options of a cache. Nil and the zero value are usable.
type Options struct {
	Dir      string // where it lives; default ps4kit/art in the user's cache directory
	MaxBytes int64  // size limit of the bodies on disk; default 256 MB
	Country  string // of the store, two small letters; default "us"
	Language string // of names and the store, "en" or "pt-BR"; default "en"
	Bases    Bases  // other places than the real ones
	Disabled bool   // art.enabled: false: nothing is asked or read, but for the owner's own images
	Offline  bool   // what is cached is served, nothing is asked
	Loopback bool   // no request leaves this machine: only Bases on loopback are asked

	// OwnDir holds the owner's own images, such as CUSA00129.png; default "own"
	// in Dir.
	OwnDir string
	// UserAgent is what the store is told; default "ps4kit". The console's own
	// endpoints are told what the console's own client says.
	UserAgent string
	// Learned is called from the background worker when a title's name and
	// cover were looked for. It must not call Close.
	Learned func(titleID string)
	// Logf gets a line for what goes wrong on disk; default none.
	Logf func(format string, args ...any)
	// Transport replaces the network.
	Transport http.RoundTripper
	// WriteFile replaces the atomic writing of a file.
	WriteFile func(path string, data []byte) error
}

// defaultMaxBytes is art.max_mb of the configuration.
const defaultMaxBytes = 256 << 20

// A Cache knows titles. It is safe for concurrent use.
type Cache struct {
	opts    Options
	store   *store
	fetcher *fetcher
	flight  singleflight.Group
	decode  sync.Mutex // one image at a time: a decoded image is large
	worker  *worker
	counts  counts

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // calls under way, and the worker
}

// Open opens a cache, making its directory. It does no network I/O and reads
// nothing but the names in one directory. The caller closes it.
func Open(o *Options) (*Cache, error) {
	opts, err := o.complete()
	if err != nil {
		return nil, err
	}
	all, err := sites(opts.Bases)
	if err != nil {
		return nil, err
	}
	st, err := newStore(opts.Dir, opts.MaxBytes, opts.WriteFile, opts.Logf)
	if err != nil {
		return nil, err
	}
	c := &Cache{opts: opts, store: st, fetcher: newFetcher(all, opts), worker: newWorker()}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.wg.Go(func() { c.worker.run(c.ctx, c.learn) })
	return c, nil
}

// complete returns the options with their defaults.
func (o *Options) complete() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Dir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return out, fmt.Errorf("artcache: no directory given and none found: %w", err)
		}
		out.Dir = filepath.Join(dir, "ps4kit", "art")
	}
	for _, d := range []struct {
		value *string
		def   string
	}{{&out.OwnDir, filepath.Join(out.Dir, "own")}, {&out.Country, "us"}, {&out.Language, "en"}, {&out.UserAgent, "ps4kit"}} {
		if *d.value == "" {
			*d.value = d.def
		}
	}
	if out.MaxBytes <= 0 {
		out.MaxBytes = defaultMaxBytes
	}
	if out.Logf == nil {
		out.Logf = func(string, ...any) {}
	}
	if !isCode(out.Country) {
		return out, fmt.Errorf("artcache: country %.20q must be two small letters, as us", out.Country)
	}
	if !isLanguage(out.Language) {
		return out, fmt.Errorf("artcache: language %.20q must be as en or pt-BR", out.Language)
	}
	return out, nil
}

// Close ends what is under way and waits for it. Calls made later fail with
// ErrClosed.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	c.fetcher.close()
	return nil
}

// enter counts a call in; the caller calls c.wg.Done.
func (c *Cache) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.wg.Add(1)
	return true
}

// once runs fn for a key, for all who ask at the same time. A caller who gives
// up does not end it for the others: fn runs until the cache is closed, or its
// own limits end it.
func (c *Cache) once(ctx context.Context, key string, fn func(context.Context) error) error {
	if !c.enter() {
		return ErrClosed
	}
	done := c.flight.DoChan(key, func() (any, error) { return nil, fn(c.ctx) })
	select {
	case r := <-done:
		c.wg.Done()
		if c.ctx.Err() != nil && r.Err != nil {
			return ErrClosed
		}
		return r.Err
	case <-ctx.Done():
		go func() { // ends with fn; Close waits for it
			<-done
			c.wg.Done()
		}()
		return ctx.Err()
	}
}

// A resource is something to ask a source for.
type resource struct {
	key    string // of the store
	url    string
	accept string
	limit  int64              // bytes
	fresh  time.Duration      // no need to ask again for so long
	check  func([]byte) error // refuses a body that is not what was asked for

	describe func([]byte) *brief // of a title's document; nil for the rest
}

// How long answers are taken as they are. A negative result is remembered for
// a day.
const (
	freshInfo     = 7 * 24 * time.Hour
	freshUpdates  = 6 * time.Hour
	freshPackages = 30 * 24 * time.Hour // the address has a hash in it
	freshList     = 24 * time.Hour
	freshImage    = 30 * 24 * time.Hour
	freshNegative = 24 * time.Hour
)

// load returns the record and body of a resource: cached while it is fresh,
// else asked for. A copy that has gone stale is better than an error.
func (c *Cache) load(ctx context.Context, r resource) (record, []byte, error) {
	if c.opts.Disabled {
		return record{}, nil, ErrDisabled
	}
	rec, body, ok := c.cached(r.key)
	hit := ok && (rec.fresh(time.Now()) || c.opts.Offline)
	c.counts.lookup(hit)
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
	if err == nil { // evicted at once: the limit is too small for it
		err = fmt.Errorf("%w: does not fit in the cache", ErrUnavailable)
	}
	return record{}, nil, err
}

// cached returns what the store has for a key; a record without its body counts
// as nothing. One with a brief stays: it still knows the title's name.
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

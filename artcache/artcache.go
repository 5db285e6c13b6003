// Package artcache finds the names, updates and cover art of titles and caches
// them on disk.
//
// The sources are those of docs/protocol.md §8; docs/metadata.md says which are
// known to answer. [Cache.Name], [Cache.Cached] and [Cache.Titles] read what is
// cached and never wait for the network: the first two fetch what is missing in
// the background. All other lookups fetch when they have to.
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
	// Callers may retry at any time: the cache spaces the requests.
	ErrUnavailable = errors.New("source does not answer")
	// ErrOffline means that Options.Offline is set and the answer isn't cached.
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

	// Learned is called in the background after a title's name and cover were
	// looked for. It must not call Close.
	Learned func(titleID string)
	// Logf logs problems with the disk; default: discard.
	Logf func(format string, args ...any)
	// Transport replaces the network.
	Transport http.RoundTripper
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
	decode  sync.Mutex    // one image at a time: decoded images are large
	turn    chan struct{} // taken to fetch a title in the background

	ctx    context.Context // done after Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // fetches in progress, and titles wanted

	mu     sync.Mutex      // guards wanted, and wg against Close
	wanted map[string]bool // titles that are fetched in the background

	hits, misses, fetched, absent, failed atomic.Uint64 // as Stats has them
}

// Open opens a cache and creates its directory. It does no network I/O. The
// caller closes the cache.
func Open(o *Options) (*Cache, error) {
	opts, err := o.complete()
	if err != nil {
		return nil, err
	}
	f, err := newFetcher(opts)
	if err != nil {
		return nil, err
	}
	st, err := newStore(opts)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		opts: opts, regions: storeRegions(opts.Language, opts.Country), store: st, fetcher: f,
		turn: make(chan struct{}, 1), wanted: map[string]bool{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
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
	c.cancel()
	c.mu.Unlock()
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
	return Stats{
		Hits: c.hits.Load(), Misses: c.misses.Load(),
		Fetched: c.fetched.Load(), Absent: c.absent.Load(), Failed: c.failed.Load(),
	}
}

func (c *Cache) countLookup(hit bool) {
	if hit {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
}

package artcache

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A brief is what lists and name lookups need about a title. It is part of the
// record of the document it came from, so that a lookup reads one small file.
type brief struct {
	Locale    string   `json:"locale"` // for which Name was chosen
	Name      string   `json:"name"`
	ContentID string   `json:"content_id,omitempty"`
	Category  string   `json:"category,omitempty"`
	Icons     []string `json:"icons,omitempty"`
}

// maxIcons is how many icons of one title are tried.
const maxIcons = 4

func (c *Cache) locale() string { return c.opts.Language + "/" + c.opts.Country }

func (c *Cache) briefOf(info *Info) *brief {
	b := &brief{
		Locale: c.locale(), Name: info.Name(c.opts.Language, c.opts.Country),
		ContentID: info.ContentID, Category: info.Category,
	}
	for _, icon := range info.Icons[:min(len(info.Icons), maxIcons)] {
		b.Icons = append(b.Icons, icon.URL)
	}
	return b
}

// Name returns a title's cached name, trademark signs included, in the
// configured language or the best other one. It never waits for the network:
// the background worker fetches a name that is missing or stale and calls
// Options.Learned.
func (c *Cache) Name(_ context.Context, titleID string) (string, bool) {
	id, err := ParseTitleID(titleID)
	if err != nil || c.opts.Disabled {
		return "", false
	}
	b, fresh := c.known(id)
	c.countLookup(b != nil)
	if !fresh {
		c.Want(id)
	}
	if b == nil {
		return "", false
	}
	return b.Name, true
}

// known returns what is cached about a title, nil if nothing, and whether there
// is no need to ask.
func (c *Cache) known(id string) (b *brief, fresh bool) {
	now := time.Now()
	rec, ok := c.store.lookup("info/" + id)
	if !ok {
		return nil, false
	}
	fresh = rec.fresh(now)
	if rec.Hash != "" {
		b = c.described(c.metadataResource(id), rec)
		return b, b != nil && fresh
	}
	for _, in := range c.regions {
		r := c.containerResource(id, in)
		rec, ok := c.store.lookup(r.key)
		fresh = fresh && ok && rec.fresh(now)
		if rec.Hash != "" {
			b = c.described(r, rec)
			return b, b != nil && fresh
		}
	}
	return nil, fresh
}

// described returns the brief of a record. It makes a new one from the body if
// the language has changed, and returns nil if the body is gone.
func (c *Cache) described(r resource, rec record) *brief {
	if rec.Brief != nil && rec.Brief.Locale == c.locale() {
		return rec.Brief
	}
	body, ok := c.store.body(rec.Hash)
	if !ok {
		c.store.forget(r.key)
		return nil
	}
	rec.Brief = r.describe(body)
	c.store.remember(r.key, rec)
	return rec.Brief
}

// A Title is an entry in the list of known titles.
type Title struct {
	ID        string `json:"title_id"`
	Name      string `json:"name"`
	ContentID string `json:"content_id,omitempty"`
	Category  string `json:"category,omitempty"`
}

// Titles lists the cached titles by name.
func (c *Cache) Titles(ctx context.Context) ([]Title, error) {
	if c.opts.Disabled {
		return nil, ErrDisabled
	}
	entries, err := os.ReadDir(filepath.Join(c.opts.Dir, "index", "info"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var list []Title
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !isTitleID(e.Name()) {
			continue
		}
		if b, _ := c.known(e.Name()); b != nil {
			list = append(list, Title{e.Name(), b.Name, b.ContentID, b.Category})
		}
	}
	slices.SortFunc(list, func(a, b Title) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return list, nil
}

// Find returns the cached titles of that name in any case or, if there is none,
// those whose names contain it. The sources have no search: a title that was
// never looked up by its id is not found.
func (c *Cache) Find(ctx context.Context, name string) ([]Title, error) {
	titles, err := c.Titles(ctx)
	name = strings.ToLower(clean(name))
	if err != nil || name == "" {
		return nil, err
	}
	var exact, part []Title
	for _, t := range titles {
		switch lower := strings.ToLower(t.Name); {
		case lower == name:
			exact = append(exact, t)
		case strings.Contains(lower, name), strings.EqualFold(t.ID, name):
			part = append(part, t)
		}
	}
	if len(exact) > 0 {
		return exact, nil
	}
	return part, nil
}

// Limits of the background work.
const (
	maxJobs  = 256 // titles in the queue; more are dropped until they are used again
	maxTries = 8   // with the pauses of a host that fails, some hours
)

// A worker fetches titles in the background, one at a time.
type worker struct {
	wake chan struct{} // holds one token

	mu   sync.Mutex
	jobs map[string]job
}

type job struct {
	due   time.Time
	tries int
}

func newWorker() *worker {
	return &worker{wake: make(chan struct{}, 1), jobs: map[string]job{}}
}

// Want has the background worker fetch the names and covers of titles that are
// missing or stale. It returns at once and ignores invalid ids.
func (c *Cache) Want(titleIDs ...string) {
	if c.opts.Disabled || c.opts.Offline || c.ctx.Err() != nil {
		return
	}
	w := c.worker
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range titleIDs {
		id, err := ParseTitleID(t)
		if _, queued := w.jobs[id]; err != nil || queued || len(w.jobs) >= maxJobs {
			continue
		}
		w.jobs[id] = job{}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// run does the jobs until ctx is done.
func (w *worker) run(ctx context.Context, learn func(context.Context, string) error) {
	for {
		id, wait := w.next()
		if wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
			case <-w.wake:
			case <-timer.C:
			}
			timer.Stop()
		} else {
			w.done(id, learn(ctx, id))
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// next returns a job that is due, or how long there is none.
func (w *worker) next() (id string, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait = 24 * time.Hour
	for id, j := range w.jobs {
		if wait = min(wait, time.Until(j.due)); wait <= 0 {
			return id, 0
		}
	}
	return "", wait
}

// done removes a job, or postpones it if the source did not answer.
func (w *worker) done(id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.jobs[id]
	j.tries++
	if !errors.Is(err, ErrUnavailable) || j.tries >= maxTries {
		delete(w.jobs, id)
		return
	}
	j.due = time.Now().Add(pause(j.tries))
	if busy := (*busyError)(nil); errors.As(err, &busy) && busy.until.After(j.due) {
		j.due = busy.until
	}
	w.jobs[id] = j
}

// learn fetches everything about a title. Only a source that does not answer is
// worth another try.
func (c *Cache) learn(ctx context.Context, id string) error {
	_, err := c.Info(ctx, id)
	for _, size := range Sizes() {
		if _, coverErr := c.Cover(ctx, id, size); errors.Is(coverErr, ErrUnavailable) {
			err = coverErr
		}
	}
	if c.opts.Learned != nil && ctx.Err() == nil {
		c.opts.Learned(id)
	}
	return err
}

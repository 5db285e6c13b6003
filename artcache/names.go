package artcache

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A brief is what a list or a lookup needs of a title. It is kept in the record
// of the document it came from, so that a lookup reads one small file at most.
type brief struct {
	Locale    string   `json:"locale"` // what Name was chosen for
	Name      string   `json:"name"`
	ContentID string   `json:"content_id,omitempty"`
	Category  string   `json:"category,omitempty"`
	Icons     []string `json:"icons,omitempty"`
}

// maxIcons is the most icons of one title that are tried.
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

// Name returns a title's real name, trademark signs included, in the configured
// language or the best there is. It never waits for the network: when nothing
// is cached, or what is cached is old, the background worker is asked to fetch
// it, and Options.Learned tells when it has.
func (c *Cache) Name(_ context.Context, titleID string) (string, bool) {
	id, err := ParseTitleID(titleID)
	if err != nil || c.opts.Disabled {
		return "", false
	}
	b, fresh := c.known(id)
	c.counts.lookup(b != nil)
	if !fresh {
		c.want(id)
	}
	if b == nil {
		return "", false
	}
	return b.Name, true
}

// known returns what is cached of a title, nil if nothing, and whether there is
// no need to ask. It counts as no use of the document: the brief in its record
// outlives the body.
func (c *Cache) known(id string) (b *brief, fresh bool) {
	if c.opts.Disabled {
		return nil, false
	}
	now := time.Now()
	r := resource{key: "info/" + id, describe: c.describeMetadata} // without the address, which is a hash
	rec, ok := c.store.lookup(r.key)
	if !ok {
		return nil, false
	}
	fresh = rec.fresh(now)
	if rec.Hash != "" {
		b = c.described(r, rec)
		return b, b != nil && fresh
	}
	for _, in := range storeRegions(c.opts.Language, c.opts.Country) {
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

// described returns the brief of a record, making it anew from the body when it
// was made for another language; nil if the body is gone.
func (c *Cache) described(r resource, rec record) *brief {
	if rec.Brief != nil && rec.Brief.Locale == c.locale() {
		return rec.Brief
	}
	body, ok := c.store.body(rec.Hash)
	if !ok {
		c.store.forget(r.key)
		return nil
	}
	b := r.describe(body)
	c.store.describe(r.key, rec.Hash, b)
	return b
}

// A Title is a line in the list of known titles.
type Title struct {
	ID        string `json:"title_id"`
	Name      string `json:"name"`
	ContentID string `json:"content_id,omitempty"`
	Category  string `json:"category,omitempty"`

	lower string // Name, to sort and to find it by
}

// Titles lists the titles that are cached, by name. It asks nothing.
func (c *Cache) Titles(ctx context.Context) ([]Title, error) {
	if c.opts.Disabled {
		return nil, ErrDisabled
	}
	entries, err := os.ReadDir(filepath.Join(c.opts.Dir, "index", "info"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if isTitleID(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	out := c.titles(ctx, ids)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	slices.SortFunc(out, func(a, b Title) int {
		return cmp.Or(strings.Compare(a.lower, b.lower), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// listReaders read records of a list at once: most of their time is the disk's.
const listReaders = 4

// titles returns what is cached of some titles.
func (c *Cache) titles(ctx context.Context, ids []string) []Title {
	parts := make([][]Title, listReaders)
	var readers sync.WaitGroup
	for n := range parts {
		readers.Go(func() {
			for i := n; i < len(ids) && ctx.Err() == nil; i += listReaders {
				if b, _ := c.known(ids[i]); b != nil {
					parts[n] = append(parts[n], Title{ids[i], b.Name, b.ContentID, b.Category, strings.ToLower(b.Name)})
				}
			}
		})
	}
	readers.Wait()
	return slices.Concat(parts...)
}

// Find returns the cached titles that a name means: those that have it, in any
// case, or, when there is none, those that have it as a part. The sources have
// no search of their own: a title that was never looked up by its id is not
// found.
func (c *Cache) Find(ctx context.Context, name string) ([]Title, error) {
	titles, err := c.Titles(ctx)
	name = strings.ToLower(clean(name))
	if err != nil || name == "" {
		return nil, err
	}
	var exact, part []Title
	for _, t := range titles {
		if t.lower == name {
			exact = append(exact, t)
		} else if strings.Contains(t.lower, name) || strings.EqualFold(t.ID, name) {
			part = append(part, t)
		}
	}
	if len(exact) > 0 {
		return exact, nil
	}
	return part, nil
}

package artcache

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	if !fresh {
		c.want(id)
	}
	if b == nil {
		return "", false
	}
	return b.Name, true
}

// known returns what is cached of a title, nil if nothing, and whether there is
// no need to ask.
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
		c.store.touch(rec.Hash)
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
	var out []Title
	for _, e := range entries {
		if !isTitleID(e.Name()) {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if b, _ := c.known(e.Name()); b != nil {
			out = append(out, Title{ID: e.Name(), Name: b.Name, ContentID: b.ContentID, Category: b.Category})
		}
	}
	slices.SortFunc(out, func(a, b Title) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
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
		have := strings.ToLower(t.Name)
		if have == name {
			exact = append(exact, t)
		} else if strings.Contains(have, name) || strings.EqualFold(t.ID, name) {
			part = append(part, t)
		}
	}
	if len(exact) > 0 {
		return exact, nil
	}
	return part, nil
}

package artcache

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A brief has what lists and name lookups need about a title. It is part of the
// record of the document it came from, so that a lookup reads one small file.
type brief struct {
	Locale    string   `json:"locale"` // for which Name was chosen
	Name      string   `json:"name"`
	ContentID string   `json:"content_id,omitempty"`
	Icons     []string `json:"icons,omitempty"`
}

// maxIcons is how many icons of one title are tried.
const maxIcons = 4

func (c *Cache) locale() string { return c.opts.Language + "/" + c.opts.Country }

// brief summarizes a document about a title, and returns nil for another one.
func (c *Cache) brief(a Address, body []byte) *brief {
	var info *Info
	switch a.Kind {
	case Metadata:
		info, _ = Parse[Info](body)
	case TitleContainer:
		if p, err := Parse[Product](body); err == nil {
			info = p.info(a.TitleID)
		}
	}
	if info == nil {
		return nil
	}
	b := &brief{
		Locale: c.locale(), Name: info.Name(c.opts.Language, c.opts.Country),
		ContentID: info.ContentID,
	}
	for _, icon := range info.Icons[:min(len(info.Icons), maxIcons)] {
		b.Icons = append(b.Icons, icon.URL)
	}
	return b
}

// known returns what is cached about a title, or nil, and whether that is fresh.
func (c *Cache) known(id string) (b *brief, fresh bool) {
	places := []Address{{Kind: Metadata, TitleID: id}}
	for _, r := range c.regions {
		places = append(places, Address{Kind: TitleContainer, TitleID: id, Country: r.Country, Language: r.Language})
	}
	fresh = true
	for _, a := range places {
		key := a.fill(sources()[a.Kind].key)
		rec, ok := c.store.lookup(key)
		fresh = fresh && ok && rec.fresh()
		if rec.Hash == "" {
			continue
		}
		if rec.Brief == nil || rec.Brief.Locale != c.locale() { // the language has changed
			body, ok := c.store.body(rec.Hash)
			if !ok {
				c.store.forget(key)
				return nil, false
			}
			rec.Brief = c.brief(a, body)
			c.store.remember(key, rec)
		}
		return rec.Brief, fresh && rec.Brief != nil
	}
	return nil, fresh
}

// Name returns a title's cached name, trademark signs included, in the
// configured language or the best other one. It never waits for the network: a
// name that is missing or stale is fetched in the background, which calls
// Options.Learned.
func (c *Cache) Name(titleID string) (string, bool) {
	id, err := ParseTitleID(titleID)
	if err != nil || c.opts.Disabled {
		return "", false
	}
	b, fresh := c.known(id)
	c.countLookup(b != nil)
	if !fresh {
		c.want(id)
	}
	if b == nil {
		return "", false
	}
	return b.Name, true
}

// A Title is an entry in the list of known titles.
type Title struct {
	ID   string `json:"title_id"`
	Name string `json:"name"`
}

// Titles lists the cached titles by name.
func (c *Cache) Titles() ([]Title, error) {
	if c.opts.Disabled {
		return nil, ErrDisabled
	}
	entries, err := os.ReadDir(filepath.Join(c.opts.Dir, "index", "info"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var list []Title
	for _, e := range entries {
		if !isTitleID(e.Name()) {
			continue
		}
		if b, _ := c.known(e.Name()); b != nil {
			list = append(list, Title{e.Name(), b.Name})
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
func (c *Cache) Find(name string) ([]Title, error) {
	titles, err := c.Titles()
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
	maxWanted = 256 // titles; more are dropped until they are used again
	maxTries  = 8   // with the pauses between them, an hour
)

// want fetches a title's name and covers in the background. Titles are fetched
// one at a time, which leaves a request slot to calls that wait for an answer.
func (c *Cache) want(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opts.Disabled || c.opts.Offline || c.ctx.Err() != nil || c.wanted[id] || len(c.wanted) >= maxWanted {
		return
	}
	c.wanted[id] = true
	c.wg.Go(func() {
		for try := 1; c.learn(id) && try < maxTries; try++ {
			select {
			case <-time.After(pause(try)):
			case <-c.ctx.Done():
			}
		}
		c.mu.Lock()
		delete(c.wanted, id)
		c.mu.Unlock()
	})
}

// learn fetches everything about a title. It reports whether another try may
// help, because a source did not answer.
func (c *Cache) learn(id string) (again bool) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-c.ctx.Done():
		return false
	}
	_, err := c.Info(c.ctx, id)
	again = errors.Is(err, ErrUnavailable)
	for _, size := range sizes() {
		_, err := c.Cover(c.ctx, id, size)
		again = again || errors.Is(err, ErrUnavailable)
	}
	if c.ctx.Err() != nil {
		return false
	}
	if c.opts.Learned != nil {
		c.opts.Learned(id)
	}
	return again
}

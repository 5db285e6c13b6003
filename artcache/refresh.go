package artcache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// refresh asks for a resource and stores what comes back. An error that says
// nothing about the resource itself leaves the store as it is.
func (c *Cache) refresh(ctx context.Context, r resource) error {
	old, body, have := c.cached(r.key)
	if have && old.fresh(time.Now()) { // somebody was faster
		return nil
	}
	q := question{url: r.url, limit: r.limit, accept: r.accept}
	if body != nil && old.URL == r.url {
		q.etag, q.modified = old.ETag, old.Modified
	}
	a, err := c.fetcher.get(ctx, q)
	if err == nil && !a.unchanged {
		err = refusal(r.check(a.body))
	}
	if errors.Is(err, ErrAddress) { // a document linked to a strange host
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	c.counts.request(err)
	switch {
	case err == nil && a.unchanged:
		old.Until = time.Now().Add(r.fresh)
		c.store.putRecord(r.key, old)
	case err == nil:
		next := record{URL: r.url, ETag: a.etag, Modified: a.modified, Until: time.Now().Add(r.fresh)}
		if r.describe != nil {
			next.Brief = r.describe(a.body)
		}
		c.store.put(r.key, next, a.body)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrMalformed):
		c.putNegative(r, old, err)
	default:
		return err
	}
	return nil
}

// putNegative remembers for a day that a source has nothing good. A copy that
// was good once is kept: a title that the store gave up keeps its name.
func (c *Cache) putNegative(r resource, old record, err error) {
	until := time.Now().Add(freshNegative)
	if old.Hash != "" {
		old.Until = until
		c.store.putRecord(r.key, old)
		return
	}
	next := record{URL: r.url, Until: until}
	if errors.Is(err, ErrMalformed) {
		next.Refused = cut(clean(trimmed(err)), 200)
	}
	c.store.putRecord(r.key, next)
}

// refusal makes a failed check a bad answer.
func refusal(err error) error {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// trimmed returns the detail of an ErrMalformed, without its own prefix.
func trimmed(err error) string {
	text, prefix := err.Error(), ErrMalformed.Error()+": "
	if len(text) > len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):]
	}
	return text
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

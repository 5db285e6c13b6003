package artcache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/text"
)

// A resource is one address to fetch.
type resource struct {
	key    string // in the store
	url    string
	accept string
	limit  int64              // bytes
	fresh  time.Duration      // how long an answer is served without asking again
	check  func([]byte) error // rejects bodies that are not what was asked for
	brief  func([]byte) *brief
}

const (
	freshImage    = 30 * day
	freshNegative = day
)

// A record describes the answer for a key. It is a file of the index.
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
func (r record) fresh() bool {
	left := time.Until(r.Until)
	return left > 0 && left < 2*freshImage
}

// err returns the error that a negative record stands for.
func (r record) err() error {
	switch {
	case r.Hash != "":
		return nil
	case r.Refused != "":
		return refusal(r.Refused)
	}
	return ErrNotFound
}

// document loads the document at an address and parses it. A caller may have
// chosen the parts of the address.
func document[T Document](ctx context.Context, c *Cache, a Address) (_ *T, err error) {
	s := sources()[a.Kind]
	if strings.Contains(s.key, "{title}") {
		if a.TitleID, err = ParseTitleID(a.TitleID); err != nil {
			return nil, err
		}
	}
	url := a.String()
	if _, err := ParseAddress(url); err != nil {
		return nil, err
	}
	parse := func(body []byte) (*T, error) {
		doc, err := Parse[T](body)
		if id, named := any(doc).(interface{ titleID() string }); err == nil && named && id.titleID() != a.TitleID {
			return nil, malformed("%s of another title", a.Kind)
		}
		return doc, err
	}
	_, body, err := c.load(ctx, resource{
		key: strings.ReplaceAll(a.fill(s.key), "{url}", hashOf([]byte(url))), url: url,
		accept: "application/json, text/xml", limit: maxDocument, fresh: s.fresh,
		check: func(body []byte) error { _, err := parse(body); return err },
		brief: func(body []byte) *brief { return c.brief(a, body) },
	})
	if err != nil {
		return nil, err
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
	hit := ok && (rec.fresh() || c.opts.Offline)
	c.countLookup(hit)
	if hit {
		return rec, body, rec.err()
	}
	if c.opts.Offline {
		return record{}, nil, ErrOffline
	}
	err := c.once(ctx, r.key, func(ctx context.Context) error { return c.refresh(ctx, r) })
	if rec, body, ok = c.cached(r.key); ok && (err == nil || rec.Hash != "") {
		return rec, body, rec.err()
	}
	return record{}, nil, cmp.Or(err, errEvicted)
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
	done := c.flight.DoChan(key, func() (any, error) {
		c.mu.Lock()
		if c.ctx.Err() != nil {
			c.mu.Unlock()
			return nil, ErrClosed
		}
		c.wg.Add(1)
		c.mu.Unlock()
		defer c.wg.Done()
		return nil, fn(c.ctx)
	})
	select {
	case r := <-done:
		if r.Err != nil && c.ctx.Err() != nil {
			return ErrClosed
		}
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refresh fetches a resource and stores the answer. Errors that say nothing
// about the resource itself leave the store alone.
func (c *Cache) refresh(ctx context.Context, r resource) error {
	old, body, ok := c.cached(r.key)
	if ok && old.fresh() { // another caller was faster
		return nil
	}
	validators := old
	if body == nil || old.URL != r.url {
		validators = record{}
	}
	a, err := c.fetcher.get(ctx, r, validators)
	if err == nil && a.body != nil {
		err = r.check(a.body)
	}
	if errors.Is(err, ErrAddress) { // a document named a strange host
		err = malformed("%v", err)
	}
	switch {
	case err == nil:
		c.fetched.Add(1)
		a.record.Until = time.Now().Add(r.fresh)
		if a.body != nil && r.brief != nil {
			a.record.Brief = r.brief(a.body)
		}
		c.store.put(r.key, a.record, a.body)
	case isFinal(err):
		c.absent.Add(1)
		if old.Hash == "" { // a good copy stays: a title that the store dropped keeps its name
			old = record{URL: r.url}
			reason, _ := errors.AsType[refusal](err)
			old.Refused = text.Truncate(clean(string(reason)), 200)
		}
		old.Until = time.Now().Add(freshNegative)
		c.store.put(r.key, old, nil)
	default:
		c.failed.Add(1)
		return err
	}
	return nil
}

// isFinal reports whether an error is the source's answer, which asking again
// soon would not change.
func isFinal(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrAddress)
}

// A refusal is an ErrMalformed with its reason, which is cached.
type refusal string

func (r refusal) Error() string { return ErrMalformed.Error() + ": " + string(r) }
func (r refusal) Unwrap() error { return ErrMalformed }

func malformed(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

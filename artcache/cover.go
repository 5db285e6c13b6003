package artcache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Size is the longer side of a cover in pixels; a smaller original is not
// enlarged.
type Size int

// The sizes that covers come in: what the web page needs.
const (
	Full   Size = 0   // as it came: 512 for most
	Small  Size = 96  // in a list
	Medium Size = 256 // on a card
)

// Sizes lists the sizes of covers.
func Sizes() []Size { return []Size{Full, Small, Medium} }

// An Origin says where a cover came from. Their order is that of preference.
type Origin string

// Origins of covers.
const (
	OriginOwn       Origin = "own"       // the owner's file in Options.OwnDir
	OriginMetadata  Origin = "metadata"  // icon named by the title metadata
	OriginContainer Origin = "container" // image of the store's title container
	OriginContent   Origin = "content"   // content icon of the store
)

// An Image is a picture ready to be served.
type Image struct {
	Data          []byte // shared: not to be changed
	Type          string // "image/png", "image/jpeg" or "image/webp"
	Width, Height int    // pixels
	ETag          string // quoted, of the content: the same for the same bytes
	Origin        Origin
}

// A picture is a cover before it is sized.
type picture struct {
	hash   string
	origin Origin
	read   func() ([]byte, bool)
}

// Cover returns a title's cover: the owner's own image, what is cached, the
// metadata's icon, the title container's image, the content icon, whichever is
// there first. ErrNotFound when none has it.
func (c *Cache) Cover(ctx context.Context, titleID string, size Size) (*Image, error) {
	id, err := checkCover(titleID, size)
	if err != nil {
		return nil, err
	}
	if p, ok := c.own(id); ok {
		if img, err := c.sized(ctx, p, size); err == nil {
			return img, nil
		}
	}
	if c.opts.Disabled {
		return nil, ErrDisabled
	}
	if p, fresh, ok := c.cachedCover(id); ok && (fresh || c.opts.Offline) {
		if img, err := c.sized(ctx, p, size); err == nil {
			c.counts.lookup(true)
			return img, nil
		}
	}
	p, err := c.fetchCover(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.sized(ctx, p, size)
}

// Cached returns a title's cover if that needs no network, and has the
// background worker fetch it, or look for a newer one, when there is need.
func (c *Cache) Cached(ctx context.Context, titleID string, size Size) (*Image, bool) {
	id, err := checkCover(titleID, size)
	if err != nil {
		return nil, false
	}
	if p, ok := c.own(id); ok {
		if img, err := c.sized(ctx, p, size); err == nil {
			return img, true
		}
	}
	if c.opts.Disabled {
		return nil, false
	}
	p, fresh, ok := c.cachedCover(id)
	if !fresh {
		c.want(id)
	}
	c.counts.lookup(ok)
	if !ok {
		return nil, false
	}
	img, err := c.sized(ctx, p, size)
	if err != nil { // its body was evicted
		c.want(id)
		return nil, false
	}
	return img, true
}

func checkCover(titleID string, size Size) (string, error) {
	if !slices.Contains(Sizes(), size) {
		return "", fmt.Errorf("%w: %d", ErrSize, size)
	}
	return ParseTitleID(titleID)
}

// own returns the owner's own image of a title. One that is too large or of no
// known type is as good as none.
func (c *Cache) own(id string) (picture, bool) {
	for _, ext := range []string{".png", ".jpg", ".jpeg", ".webp"} {
		body, err := readSmall(filepath.Join(c.opts.OwnDir, id+ext), maxImage)
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				c.opts.Logf("artcache: own image of %s: %v", id, err)
			}
			continue
		}
		if _, err := inspect(body); err != nil {
			c.opts.Logf("artcache: own image of %s: %v", id, err)
			continue
		}
		return picture{hashOf(body), OriginOwn, func() ([]byte, bool) { return body, true }}, true
	}
	return picture{}, false
}

// A candidate is an image that may be a title's cover.
type candidate struct {
	origin Origin
	res    resource
}

// candidates yields where a title's cover may be, best first; b may be nil.
func (c *Cache) candidates(id string, b *brief) iter.Seq[candidate] {
	return func(yield func(candidate) bool) {
		try := func(o Origin, url string) bool { return yield(candidate{o, c.imageResource(url)}) }
		if b != nil {
			for _, icon := range b.Icons {
				if !try(OriginMetadata, icon) {
					return
				}
			}
		}
		regions := storeRegions(c.opts.Language, c.opts.Country)
		for _, r := range regions {
			a := ContainerAddress{Country: r.Country, Language: r.Language, TitleID: id, Image: true}
			if !try(OriginContainer, a.String()) {
				return
			}
		}
		if b == nil || !isContentID(b.ContentID) {
			return
		}
		for _, r := range regions {
			a := IconAddress{Country: r.Country, Language: r.Language, ContentID: b.ContentID}
			if !try(OriginContent, a.String()) {
				return
			}
		}
	}
}

func (c *Cache) imageResource(url string) resource {
	return resource{
		key: "image/" + hashOf([]byte(url)), url: url, accept: "image/png, image/jpeg, image/webp",
		limit: maxImage, fresh: freshImage, check: c.checkImage,
	}
}

// cachedCover returns the best cover that is cached, and whether there is no
// need to ask: for a title without any, that every candidate was tried.
func (c *Cache) cachedCover(id string) (p picture, fresh, ok bool) {
	b, fresh := c.known(id)
	now := time.Now()
	for cand := range c.candidates(id, b) {
		rec, found := c.store.lookup(cand.res.key)
		if rec.Hash == "" {
			fresh = fresh && found && rec.fresh(now)
			continue
		}
		read := func() ([]byte, bool) { return c.store.body(rec.Hash) }
		return picture{rec.Hash, cand.origin, read}, rec.fresh(now), true
	}
	return picture{}, fresh, false
}

// fetchCover tries the candidates in order. When one does not answer the next
// may; when none has a cover, the error is that of the first that did not
// answer, else of one that answered badly.
func (c *Cache) fetchCover(ctx context.Context, id string) (picture, error) {
	_, err := c.Info(ctx, id)
	result := fmt.Errorf("%w: no cover for %s", ErrNotFound, id)
	if err != nil && !isFinal(err) {
		result = err
	}
	b, _ := c.known(id)
	for cand := range c.candidates(id, b) {
		rec, body, err := c.load(ctx, cand.res)
		if err == nil {
			return picture{rec.Hash, cand.origin, func() ([]byte, bool) { return body, true }}, nil
		}
		if ctx.Err() != nil {
			return picture{}, ctx.Err()
		}
		if !isFinal(err) && isFinal(result) || errors.Is(err, ErrMalformed) && errors.Is(result, ErrNotFound) {
			result = err
		}
	}
	return picture{}, result
}

// isFinal reports whether an error is an answer, which asking again soon would
// not change.
func isFinal(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrAddress)
}

// ContentIcon returns the PS Store's icon of a content, such as additional
// content, at most width by height pixels, 1 to 4096 each; 0 leaves it to the
// store.
func (c *Cache) ContentIcon(ctx context.Context, contentID string, width, height int) (*Image, error) {
	err := ErrNotFound
	for _, r := range storeRegions(c.opts.Language, c.opts.Country) {
		a := IconAddress{Country: r.Country, Language: r.Language, ContentID: contentID, Width: width, Height: height}
		if err := a.check(); err != nil {
			return nil, err
		}
		rec, body, loadErr := c.load(ctx, c.imageResource(a.String()))
		if loadErr == nil {
			return c.image(rec.Hash, OriginContent, body)
		}
		if !isFinal(loadErr) {
			return nil, loadErr
		}
		err = loadErr
	}
	return nil, err
}

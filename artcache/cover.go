package artcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // for image.Decode
)

// A Size is the longer side of a cover in pixels. Smaller originals are not
// enlarged.
type Size int

// The sizes of covers.
const (
	Full   Size = 0 // as it came: mostly 512
	Small  Size = 96
	Medium Size = 256
)

func sizes() []Size { return []Size{Full, Small, Medium} }

// An Origin tells where a cover came from.
type Origin string

// Origins of covers, in order of preference.
const (
	OriginOwn       Origin = "own"       // the owner's file
	OriginMetadata  Origin = "metadata"  // an icon named by the title metadata
	OriginAccount   Origin = "account"   // named by a PSN account's list of titles: see [Cache.Suggest]
	OriginContainer Origin = "container" // the image of the store's title container
	OriginContent   Origin = "content"   // a content icon of the store
)

// Limits of an image that is decoded, which then takes 16 MB.
const (
	maxSide   = 4096
	maxPixels = 4 << 20
)

// jpegQuality is that of covers in smaller sizes.
const jpegQuality = 85

// maxAddress is the longest address of a suggested cover, in bytes.
const maxAddress = 1024

// An Image is a picture ready to be served.
type Image struct {
	Data          []byte // shared: don't modify
	Type          string // "image/png", "image/jpeg" or "image/webp"
	Width, Height int    // pixels
	ETag          string // quoted; the same for the same bytes
	Origin        Origin
}

// A picture is a cover before it is scaled.
type picture struct {
	hash   string
	origin Origin
	body   []byte // nil: in the store
}

// errEvicted means that the store lost a body between two reads, or has no room
// for it.
var errEvicted = fmt.Errorf("%w: the cache has no room for the answer", ErrUnavailable)

// bytes returns the body of a picture.
func (c *Cache) bytes(p picture) ([]byte, error) {
	if p.body != nil {
		return p.body, nil
	}
	if body, ok := c.store.body(p.hash); ok {
		return body, nil
	}
	return nil, errEvicted
}

// Cover returns a title's cover, the first that exists of: the owner's image, the
// cached one, an icon that the metadata names, the suggested one, the title
// container's image, the content icon. It returns ErrNotFound if none does.
func (c *Cache) Cover(ctx context.Context, titleID string, size Size) (*Image, error) {
	id, img, err := c.own(ctx, titleID, size)
	if img != nil || err != nil {
		return img, err
	}
	if img, fresh := c.cachedCover(ctx, id, size); img != nil && (fresh || c.opts.Offline) {
		c.countLookup(true)
		return img, nil
	}
	return c.fetchCover(ctx, id, size)
}

// Cached returns a title's cover if it is cached, and fetches one that is missing
// or stale in the background.
func (c *Cache) Cached(ctx context.Context, titleID string, size Size) (*Image, bool) {
	id, img, err := c.own(ctx, titleID, size)
	if img != nil || err != nil {
		return img, err == nil
	}
	img, fresh := c.cachedCover(ctx, id, size)
	c.countLookup(img != nil)
	if !fresh {
		c.want(id)
	}
	return img, img != nil
}

// own parses the id of a title and returns the owner's image. If there is none,
// it returns nil, or ErrDisabled if nothing else may be read. It skips files that
// are too large or of an unknown type.
func (c *Cache) own(ctx context.Context, titleID string, size Size) (id string, img *Image, err error) {
	if !slices.Contains(sizes(), size) {
		return "", nil, fmt.Errorf("%w: %d", ErrSize, size)
	}
	if id, err = ParseTitleID(titleID); err != nil {
		return "", nil, err
	}
	for _, ext := range []string{".png", ".jpg", ".jpeg", ".webp"} {
		body, _, err := readFile(filepath.Join(c.opts.Dir, "own", id+ext), maxImage)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			if img, err = c.scale(ctx, picture{hashOf(body), OriginOwn, body}, size); err == nil {
				return id, img, nil
			}
		}
		c.opts.Logf("artcache: own image of %s: %v", id, err)
	}
	if c.opts.Disabled {
		return id, nil, ErrDisabled
	}
	return id, nil, nil
}

// Suggest remembers where a title's cover is, and fetches it in the background
// if the metadata names none. It ignores hosts that are not configured.
func (c *Cache) Suggest(titleID, address string) {
	id, err := ParseTitleID(titleID)
	if _, _, siteErr := c.fetcher.siteOf(address); err != nil || siteErr != nil || len(address) > maxAddress || c.opts.Disabled {
		return
	}
	c.store.put("suggested/"+id, record{URL: address}, nil)
	c.want(id)
}

// A candidate is an address that may have a title's cover.
type candidate struct {
	origin   Origin
	url, key string
}

// candidates lists where a title's cover may be, best first; b may be nil.
func (c *Cache) candidates(id string, b *brief) (list []candidate) {
	add := func(o Origin, url string) { list = append(list, candidate{o, url, "image/" + hashOf([]byte(url))}) }
	if b != nil {
		for _, icon := range b.Icons {
			add(OriginMetadata, icon)
		}
	}
	if rec, ok := c.store.lookup("suggested/" + id); ok {
		add(OriginAccount, rec.URL)
	}
	for _, r := range c.regions {
		add(OriginContainer, Address{Kind: ContainerImage, Country: r.Country, Language: r.Language, TitleID: id}.String())
	}
	if b != nil && isContentID().MatchString(b.ContentID) {
		for _, r := range c.regions {
			add(OriginContent, Address{Kind: ContentIcon, Country: r.Country, Language: r.Language, ContentID: b.ContentID}.String())
		}
	}
	return list
}

// cachedCover returns the best cached cover or nil, and whether that is fresh. A
// missing cover is fresh if every candidate was tried lately, and not if it was
// evicted.
func (c *Cache) cachedCover(ctx context.Context, id string, size Size) (img *Image, fresh bool) {
	b, fresh := c.known(id)
	for _, cand := range c.candidates(id, b) {
		rec, found := c.store.lookup(cand.key)
		if rec.Hash != "" {
			img, err := c.scale(ctx, picture{hash: rec.Hash, origin: cand.origin}, size)
			return img, err == nil && rec.fresh()
		}
		fresh = fresh && found && rec.fresh()
	}
	return nil, fresh
}

// fetchCover tries the candidates in order. If none has a cover, it returns the
// error of the first that did not answer, or else of the first bad answer.
func (c *Cache) fetchCover(ctx context.Context, id string, size Size) (*Image, error) {
	_, err := c.Info(ctx, id)
	result := fmt.Errorf("%w: no cover for %s", ErrNotFound, id)
	if err != nil && !isFinal(err) {
		result = err
	}
	b, _ := c.known(id)
	for _, cand := range c.candidates(id, b) {
		rec, body, err := c.load(ctx, resource{
			key: cand.key, url: cand.url, accept: "image/png, image/jpeg, image/webp",
			limit: maxImage, fresh: freshImage, check: c.checkImage,
		})
		if err == nil {
			return c.scale(ctx, picture{rec.Hash, cand.origin, body}, size)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !isFinal(err) && isFinal(result) || errors.Is(err, ErrMalformed) && errors.Is(result, ErrNotFound) {
			result = err
		}
	}
	return nil, result
}

// scale returns a picture in a size. Smaller ones are made once and cached.
func (c *Cache) scale(ctx context.Context, p picture, size Size) (*Image, error) {
	if size != Full {
		key := fmt.Sprintf("thumb/%s-%d", p.hash, size)
		rec, body, ok := c.cached(key)
		if !ok {
			if err := c.once(ctx, key, func(context.Context) error { return c.makeThumb(key, p, int(size)) }); err != nil {
				return nil, err
			}
			if rec, body, ok = c.cached(key); !ok {
				return nil, errEvicted
			}
		}
		p.hash, p.body = rec.Hash, body
	}
	body, err := c.bytes(p)
	if err != nil {
		return nil, err
	}
	conf, format, err := inspect(body)
	if err != nil {
		return nil, err
	}
	return &Image{body, "image/" + format, conf.Width, conf.Height, `"` + p.hash[:32] + `"`, p.origin}, nil
}

// inspect returns the type and size of an image without decoding its pixels. It
// ignores content types and file names.
func inspect(body []byte) (conf image.Config, format string, err error) {
	defer recovered(&err)
	conf, format, err = image.DecodeConfig(bytes.NewReader(body))
	switch {
	case err != nil:
		return conf, "", malformed("%v", err)
	case !slices.Contains([]string{"png", "jpeg", "webp"}, format): // another package may have registered it
		return conf, "", malformed("image type %s", format)
	case conf.Width < 1, conf.Height < 1, conf.Width > maxSide, conf.Height > maxSide, conf.Width*conf.Height > maxPixels:
		return conf, "", malformed("an image of %d by %d pixels", conf.Width, conf.Height)
	}
	return conf, format, nil
}

// decoded returns the pixels of an image within limits.
func decoded(body []byte) (img image.Image, err error) {
	defer recovered(&err)
	if _, _, err := inspect(body); err != nil {
		return nil, err
	}
	if img, _, err = image.Decode(bytes.NewReader(body)); err != nil {
		return nil, malformed("%v", err)
	}
	return img, nil
}

// recovered turns a panic into an error: image decoders have panicked on
// hostile input before, and these bytes come from the network.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = malformed("image decoder: %v", v)
	}
}

// checkImage rejects images that cannot be decoded completely.
func (c *Cache) checkImage(body []byte) error {
	c.decode.Lock()
	defer c.decode.Unlock()
	_, err := decoded(body)
	return err
}

// makeThumb scales a picture into a square and stores it, as JPEG or, if it is
// transparent anywhere, PNG. One that fits is stored as it is.
func (c *Cache) makeThumb(key string, p picture, side int) error {
	body, err := c.bytes(p)
	if err != nil {
		return err
	}
	c.decode.Lock()
	defer c.decode.Unlock()
	src, err := decoded(body)
	if err != nil {
		return err
	}
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	if longer := max(w, h); longer > side {
		dst := image.NewRGBA(image.Rect(0, 0, max(1, w*side/longer), max(1, h*side/longer)))
		draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
		var out bytes.Buffer
		if dst.Opaque() {
			err = jpeg.Encode(&out, dst, &jpeg.Options{Quality: jpegQuality})
		} else {
			err = png.Encode(&out, dst)
		}
		if err != nil {
			return err
		}
		body = out.Bytes()
	}
	c.store.put(key, record{Until: time.Now().Add(freshImage)}, body)
	return nil
}

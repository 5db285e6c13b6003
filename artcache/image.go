package artcache

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// Bounds of an image that is decoded: 16 MB in memory.
const (
	maxSide   = 4096
	maxPixels = 4 << 20
)

// jpegQuality of covers in smaller sizes.
const jpegQuality = 85

// A codec reads one type of image.
type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// codecOf finds out what an image is by its content; what a header or a name
// says does not count.
func codecOf(body []byte) (mime string, k codec, err error) {
	mime = http.DetectContentType(body)
	switch mime {
	case "image/png":
		return mime, codec{png.DecodeConfig, png.Decode}, nil
	case "image/jpeg":
		return mime, codec{jpeg.DecodeConfig, jpeg.Decode}, nil
	case "image/webp":
		return mime, codec{webp.DecodeConfig, webp.Decode}, nil
	}
	return "", codec{}, fmt.Errorf("%w: %s is no image", ErrMalformed, mime)
}

// inspect returns the type and measures of an image, refusing one that is out
// of bounds; the pixels are not decoded.
func inspect(body []byte) (img Image, err error) {
	defer recovered(&err)
	mime, k, err := codecOf(body)
	if err != nil {
		return Image{}, err
	}
	conf, err := k.config(bytes.NewReader(body))
	if err != nil {
		return Image{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if conf.Width < 1 || conf.Height < 1 || conf.Width > maxSide || conf.Height > maxSide || conf.Width*conf.Height > maxPixels {
		return Image{}, fmt.Errorf("%w: an image of %d by %d pixels", ErrMalformed, conf.Width, conf.Height)
	}
	return Image{Type: mime, Width: conf.Width, Height: conf.Height}, nil
}

// decoded returns the pixels of an image within bounds.
func decoded(body []byte) (img image.Image, err error) {
	defer recovered(&err)
	if _, err := inspect(body); err != nil {
		return nil, err
	}
	_, k, err := codecOf(body)
	if err != nil {
		return nil, err
	}
	img, err = k.decode(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return img, nil
}

// recovered makes an error of a panic: image decoders have been known to panic
// on hostile input, and these bytes come from the network.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("%w: image decoder: %v", ErrMalformed, v)
	}
}

// checkImage refuses what cannot be decoded whole.
func (c *Cache) checkImage(body []byte) error {
	c.decode.Lock()
	defer c.decode.Unlock()
	_, err := decoded(body)
	return err
}

// image makes an Image of a body.
func (c *Cache) image(hash string, origin Origin, body []byte) (*Image, error) {
	img, err := inspect(body)
	if err != nil {
		return nil, err
	}
	img.Data, img.ETag, img.Origin = body, `"`+hash[:32]+`"`, origin
	return &img, nil
}

// errLost: the store lost a body between two looks, or has no room for it.
var errLost = fmt.Errorf("%w: the cover was evicted", ErrUnavailable)

// sized returns a picture in a size; a smaller one is made once and kept.
func (c *Cache) sized(ctx context.Context, p picture, size Size) (*Image, error) {
	if size == Full {
		body, ok := p.read()
		if !ok {
			return nil, errLost
		}
		return c.image(p.hash, p.origin, body)
	}
	key := fmt.Sprintf("thumb/%s-%d", p.hash, size)
	if rec, body, ok := c.cached(key); ok && rec.Hash != "" {
		return c.image(rec.Hash, p.origin, body)
	}
	err := c.once(ctx, key, func(context.Context) error { return c.makeThumb(key, p, size) })
	if err != nil {
		return nil, err
	}
	rec, made, ok := c.cached(key)
	if !ok {
		return nil, errLost
	}
	return c.image(rec.Hash, p.origin, made)
}

// makeThumb makes and stores a picture in a size.
func (c *Cache) makeThumb(key string, p picture, size Size) error {
	if rec, _, ok := c.cached(key); ok && rec.Hash != "" {
		return nil
	}
	body, ok := p.read()
	if !ok {
		return errLost
	}
	c.decode.Lock()
	defer c.decode.Unlock()
	small, err := scaled(body, int(size))
	if err != nil {
		return err
	}
	c.store.put(key, record{Until: time.Now().Add(freshImage)}, small)
	return nil
}

// scaled returns an image that fits into a square, as JPEG or, when it is
// transparent somewhere, PNG. One that fits already is returned as it is.
func scaled(body []byte, side int) ([]byte, error) {
	src, err := decoded(body)
	if err != nil {
		return nil, err
	}
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	if w <= side && h <= side {
		return body, nil
	}
	longer := max(w, h)
	dst := image.NewRGBA(image.Rect(0, 0, max(1, w*side/longer), max(1, h*side/longer)))
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if dst.Opaque() {
		err = jpeg.Encode(&out, dst, &jpeg.Options{Quality: jpegQuality})
	} else {
		err = png.Encode(&out, dst)
	}
	return out.Bytes(), err
}

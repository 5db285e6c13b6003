package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
)

// titleArt is what `ps4kit title art` prints.
type titleArt struct {
	TitleID string          `json:"title_id"`
	Type    string          `json:"type"`  // "image/png"
	Width   int             `json:"width"` // pixels
	Height  int             `json:"height"`
	Bytes   int             `json:"bytes"`
	Origin  artcache.Origin `json:"origin"`
	File    string          `json:"file,omitempty"` // with --out
}

func newTitleArt(p *program) *cobra.Command {
	o := &titleOptions{}
	size := 0
	cmd := o.command(p, &cobra.Command{
		Use:   "art TITLE_ID|NAME",
		Short: "Show or save the cover of a title",
		Long: `Finds the cover of a title: your own image, or what the metadata or the PS Store
has. A terminal that can shows it: by sixels, or else by coloured half blocks.`,
		Args:              oneText("the id of a title"),
		ValidArgsFunction: completeLookedUp(p),
	}, "Looking for the cover", func(ctx context.Context, c *titleCache, args []string) error {
		id, err := c.id(ctx, args[0])
		if err != nil {
			return err
		}
		img, err := c.Cover(ctx, id, artcache.Size(size))
		if err != nil {
			return about("cover of "+id, err)
		}
		c.stopProgress()
		return o.cover(p, id, img)
	})
	o.addCountry(cmd)
	cmd.Flags().IntVar(&size, "size", 0, "longer side in `PIXELS`: 96, 256, or 0 for as it came")
	o.out.add(cmd, "the image")
	return cmd
}

// cover saves a cover, shows it and describes it.
func (o *titleOptions) cover(p *program, id string, img *artcache.Image) error {
	if o.out.path != "" {
		if err := o.out.write(img.Data); err != nil {
			return err
		}
	}
	if p.json() {
		return p.printJSON(titleArt{id, img.Type, img.Width, img.Height, len(img.Data), img.Origin, o.out.path})
	}
	if shape := shapeOf(p.stdout, os.Environ()); shape != nil {
		if err := shape.show(p.stdout, img.Data); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.stdout, "%s  %d by %d pixels, %s, %s, %s\n", id, img.Width, img.Height, img.Type, sizeOf(int64(len(img.Data))), whence(img.Origin))
	if err == nil && o.out.path != "" {
		_, err = fmt.Fprintf(p.stdout, "%s is written.\n", o.out.path)
	}
	return err
}

// whence says where a cover came from.
func whence(o artcache.Origin) string {
	switch o {
	case artcache.OriginOwn:
		return "your own image"
	case artcache.OriginMetadata:
		return "from the title metadata"
	case artcache.OriginContainer, artcache.OriginContent:
		return "from the PS Store"
	}
	return string(o)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
)

// titleUpdates is what `ps4kit title updates` prints.
type titleUpdates struct {
	TitleID string        `json:"title_id"`
	Latest  string        `json:"latest"` // version, "01.18"; empty: there is none
	Updates []titleUpdate `json:"updates"`
	Files   *updateFiles  `json:"files,omitempty"` // of the latest, with --files
}

type titleUpdate struct {
	artcache.Update

	RequiredSystem string `json:"required_system"` // "9.50"
}

// updateFiles is what an update description leads to.
type updateFiles struct {
	*artcache.PackageSet

	Delta  string           `json:"delta_url,omitempty"`
	PlayGo *artcache.PlayGo `json:"playgo,omitempty"` // nil: there is no manifest
}

func newTitleUpdates(p *program) *cobra.Command {
	o := &titleOptions{}
	files := false
	cmd := o.command(p, &cobra.Command{
		Use:   "updates TITLE_ID|NAME",
		Short: "Show the updates of a title",
		Long: `Shows the latest update of a title: version, size, and the system software that it
needs. With --files also where its parts are; these are not fetched.`,
		Args:              oneText("the id of a title"),
		ValidArgsFunction: completeLookedUp(p),
	}, "Looking for updates", func(ctx context.Context, c *titleCache, args []string) error {
		id, err := c.id(ctx, args[0])
		if err != nil {
			return err
		}
		u, err := c.updates(ctx, id, files)
		if err != nil {
			return about("updates of "+id, err)
		}
		return o.result(p, u, func(w io.Writer) error { return printUpdates(w, u) })
	})
	cmd.Flags().BoolVar(&files, "files", false, "list the files of the latest update too")
	o.out.add(cmd, "the updates")
	return cmd
}

func (c *titleCache) updates(ctx context.Context, id string, files bool) (*titleUpdates, error) {
	all, err := c.Updates(ctx, id)
	if err != nil {
		return nil, err
	}
	u := &titleUpdates{TitleID: all.TitleID, Updates: []titleUpdate{}}
	for _, update := range all.Packages {
		u.Updates = append(u.Updates, titleUpdate{update, update.RequiredSystem()})
	}
	latest := all.Latest()
	if latest == nil {
		return u, nil
	}
	u.Latest = latest.Version
	if files {
		u.Files, err = c.files(ctx, latest)
	}
	return u, err
}

// files follows the links of an update. Not every one has a PlayGo manifest.
func (c *titleCache) files(ctx context.Context, u *artcache.Update) (*updateFiles, error) {
	set, err := c.Packages(ctx, u.Manifest)
	if err != nil {
		return nil, err
	}
	f := &updateFiles{PackageSet: set, Delta: u.Delta.URL}
	f.PlayGo, err = c.PlayGo(ctx, u.Manifest)
	if errors.Is(err, artcache.ErrNotFound) {
		f.PlayGo, err = nil, nil
	}
	return f, err
}

func printUpdates(w io.Writer, u *titleUpdates) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "VERSION\tSIZE\tNEEDS\tTYPE\tCONTENT ID")
	for _, p := range u.Updates {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", p.Version, sizeOf(p.Size), orDash(p.RequiredSystem), orDash(p.Type), orDash(p.ContentID))
	}
	if err := t.Flush(); err != nil || u.Files == nil {
		return err
	}
	_, _ = fmt.Fprintln(w)
	if err := printPieces(w, u.Files.PackageSet); err != nil {
		return err
	}
	if u.Files.Delta != "" {
		_, _ = fmt.Fprintf(w, "\nCumulative package: %s\n", u.Files.Delta)
	}
	if g := u.Files.PlayGo; g != nil {
		_, _ = fmt.Fprintf(w, "\nPlayGo: %d chunks, %d scenarios\n", len(g.Chunks), len(g.Scenarios))
	}
	return nil
}

// printPieces prints the files that a package is cut into.
func printPieces(w io.Writer, set *artcache.PackageSet) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "OFFSET\tSIZE\tFILE")
	for _, piece := range set.Pieces {
		_, _ = fmt.Fprintf(t, "%d\t%s\t%s\n", piece.Offset, sizeOf(piece.Size), piece.URL)
	}
	return t.Flush()
}

// sizeOf writes a size as people read it, in powers of 1000.
func sizeOf(bytes int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	size := float64(bytes)
	unit := ""
	for _, unit = range units {
		if size /= 1000; size < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}

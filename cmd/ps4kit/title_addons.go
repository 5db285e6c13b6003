package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
)

func newTitleAddons(p *program) *cobra.Command {
	o := &titleOptions{}
	cmd := o.command(p, &cobra.Command{
		Use:   "addons ADDRESS",
		Short: "Show additional content by its address",
		Long: `Shows additional content by the address of any of its files (.json, .pkg or .sha):
there is a hash in it that cannot be derived from an id.`,
		Args: oneText("the address of a file of additional content"),
	}, "Looking the content up", func(ctx context.Context, c *titleCache, args []string) error {
		addon, err := c.Addon(ctx, args[0])
		if err != nil {
			return err
		}
		return o.result(p, addon, func(w io.Writer) error { return printAddon(w, addon) })
	})
	o.out.add(cmd, "what is known")
	return cmd
}

func printAddon(w io.Writer, a *artcache.Addon) error {
	err := printLines(w, [][2]string{
		{"Content id", a.ContentID},
		{"Size", sizeOf(a.Size)},
		{"Digest", a.Digest},
		{"Description", a.Description},
		{"Package", a.Package},
		{"Digest file", a.DigestFile},
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(w)
	return printPieces(w, &a.PackageSet)
}

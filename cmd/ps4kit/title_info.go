package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
)

// titleInfo is what `ps4kit title info` prints.
type titleInfo struct {
	*artcache.Info

	Name  string            `json:"name"`            // in the language of the country
	Store *artcache.Product `json:"store,omitempty"` // with --country
}

func newTitleInfo(p *program) *cobra.Command {
	o := &titleOptions{}
	cmd := o.command(p, &cobra.Command{
		Use:   "info TITLE_ID|NAME",
		Short: "Show what is known of a title",
		Long: `Shows the names of a title and what else its metadata says. With --country the PS
Store of that country is looked in too, and must have the title.`,
		Args:              oneText("the id of a title"),
		ValidArgsFunction: completeLookedUp(p),
	}, "Looking the title up", func(ctx context.Context, c *titleCache, args []string) error {
		info, err := o.info(ctx, c, args[0])
		if err != nil {
			return err
		}
		return o.result(p, info, func(w io.Writer) error { return printInfo(w, info) })
	})
	o.addCountry(cmd)
	o.out.add(cmd, "what is known")
	return cmd
}

func (o *titleOptions) info(ctx context.Context, c *titleCache, title string) (*titleInfo, error) {
	id, err := c.id(ctx, title)
	if err != nil {
		return nil, err
	}
	info, err := c.Info(ctx, id)
	if err != nil {
		return nil, about(id, err)
	}
	known := &titleInfo{Info: info, Name: info.Name(c.language, c.region.Country)}
	if o.country != "" {
		known.Store, err = c.ContainerIn(ctx, id, c.region)
	}
	return known, about(id+" in the PS Store of "+o.country, err)
}

// printInfo prints what is known of a title, a line each.
func printInfo(w io.Writer, t *titleInfo) error {
	lines := [][2]string{
		{"Name", t.Name},
		{"Also", strings.Join(otherNames(t), ", ")},
		{"Title id", t.ID},
		{"Content id", t.ContentID},
		{"Category", t.Category},
		{"Console", t.Console},
	}
	if !t.FromStore {
		lines = append(lines, [2]string{"Parental level", strconv.Itoa(t.ParentalLevel)})
	}
	lines = append(lines, [2]string{"Background", t.Background}, [2]string{"Music", t.Music})
	for _, icon := range t.Icons {
		lines = append(lines, [2]string{"Icon", icon.URL})
	}
	if t.FromStore {
		lines = append(lines, [2]string{"From", "PS Store; there is no metadata"})
	}
	if s := t.Store; s != nil {
		lines = append(lines, [2]string{"Store", s.Name}, [2]string{"Store id", s.ContentID}, [2]string{"Provider", s.Provider},
			[2]string{"Released", s.ReleaseDate}, [2]string{"Kind", kinds(s)})
	}
	return printLines(w, lines)
}

// otherNames lists the names in other languages, each once.
func otherNames(t *titleInfo) []string {
	var names []string
	for _, n := range t.Names {
		if n.Text != t.Name && !slices.Contains(names, n.Text) {
			names = append(names, n.Text)
		}
	}
	return names
}

func kinds(s *artcache.Product) string {
	var names []string
	for _, k := range s.ContentType {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

// printLines prints names and values, leaving out what is empty.
func printLines(w io.Writer, lines [][2]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		if line[1] != "" {
			_, _ = fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
		}
	}
	return t.Flush()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
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
		Short: "Show what is known about a title",
		Long: `Shows the names of a title and the rest of its metadata. With --country the title
must also be in the PS Store of that country.`,
		Args:              oneText("the id of a title"),
		ValidArgsFunction: completeLookedUp(p),
	}, "Looking the title up", func(ctx context.Context, c *titleCache, args []string) (titleResult, error) {
		id, err := c.id(ctx, args[0])
		if err != nil {
			return nil, err
		}
		info, err := c.Info(ctx, id)
		if err != nil {
			return nil, about(id, err)
		}
		known := &titleInfo{Info: info, Name: info.Name(c.language, c.region.Country)}
		if o.country != "" {
			if known.Store, err = c.ContainerIn(ctx, id, c.region); err != nil {
				return nil, about(id+" in the PS Store of "+o.country, err)
			}
		}
		return known, nil
	})
	o.addCountry(cmd)
	o.out.add(cmd, "what is known")
	return cmd
}

func (t *titleInfo) print(w io.Writer) error {
	var others []string
	for _, n := range t.Names {
		if n.Text != t.Name && !slices.Contains(others, n.Text) {
			others = append(others, n.Text)
		}
	}
	rows := [][]string{
		{"Name", t.Name},
		{"Also", strings.Join(others, ", ")},
		{"Title id", t.ID},
		{"Content id", t.ContentID},
		{"Category", t.Category},
		{"Console", t.Console},
	}
	if !t.FromStore {
		rows = append(rows, []string{"Parental level", strconv.Itoa(t.ParentalLevel)})
	}
	rows = append(rows, []string{"Background", t.Background}, []string{"Music", t.Music})
	for _, icon := range t.Icons {
		rows = append(rows, []string{"Icon", icon.URL})
	}
	if t.FromStore {
		rows = append(rows, []string{"From", "PS Store; there is no metadata"})
	}
	if s := t.Store; s != nil {
		var kinds []string
		for _, k := range s.ContentType {
			kinds = append(kinds, k.Name)
		}
		rows = append(rows, []string{"Store", s.Name}, []string{"Store id", s.ContentID}, []string{"Provider", s.Provider},
			[]string{"Released", s.ReleaseDate}, []string{"Kind", strings.Join(kinds, ", ")})
	}
	return printTable(w, known(rows))
}

// titleUpdates is what `ps4kit title updates` prints.
type titleUpdates struct {
	TitleID string        `json:"title_id"`
	Latest  string        `json:"latest"` // version, "01.18"; empty if there is none
	Updates []titleUpdate `json:"updates"`
	Files   *updateFiles  `json:"files,omitempty"` // of the latest, with --files
}

type titleUpdate struct {
	artcache.Update

	RequiredSystem string `json:"required_system"` // "9.50"
}

type updateFiles struct {
	*artcache.PackageSet

	Delta  string           `json:"delta_url,omitempty"`
	PlayGo *artcache.PlayGo `json:"playgo,omitempty"` // nil if there is no manifest
}

func newTitleUpdates(p *program) *cobra.Command {
	o := &titleOptions{}
	files := false
	cmd := o.command(p, &cobra.Command{
		Use:   "updates TITLE_ID|NAME",
		Short: "Show the updates of a title",
		Long: `Shows the latest update of a title: version, size, and the system software it
needs. With --files it also lists the update's parts, without downloading them.`,
		Args:              oneText("the id of a title"),
		ValidArgsFunction: completeLookedUp(p),
	}, "Looking for updates", func(ctx context.Context, c *titleCache, args []string) (titleResult, error) {
		id, err := c.id(ctx, args[0])
		if err != nil {
			return nil, err
		}
		all, err := c.Updates(ctx, id)
		if err != nil {
			return nil, about("updates of "+id, err)
		}
		u := &titleUpdates{TitleID: all.TitleID, Updates: []titleUpdate{}}
		for _, update := range all.Packages {
			u.Updates = append(u.Updates, titleUpdate{update, update.RequiredSystem()})
		}
		if latest := all.Latest(); latest != nil {
			u.Latest = latest.Version
			if files {
				if u.Files, err = c.files(ctx, latest); err != nil {
					return nil, about("updates of "+id, err)
				}
			}
		}
		return u, nil
	})
	cmd.Flags().BoolVar(&files, "files", false, "list the files of the latest update too")
	o.out.add(cmd, "the updates")
	return cmd
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
		err = nil
	}
	return f, err
}

func (u *titleUpdates) print(w io.Writer) error {
	rows := [][]string{{"VERSION", "SIZE", "NEEDS", "TYPE", "CONTENT ID"}}
	for _, p := range u.Updates {
		rows = append(rows, []string{p.Version, sizeOf(p.Size), orDash(p.RequiredSystem), orDash(p.Type), orDash(p.ContentID)})
	}
	if err := printTable(w, rows); err != nil || u.Files == nil {
		return err
	}
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

// printPieces prints the files of a package below what was printed before.
func printPieces(w io.Writer, set *artcache.PackageSet) error {
	rows := [][]string{{"\nOFFSET", "SIZE", "FILE"}}
	for _, piece := range set.Pieces {
		rows = append(rows, []string{strconv.FormatInt(piece.Offset, 10), sizeOf(piece.Size), piece.URL})
	}
	return printTable(w, rows)
}

// sizeOf formats a size in powers of 1000.
func sizeOf(bytes int64) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	size, unit := float64(bytes), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		if size /= 1000; size < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}

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
		Short: "Find or save the cover of a title",
		Long: `Finds the cover of a title: your own image, or that of the metadata or the PS
Store. It prints the size and source of the image; --out saves it.`,
		Args:              oneText("the id of a title"),
		ValidArgsFunction: completeLookedUp(p),
	}, "Looking for the cover", func(ctx context.Context, c *titleCache, args []string) (titleResult, error) {
		id, err := c.id(ctx, args[0])
		if err != nil {
			return nil, err
		}
		img, err := c.Cover(ctx, id, artcache.Size(size))
		if err != nil {
			return nil, about("cover of "+id, err)
		}
		art := &titleArt{id, img.Type, img.Width, img.Height, len(img.Data), img.Origin, o.out.path}
		if o.out.path != "" {
			err = o.out.write(img.Data)
			o.out = outFile{} // the rest is printed
			return art, err
		}
		return art, nil
	})
	o.addCountry(cmd)
	cmd.Flags().IntVar(&size, "size", 0, "longer side in `PIXELS`: 96, 256, or 0 for the original")
	o.out.add(cmd, "the image")
	return cmd
}

func (a *titleArt) print(w io.Writer) error {
	from := map[artcache.Origin]string{
		artcache.OriginOwn: "your own image", artcache.OriginMetadata: "from the title metadata",
		artcache.OriginContainer: "from the PS Store", artcache.OriginContent: "from the PS Store",
	}[a.Origin]
	_, err := fmt.Fprintf(w, "%s  %d by %d pixels, %s, %s, %s\n", a.TitleID, a.Width, a.Height, a.Type, sizeOf(int64(a.Bytes)), from)
	if a.File != "" && err == nil {
		_, err = fmt.Fprintf(w, "%s is written.\n", a.File)
	}
	return err
}

// titleAddon is what `ps4kit title addons` prints.
type titleAddon struct{ *artcache.Addon }

func newTitleAddons(p *program) *cobra.Command {
	o := &titleOptions{}
	cmd := o.command(p, &cobra.Command{
		Use:   "addons ADDRESS",
		Short: "Show additional content by its address",
		Long: `Shows additional content by the address of any of its files (.json, .pkg or .sha).
The address contains a hash that cannot be derived from an id.`,
		Args: oneText("the address of a file of additional content"),
	}, "Looking the content up", func(ctx context.Context, c *titleCache, args []string) (titleResult, error) {
		addon, err := c.Addon(ctx, args[0])
		if err != nil {
			return nil, err
		}
		return titleAddon{addon}, nil
	})
	o.out.add(cmd, "what is known")
	return cmd
}

func (a titleAddon) print(w io.Writer) error {
	err := printTable(w, known([][]string{
		{"Content id", a.ContentID},
		{"Size", sizeOf(a.Size)},
		{"Digest", a.Digest},
		{"Description", a.Description},
		{"Package", a.Package},
		{"Digest file", a.DigestFile},
	}))
	if err != nil {
		return err
	}
	return printPieces(w, &a.PackageSet)
}

// systemLists is what `ps4kit title lists` prints, without the lists that are
// unavailable.
type systemLists struct {
	Services *artcache.ServiceList   `json:"services,omitempty"`
	Launch   *artcache.LaunchList    `json:"launch,omitempty"`
	System   []artcache.SystemRegion `json:"system"` // in the order of --region

	country string
}

func newTitleLists(p *program) *cobra.Command {
	o := &titleOptions{}
	regions := []string{"us", "eu"}
	cmd := o.command(p, &cobra.Command{
		Use:   "lists",
		Short: "Show the system lists: services, titles, system software",
		Long: `Shows which services are allowed in a country, the system software that titles
need, and the latest system software of each region. Lists that answer are shown
even when others don't.`,
		Args: noArgs,
	}, "Fetching the lists", func(ctx context.Context, c *titleCache, _ []string) (titleResult, error) {
		lists, err := c.lists(ctx, regions)
		if lists.Services == nil && lists.Launch == nil && len(lists.System) == 0 {
			return nil, err
		}
		return lists, err
	})
	o.addCountry(cmd)
	cmd.Flags().StringSliceVar(&regions, "region", regions, "`REGION`s of system software, two letters each")
	o.out.add(cmd, "the lists")
	return cmd
}

// lists fetches all lists at once. It returns the first error.
func (c *titleCache) lists(ctx context.Context, regions []string) (*systemLists, error) {
	lists := &systemLists{System: []artcache.SystemRegion{}, country: c.region.Country}
	system, failed := make([]*artcache.SystemUpdates, len(regions)), make([]error, len(regions)+2)
	var wg sync.WaitGroup
	wg.Go(func() { lists.Services, failed[0] = c.ServiceList(ctx) })
	wg.Go(func() { lists.Launch, failed[1] = c.LaunchList(ctx) })
	for i, region := range regions {
		wg.Go(func() {
			var err error
			system[i], err = c.SystemUpdates(ctx, region)
			failed[i+2] = about("system software of "+region, err)
		})
	}
	wg.Wait()
	for _, s := range system {
		if s != nil {
			lists.System = append(lists.System, s.Regions...)
		}
	}
	if at := slices.IndexFunc(failed, func(err error) bool { return err != nil }); at >= 0 {
		return lists, failed[at]
	}
	return lists, nil
}

func (l *systemLists) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if l.Services == nil {
		_, _ = fmt.Fprintln(t, "The service list is unavailable.")
	} else {
		_, _ = fmt.Fprintf(t, "SERVICE\tIN %s\tDEFAULT\tALLOWED IN\tDENIED IN\n", strings.ToUpper(l.country))
		for _, s := range l.Services.Services {
			here := "no"
			if s.Allowed(l.country) {
				here = "yes"
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Name, here, s.Default, countryCodes(s.Allow), countryCodes(s.Deny))
		}
	}
	if l.Launch == nil {
		_, _ = fmt.Fprintln(t, "\nThe title list is unavailable.")
	} else {
		_, _ = fmt.Fprintf(t, "\nTitles need system software\t%s\nTitles that are blocked\t%s\n",
			orDash(l.Launch.MinSystemVersion), orDash(strings.Join(l.Launch.BlackList, " ")))
	}
	if len(l.System) == 0 {
		_, _ = fmt.Fprintln(t, "\nThe system software lists are unavailable.")
		return t.Flush()
	}
	_, _ = fmt.Fprintln(t, "\nREGION\tSYSTEM SOFTWARE\tVERSION\tSIZE")
	for _, r := range l.System {
		size := "-"
		if len(r.System.Images) > 0 {
			size = sizeOf(r.System.Images[0].Size)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, r.System.Label, r.System.Version, size)
	}
	return t.Flush()
}

func countryCodes(list []artcache.Country) string {
	var codes []string
	for _, c := range list {
		codes = append(codes, c.Code)
	}
	return orDash(strings.Join(codes, " "))
}

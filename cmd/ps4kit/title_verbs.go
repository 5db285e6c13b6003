package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
)

func newTitleInfo(p *program) *cobra.Command {
	o := &titleOptions{}
	cmd := o.onTitle(p, &cobra.Command{
		Use:   "info TITLE_ID|NAME",
		Short: "Show what is known about a title",
		Long: `Shows the names of a title and the rest of its metadata. With --country the
title must also be in the PS Store of that country.`,
		Example: examples("title info CUSA00129", "title info CUSA00129 --country Germany"),
	}, "Looking the title up", func(ctx context.Context, c *titleCache, id string) (result, error) {
		info, err := c.Info(ctx, id)
		if err != nil {
			return result{}, fmt.Errorf("%s: %w", id, err)
		}
		t := titleInfo{Info: info, Name: info.Name(c.language, c.region.Country)}
		if o.country != "" {
			if t.Store, err = c.Container(ctx, id, c.region); err != nil {
				return result{}, fmt.Errorf("%s in the PS Store of %s: %w", id, o.country, err)
			}
		}
		return result{value: t, text: t.text()}, nil
	})
	o.addCountry(cmd)
	o.out.add(cmd, "what is known")
	return cmd
}

// titleInfo is what `ps4kit title info` prints.
type titleInfo struct {
	*artcache.Info

	Name  string            `json:"name"`            // in the language of the country
	Store *artcache.Product `json:"store,omitempty"` // with --country
}

func (t titleInfo) text() string {
	var others []string
	for _, n := range t.Names {
		if n.Text != t.Name && !slices.Contains(others, n.Text) {
			others = append(others, n.Text)
		}
	}
	var kinds []string
	level, from, store := strconv.Itoa(t.ParentalLevel), "", artcache.Product{}
	if t.FromStore {
		level, from = "", "PS Store; there is no metadata"
	}
	if t.Store != nil {
		store = *t.Store
	}
	for _, k := range store.ContentType {
		kinds = append(kinds, k.Name)
	}
	rows := [][]string{
		{"Name", t.Name}, {"Also", strings.Join(others, ", ")}, {"Title id", t.ID}, {"Content id", t.ContentID},
		{"Category", t.Category}, {"Console", t.Console}, {"Parental level", level},
		{"Background", t.Background}, {"Music", t.Music},
	}
	for _, icon := range t.Icons {
		rows = append(rows, []string{"Icon", icon.URL})
	}
	rows = append(rows, [][]string{
		{"From", from}, {"Store", store.Name}, {"Store id", store.ContentID}, {"Provider", store.Provider},
		{"Released", store.ReleaseDate}, {"Kind", strings.Join(kinds, ", ")},
	}...)
	return table(known(rows))
}

func newTitleUpdates(p *program) *cobra.Command {
	o := &titleOptions{}
	files := false
	cmd := o.onTitle(p, &cobra.Command{
		Use:   "updates TITLE_ID|NAME",
		Short: "Show the updates of a title",
		Long: `Shows the latest update of a title: version, size, and the system software it
needs. With --files it also lists the update's files, without downloading them.`,
		Example: examples("title updates CUSA00129", "title updates CUSA00129 --files"),
	}, "Looking for updates", func(ctx context.Context, c *titleCache, id string) (result, error) {
		all, err := c.Updates(ctx, id)
		if err != nil {
			return result{}, fmt.Errorf("updates of %s: %w", id, err)
		}
		u := titleUpdates{TitleID: id, Updates: append([]artcache.Update{}, all.Packages...)}
		if latest := all.Latest(); latest != nil {
			u.Latest = latest.Version
			if files {
				if u.Files, err = c.files(ctx, latest); err != nil {
					return result{}, fmt.Errorf("updates of %s: %w", id, err)
				}
			}
		}
		return result{value: u, text: u.text()}, nil
	})
	cmd.Flags().BoolVar(&files, "files", false, "list the files of the latest update, too")
	o.out.add(cmd, "the updates")
	return cmd
}

// titleUpdates is what `ps4kit title updates` prints.
type titleUpdates struct {
	TitleID string            `json:"title_id"`
	Latest  string            `json:"latest"` // version, "01.18"; empty if there is none
	Updates []artcache.Update `json:"updates"`
	Files   *updateFiles      `json:"files,omitempty"` // of the latest, with --files
}

type updateFiles struct {
	*artcache.PackageSet

	Delta  string           `json:"delta_url,omitempty"`
	PlayGo *artcache.PlayGo `json:"playgo,omitempty"` // nil if there is no manifest
}

// files follows the links of an update. Not every one has a PlayGo manifest.
func (c *titleCache) files(ctx context.Context, u *artcache.Update) (*updateFiles, error) {
	set, err := c.Packages(ctx, u.Manifest)
	if err != nil {
		return nil, err
	}
	playgo, err := c.PlayGo(ctx, u.Manifest)
	if errors.Is(err, artcache.ErrNotFound) {
		err = nil
	}
	return &updateFiles{set, u.Delta.URL, playgo}, err
}

func (u titleUpdates) text() string {
	rows := [][]string{{"VERSION", "SIZE", "NEEDS", "TYPE", "CONTENT ID"}}
	for _, p := range u.Updates {
		rows = append(rows, []string{p.Version, sizeOf(p.Size), p.RequiredSystem, p.Type, p.ContentID})
	}
	text := table(rows)
	if u.Files == nil {
		return text
	}
	text += "\n\n" + piecesText(u.Files.PackageSet)
	if u.Files.Delta != "" {
		text += "\n\nCumulative package: " + u.Files.Delta
	}
	if g := u.Files.PlayGo; g != nil {
		text += fmt.Sprintf("\n\nPlayGo: %d chunks, %d scenarios", len(g.Chunks), len(g.Scenarios))
	}
	return text
}

// piecesText lists the files of a package.
func piecesText(set *artcache.PackageSet) string {
	rows := [][]string{{"OFFSET", "SIZE", "FILE"}}
	for _, piece := range set.Pieces {
		rows = append(rows, []string{strconv.FormatInt(piece.Offset, 10), sizeOf(piece.Size), piece.URL})
	}
	return table(rows)
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

func newTitleArt(p *program) *cobra.Command {
	o := &titleOptions{}
	size := 0
	cmd := o.onTitle(p, &cobra.Command{
		Use:   "art TITLE_ID|NAME",
		Short: "Find or save the cover of a title",
		Long: `Finds the cover of a title: your own image, or that of the metadata or the PS
Store. It prints the size and source of the image; --out saves it.`,
		Example: examples("title art CUSA00129", "title art CUSA00129 --size 256 --out netflix.png"),
	}, "Looking for the cover", func(ctx context.Context, c *titleCache, id string) (result, error) {
		img, err := c.Cover(ctx, id, artcache.Size(size))
		if err != nil {
			return result{}, fmt.Errorf("cover of %s: %w", id, err)
		}
		a := titleArt{id, img.Type, img.Width, img.Height, len(img.Data), img.Origin, o.out.path}
		origin := map[artcache.Origin]string{
			artcache.OriginOwn: "your own image", artcache.OriginMetadata: "from the title metadata", artcache.OriginAccount: "from an imported list",
		}[a.Origin]
		text := fmt.Sprintf("%s  %d by %d pixels, %s, %s, %s",
			id, a.Width, a.Height, a.Type, sizeOf(int64(a.Bytes)), cmp.Or(origin, "from the PS Store"))
		if o.out.path != "" {
			if err := o.out.write(img.Data); err != nil {
				return result{}, err
			}
			text += "\nWrote " + o.out.path + "."
			o.out = outFile{} // the rest is printed
		}
		return result{value: a, text: text}, nil
	})
	o.addCountry(cmd)
	cmd.Flags().IntVar(&size, "size", 0, "longer side in `PIXELS`: 96, 256, or 0 for the original")
	o.out.add(cmd, "the image")
	return cmd
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

func newTitleAddons(p *program) *cobra.Command {
	o := &titleOptions{}
	cmd := o.verb(p, &cobra.Command{
		Use:   "addons ADDRESS",
		Short: "Show additional content by its address",
		Long: `Shows additional content by the address of any of its files (.json, .pkg or
.sha). The address contains a hash that cannot be derived from an id.`,
		Example: examples("title addons http://gs2.ww.prod.dl.playstation.net/gs2/acpkgo/…"),
		Args:    oneText("the address of a file of additional content"),
	}, "Looking the content up", func(ctx context.Context, c *titleCache, address string) (result, error) {
		a, err := c.Addon(ctx, address)
		if err != nil {
			return result{}, err
		}
		return result{value: a, text: table(known([][]string{
			{"Content id", a.ContentID}, {"Size", sizeOf(a.Size)}, {"Digest", a.Digest},
			{"Description", a.Description}, {"Package", a.Package}, {"Digest file", a.DigestFile},
		})) + "\n\n" + piecesText(&a.PackageSet)}, nil
	})
	o.out.add(cmd, "what is known")
	return cmd
}

func newTitleLists(p *program) *cobra.Command {
	o := &titleOptions{}
	regions := []string{"us", "eu"}
	cmd := o.verb(p, &cobra.Command{
		Use:   "lists",
		Short: "Show the system lists: services, titles, system software",
		Long: `Shows which services are allowed in a country, the system software that titles
need, and the latest system software of each region. If some lists are
unavailable, it shows the others.`,
		Example: examples("title lists", "title lists --country Japan --region jp"),
	}, "Fetching the lists", func(ctx context.Context, c *titleCache, _ string) (result, error) {
		services, servicesErr := c.ServiceList(ctx)
		launch, launchErr := c.LaunchList(ctx)
		lists, err := systemLists{services, launch, []artcache.SystemRegion{}}, cmp.Or(servicesErr, launchErr) // the first error
		for _, region := range regions {
			list, listErr := c.SystemUpdates(ctx, region)
			if listErr != nil {
				err = cmp.Or(err, fmt.Errorf("system software of %s: %w", region, listErr))
				continue
			}
			lists.System = append(lists.System, list.Regions...)
		}
		if lists.Services == nil && lists.Launch == nil && len(lists.System) == 0 {
			return result{}, err
		}
		return result{value: lists, text: lists.text(c.region.Country), err: orCause(ctx, err)}, nil
	})
	o.addCountry(cmd)
	cmd.Flags().StringSliceVar(&regions, "region", regions, "`REGION`s of system software, two letters each")
	o.out.add(cmd, "the lists")
	return cmd
}

// systemLists is what `ps4kit title lists` prints, without the lists that are
// unavailable.
type systemLists struct {
	Services *artcache.ServiceList   `json:"services,omitempty"`
	Launch   *artcache.LaunchList    `json:"launch,omitempty"`
	System   []artcache.SystemRegion `json:"system"` // in the order of --region
}

func (l systemLists) text(country string) string {
	services, launch, system := "The service list is unavailable.", "The title list is unavailable.", "The system software lists are unavailable."
	if l.Services != nil {
		rows := [][]string{{"SERVICE", "IN " + strings.ToUpper(country), "DEFAULT", "ALLOWED IN", "DENIED IN"}}
		for _, s := range l.Services.Services {
			here := "no"
			if s.Allowed(country) {
				here = "yes"
			}
			rows = append(rows, []string{s.Name, here, s.Default, countryCodes(s.Allow), countryCodes(s.Deny)})
		}
		services = table(rows)
	}
	if l.Launch != nil {
		launch = table([][]string{
			{"Titles need system software", l.Launch.MinSystemVersion},
			{"Titles that are blocked", strings.Join(l.Launch.BlackList, " ")},
		})
	}
	if len(l.System) > 0 {
		rows := [][]string{{"REGION", "SYSTEM SOFTWARE", "VERSION", "SIZE"}}
		for _, r := range l.System {
			size := ""
			if len(r.System.Images) > 0 {
				size = sizeOf(r.System.Images[0].Size)
			}
			rows = append(rows, []string{r.ID, r.System.Label, r.System.Version, size})
		}
		system = table(rows)
	}
	return services + "\n\n" + launch + "\n\n" + system
}

func countryCodes(list []artcache.Country) string {
	var codes []string
	for _, c := range list {
		codes = append(codes, c.Code)
	}
	return strings.Join(codes, " ")
}

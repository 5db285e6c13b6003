package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/web"
)

// titleCache is the cache that the title verbs look things up in. It needs no lock: a
// server may use the same one.
type titleCache struct {
	*artcache.Cache
	p            *program
	region       artcache.Region // of the store
	language     string          // of names: "en", "pt-BR"
	stopProgress func()          // before something is printed
}

// openTitles opens the cache for a country of the store, by name or code; empty: the
// configured one.
func (p *program) openTitles(country string) (*titleCache, error) {
	c, err := p.configuration()
	if err != nil {
		return nil, err
	}
	dir, err := p.stateDirectory()
	if err != nil {
		return nil, err
	}
	o := app.ArtOptions(c, dir)
	if !ours(o.Dir) {
		o.Dir = ""
	}
	if country != "" {
		region, err := artcache.FindRegion(country)
		if err != nil {
			return nil, fmt.Errorf("--country: %w", err)
		}
		o.Country, o.Language = region.Country, region.Language
	}
	o.Logf = p.logger(c).Debugf
	cache, err := artcache.Open(&o)
	if err != nil {
		return nil, err
	}
	region := artcache.Region{Country: o.Country, Language: strings.SplitN(o.Language, "-", 2)[0]}
	return &titleCache{Cache: cache, p: p, region: region, language: o.Language}, nil
}

// ours says whether a directory, or the one that it would be made in, belongs to this
// user. The cache of a server that runs as another user is left to it: it could not
// read, or not replace, what this process writes. The user's own cache is used then.
func ours(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if stat, ok := sysOf(info); err == nil && ok {
			return int(stat.Uid) == os.Geteuid()
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

func sysOf(info fs.FileInfo) (*syscall.Stat_t, bool) {
	if info == nil {
		return nil, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return stat, ok
}

// id finds a title by its id or by a name: of what was looked up before, or of the
// inputs of the consoles.
func (c *titleCache) id(ctx context.Context, title string) (string, error) {
	if id, err := artcache.ParseTitleID(strings.TrimSpace(title)); err == nil {
		return id, nil
	}
	found, err := c.Find(ctx, title)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		found = c.p.inputsNamed(ctx, title)
	}
	switch len(found) {
	case 0:
		return "", &web.Error{Code: "not_found", Message: "no title is known as " + title,
			Hint: "The sources cannot be searched: give its id, like CUSA00129."}
	case 1:
		return found[0].ID, nil
	}
	return "", &web.Error{Code: "ambiguous", Message: "several titles fit " + title + ": " + listed(found), Hint: "Give the title id."}
}

// maxListed is how many titles are named in an error.
const maxListed = 8

func listed(found []artcache.Title) string {
	var list []string
	for _, t := range found[:min(len(found), maxListed)] {
		list = append(list, t.Name+" ("+t.ID+")")
	}
	if more := len(found) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

// inputsNamed returns the inputs of every known console that have a name. That these
// cannot be had, because another command has the state, is no error.
func (p *program) inputsNamed(ctx context.Context, name string) []artcache.Title {
	b, _, done, err := p.owner(ctx, app.Override{})
	if err != nil {
		return nil
	}
	defer done()
	consoles, _ := b.Consoles(ctx)
	var found []artcache.Title
	for _, console := range consoles {
		inputs, _ := b.Titles(ctx, console.HostID)
		for _, in := range inputs {
			id, err := artcache.ParseTitleID(in.ID)
			named := strings.EqualFold(in.Name, name) || strings.EqualFold(in.Title, name)
			known := slices.ContainsFunc(found, func(t artcache.Title) bool { return t.ID == id })
			if err == nil && named && !known {
				found = append(found, artcache.Title{ID: id, Name: in.Name})
			}
		}
	}
	slices.SortFunc(found, func(a, b artcache.Title) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// completeLookedUp offers the names of titles that were looked up before.
func completeLookedUp(p *program) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cache, err := p.openTitles("")
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer func() { _ = cache.Close() }()
		titles, _ := cache.Titles(cmd.Context()) // nothing to offer then
		var names []cobra.Completion
		for _, t := range titles {
			names = append(names, cobra.CompletionWithDesc(t.Name, t.ID))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

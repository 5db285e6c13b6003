package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
)

func newTitle(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "title",
		Short: "Look up names, updates and cover art of any title",
		Long: `Looks titles up at Sony's servers, as the console does, and caches the answers
(art.dir). No console is needed.

A title is given by its id (CUSA00129), or by its name if it was looked up
before or is an input of a console: the servers have no search.

To list and edit the inputs of a console, use "ps4kit titles".`,
		Example: examples("title info CUSA00129", "title updates CUSA00129", "title art CUSA00129 --out netflix.png"),
	}
	cmd.AddCommand(newTitleInfo(p), newTitleUpdates(p), newTitleArt(p), newTitleAddons(p), newTitleLists(p))
	return cmd
}

// titleOptions are the flags of the verbs below `ps4kit title`.
type titleOptions struct {
	country string
	out     outFile
}

// verb makes cmd run with the cache and its argument, show progress meanwhile,
// and print the result or write it to --out.
func (o *titleOptions) verb(p *program, cmd *cobra.Command, waiting string,
	run func(ctx context.Context, c *titleCache, arg string) (result, error),
) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.out.force && o.out.path == "" {
			return usageError(errors.New("--force is for a FILE: give --out too"))
		}
		cache, err := p.openTitles(o.country)
		if err != nil {
			return err
		}
		defer func() { _ = cache.Close() }()
		stop := p.progress(waiting)
		r, err := run(cmd.Context(), cache, strings.Join(args, ""))
		stop()
		if err != nil {
			return orCause(cmd.Context(), err)
		}
		if o.out.path == "" {
			return p.print(r)
		}
		var text bytes.Buffer
		file := program{stdout: &text, output: p.output}
		_ = file.print(r) // fails only with r.err
		if err := o.out.write(text.Bytes()); err != nil {
			return err
		}
		return errors.Join(p.report(map[string]string{"file": o.out.path}, "Wrote %s.", o.out.path), r.err)
	}
	return cmd
}

// onTitle is verb for a command about one title, whose id run gets.
func (o *titleOptions) onTitle(p *program, cmd *cobra.Command, waiting string,
	run func(ctx context.Context, c *titleCache, id string) (result, error),
) *cobra.Command {
	cmd.Args, cmd.ValidArgsFunction = oneText("the id of a title"), completeLookedUp(p)
	return o.verb(p, cmd, waiting, func(ctx context.Context, c *titleCache, title string) (result, error) {
		id, err := c.id(ctx, title)
		if err != nil {
			return result{}, err
		}
		return run(ctx, c, id)
	})
}

// addCountry adds --country to a verb whose answer depends on it.
func (o *titleOptions) addCountry(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.country, "country", "", "country of the PS Store, `NAME` or code (default art.country)")
	var names []cobra.Completion
	for _, r := range artcache.Regions() {
		names = append(names, cobra.CompletionWithDesc(r.Name, r.Country))
	}
	_ = cmd.RegisterFlagCompletionFunc("country", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}

// titleCache is the cache that the title verbs use. It needs no lock: a server
// may use the same directory.
type titleCache struct {
	*artcache.Cache
	p        *program
	region   artcache.Region // of the store
	language string          // of names: "en", "pt-BR"
}

// openTitles opens the cache for a country of the store, by name or code; empty
// for the configured one.
func (p *program) openTitles(country string) (*titleCache, error) {
	c, err := p.configuration()
	if err != nil {
		return nil, err
	}
	dir, err := state.Find(p.stateDir)
	if err != nil {
		return nil, err
	}
	o := app.ArtOptions(c, dir)
	if !ownedByUser(o.Dir) {
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
	base, _, _ := strings.Cut(o.Language, "-")
	return &titleCache{cache, p, artcache.Region{Country: o.Country, Language: base}, o.Language}, nil
}

// ownedByUser reports whether a directory, or the one it would be created in,
// belongs to this user. A server that runs as another user could not read or
// replace what this process writes to its cache; the user's own is used then.
func ownedByUser(dir string) bool {
	for {
		if info, err := os.Stat(dir); err == nil {
			stat, ok := info.Sys().(*syscall.Stat_t)
			return ok && int(stat.Uid) == os.Geteuid()
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

// id finds a title by its id, or by the name of a title that was looked up
// before or of an input of a console.
func (c *titleCache) id(ctx context.Context, title string) (string, error) {
	if id, err := artcache.ParseTitleID(strings.TrimSpace(title)); err == nil {
		return id, nil
	}
	found, err := c.Find(title)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		found = c.p.inputsNamed(ctx, title)
	}
	var list []string
	for _, t := range found {
		list = append(list, t.Name+" ("+t.ID+")")
	}
	switch {
	case len(found) == 1:
		return found[0].ID, nil
	case len(found) == 0:
		return "", &api.Error{Code: "not_found", Message: "no title is known as " + title,
			Hint: "Give the title id, like CUSA00129: a title that was never looked up can't be found by name."}
	case len(list) > maxListed:
		list = append(list[:maxListed], fmt.Sprintf("and %d more", len(list)-maxListed))
	}
	return "", &api.Error{Code: "ambiguous", Message: "several titles match " + title + ": " + strings.Join(list, ", "), Hint: "Give the title id."}
}

// maxListed is how many titles an error names.
const maxListed = 8

// inputsNamed returns the inputs of all known consoles that have a name. It
// returns none if another command holds the state.
func (p *program) inputsNamed(ctx context.Context, name string) (found []artcache.Title) {
	ctx, client, _, release, err := new(consoleFlags).connect(ctx, p)
	if err != nil {
		return nil
	}
	defer release()
	consoles, _ := api.Consoles.Do(ctx, client, api.None{})
	for _, console := range consoles {
		inputs, _ := api.Titles.Do(ctx, client, api.HostRequest{Host: console.HostID})
		for _, in := range inputs {
			id, err := artcache.ParseTitleID(in.ID)
			if err == nil && (strings.EqualFold(in.Name, name) || strings.EqualFold(in.Title, name)) {
				found = append(found, artcache.Title{ID: id, Name: in.Name})
			}
		}
	}
	slices.SortFunc(found, func(a, b artcache.Title) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(found, func(a, b artcache.Title) bool { return a.ID == b.ID })
}

// completeLookedUp completes the names of titles that were looked up before.
func completeLookedUp(p *program) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cache, err := p.openTitles("")
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer func() { _ = cache.Close() }()
		titles, _ := cache.Titles()
		var names []cobra.Completion
		for _, t := range titles {
			names = append(names, cobra.CompletionWithDesc(t.Name, t.ID))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

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
		Args:    noArgs,
	}
	cmd.AddCommand(newTitleInfo(p), newTitleUpdates(p), newTitleArt(p), newTitleAddons(p), newTitleLists(p))
	return cmd
}

// titleOptions are the flags of the verbs below `ps4kit title`.
type titleOptions struct {
	country string
	out     outFile
}

// command completes cmd. A result is printed even when there is an error too.
func (o *titleOptions) command(p *program, cmd *cobra.Command, waiting string,
	run func(ctx context.Context, c *titleCache, args []string) (*result, error),
) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		if err := o.out.check(); err != nil {
			return err
		}
		cache, err := p.openTitles(o.country)
		if err != nil {
			return err
		}
		defer func() { _ = cache.Close() }()
		stop := p.progress(waiting)
		r, err := run(ctx, cache, args)
		stop()
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case r == nil:
			return err
		}
		return errors.Join(o.print(p, *r), err)
	}
	return cmd
}

// onTitle is command for a verb about one title.
func (o *titleOptions) onTitle(p *program, cmd *cobra.Command, waiting string,
	run func(ctx context.Context, c *titleCache, id string) (*result, error),
) *cobra.Command {
	cmd.Args, cmd.ValidArgsFunction = oneText("the id of a title"), completeLookedUp(p)
	return o.command(p, cmd, waiting, func(ctx context.Context, c *titleCache, args []string) (*result, error) {
		id, err := c.id(ctx, args[0])
		if err != nil {
			return nil, err
		}
		return run(ctx, c, id)
	})
}

// print prints a result, or writes it to --out.
func (o *titleOptions) print(p *program, r result) error {
	if o.out.path == "" {
		return p.print(r)
	}
	var text bytes.Buffer
	file := program{stdout: &text, output: p.output}
	if err := file.print(r); err != nil {
		return err
	}
	if err := o.out.write(text.Bytes()); err != nil {
		return err
	}
	return p.report(map[string]string{"file": o.out.path}, "Wrote %s.", o.out.path)
}

// addCountry adds --country to a verb whose answer depends on it.
func (o *titleOptions) addCountry(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.country, "country", "", "country of the PS Store, `NAME` or code (default art.country)")
	_ = cmd.RegisterFlagCompletionFunc("country", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []cobra.Completion
		for _, r := range artcache.Regions() {
			names = append(names, cobra.CompletionWithDesc(r.Name, r.Country))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

// about adds to an error what was looked up.
func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
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
	dir, err := p.stateDirectory()
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
	found, err := c.Find(ctx, title)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		found = c.p.inputsNamed(ctx, title)
	}
	switch len(found) {
	case 0:
		return "", &api.Error{Code: "not_found", Message: "no title is known as " + title,
			Hint: "Give the title id, like CUSA00129: a title that was never looked up can't be found by name."}
	case 1:
		return found[0].ID, nil
	}
	return "", &api.Error{Code: "ambiguous", Message: "several titles match " + title + ": " + listed(found), Hint: "Give the title id."}
}

// maxListed is how many titles an error names.
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

// inputsNamed returns the inputs of all known consoles that have a name. It
// returns none if another command holds the state.
func (p *program) inputsNamed(ctx context.Context, name string) (found []artcache.Title) {
	b, release, err := p.owner(ctx, app.Override{})
	if err != nil {
		return nil
	}
	defer release()
	consoles, _ := b.Consoles(ctx)
	for _, console := range consoles {
		inputs, _ := b.Titles(ctx, console.HostID)
		for _, in := range inputs {
			id, err := artcache.ParseTitleID(in.ID)
			known := slices.ContainsFunc(found, func(t artcache.Title) bool { return t.ID == id })
			if err == nil && !known && (strings.EqualFold(in.Name, name) || strings.EqualFold(in.Title, name)) {
				found = append(found, artcache.Title{ID: id, Name: in.Name})
			}
		}
	}
	slices.SortFunc(found, func(a, b artcache.Title) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// completeLookedUp completes the names of titles that were looked up before.
func completeLookedUp(p *program) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cache, err := p.openTitles("")
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer func() { _ = cache.Close() }()
		titles, _ := cache.Titles(cmd.Context())
		var names []cobra.Completion
		for _, t := range titles {
			names = append(names, cobra.CompletionWithDesc(t.Name, t.ID))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

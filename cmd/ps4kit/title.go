package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/web"
)

func newTitle(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "title",
		Short: "Names, updates and cover art of titles",
		Long: `Looks titles up where the console does, and keeps what it finds in a cache
(art.dir). No console is needed.

A title is named by its id (CUSA00129), or by its name if it was looked up before
or is an input of a console: the sources cannot be searched.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTitleInfo(p), newTitleUpdates(p), newTitleArt(p), newTitleAddons(p), newTitleLists(p))
	return cmd
}

// titleOptions are the flags of the verbs below `ps4kit title`.
type titleOptions struct {
	country string
	out     outFile
}

// command makes a verb that looks something up, and says what it waits for.
func (o *titleOptions) command(p *program, cmd *cobra.Command, waiting string, run func(context.Context, *titleCache, []string) error) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		if err := o.out.check(); err != nil {
			return err
		}
		cache, err := p.openTitles(o.country)
		if err != nil {
			return titleError(err)
		}
		defer func() { _ = cache.Close() }()
		stop := p.progress(waiting)
		defer stop()
		cache.stopProgress = stop
		err = run(ctx, cache, args)
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return titleError(err)
	}
	return cmd
}

// addCountry adds --country to a verb whose answer depends on it.
func (o *titleOptions) addCountry(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.country, "country", "", "`NAME` or code of the PS Store's country (default: art.country)")
	_ = cmd.RegisterFlagCompletionFunc("country", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []cobra.Completion
		for _, r := range artcache.Regions() {
			names = append(names, cobra.CompletionWithDesc(r.Name, r.Country))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

// result prints a result, as JSON or as people read it, or writes that to --out.
func (o *titleOptions) result(p *program, v any, text func(io.Writer) error) error {
	var made bytes.Buffer
	if p.json() {
		e := json.NewEncoder(&made)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return err
		}
	} else if err := text(&made); err != nil {
		return err
	}
	if o.out.path == "" {
		_, err := p.stdout.Write(made.Bytes())
		return err
	}
	if err := o.out.write(made.Bytes()); err != nil {
		return err
	}
	return p.report(map[string]string{"file": o.out.path}, "%s is written.", o.out.path)
}

// titleError gives errors of artcache the code and the hint that commands show.
func titleError(err error) error {
	if err == nil {
		return nil
	}
	message := strings.ReplaceAll(err.Error(), "artcache: ", "")
	for _, row := range []struct {
		is         error
		code, hint string
	}{
		{artcache.ErrNotFound, "not_found", "Check the id. What was not found is not asked for again for a day."},
		{artcache.ErrMalformed, "bad_answer", "The source answered, but not with what it should. It is not asked again for a day."},
		{artcache.ErrUnavailable, "unreachable", "Check the connection to the internet, and the addresses below art: in the configuration."},
		{artcache.ErrDisabled, "config", "Set art.enabled: true."},
	} {
		if errors.Is(err, row.is) {
			return &web.Error{Code: row.code, Message: message, Hint: row.hint}
		}
	}
	for _, usage := range []error{artcache.ErrTitleID, artcache.ErrAddress, artcache.ErrSize} {
		if errors.Is(err, usage) {
			return usageError{errors.New(message)}
		}
	}
	return err
}

// about says in an error what was looked for.
func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

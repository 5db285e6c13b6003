package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

func newTitlesAdd(p *program) *cobra.Command {
	o := &titlesOptions{}
	cmd := &cobra.Command{
		Use:   "add TITLE_ID [NAME]",
		Short: "Make an input for a title",
		Args:  textAndName("the id of a title"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := ps4.ParseTitleID(args[0])
			if err != nil {
				return usageError(err)
			}
			return o.edit(cmd.Context(), p, id, "added", func(ctx context.Context, b api.Backend, host string) error {
				return b.AddTitle(ctx, host, id, second(args))
			})
		},
	}
	o.console.add(cmd)
	return cmd
}

func newTitlesRename(p *program) *cobra.Command {
	o := &titlesOptions{}
	cmd := o.editor(p, "rename TITLE_ID|NAME [NEW_NAME]", "Name an input, or give its own name back")
	cmd.Args = textAndName("the id or the name of a title")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		name := second(args)
		return o.edit(cmd.Context(), p, args[0], "renamed", func(ctx context.Context, b api.Backend, host string) error {
			return b.RenameTitle(ctx, host, args[0], name)
		})
	}
	return cmd
}

func newTitlesHide(p *program) *cobra.Command {
	o := &titlesOptions{}
	cmd := o.editor(p, "hide TITLE_ID|NAME", "Hide an input in Home")
	cmd.Flags().BoolVar(&o.undo, "undo", false, "show it again")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return o.edit(cmd.Context(), p, args[0], o.either("hidden", "shown"), func(ctx context.Context, b api.Backend, host string) error {
			return b.HideTitle(ctx, host, args[0], !o.undo)
		})
	}
	return cmd
}

func newTitlesPin(p *program) *cobra.Command {
	o := &titlesOptions{}
	cmd := o.editor(p, "pin TITLE_ID|NAME", "Keep an input at the front")
	cmd.Flags().BoolVar(&o.undo, "undo", false, "let it move again")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return o.edit(cmd.Context(), p, args[0], o.either("pinned", "unpinned"), func(ctx context.Context, b api.Backend, host string) error {
			return b.PinTitle(ctx, host, args[0], !o.undo)
		})
	}
	return cmd
}

func newTitlesForget(p *program) *cobra.Command {
	o := &titlesOptions{}
	cmd := o.editor(p, "forget TITLE_ID|NAME", "Remove an input and what is known of it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return o.edit(cmd.Context(), p, args[0], "forgotten", func(ctx context.Context, b api.Backend, host string) error {
			return b.ForgetTitle(ctx, host, args[0])
		})
	}
	return cmd
}

// editor makes a verb that edits the input that its first argument names.
func (o *titlesOptions) editor(p *program, use, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use:               use,
		Short:             short,
		Args:              oneText("the id or the name of a title"),
		ValidArgsFunction: completeTitles(p, &o.console, anyInput),
	}
	o.console.add(cmd)
	return cmd
}

func (o *titlesOptions) either(did, undid string) string {
	if o.undo {
		return undid
	}
	return did
}

// edit changes an input and says what was done.
func (o *titlesOptions) edit(ctx context.Context, p *program, title, did string,
	do func(ctx context.Context, b api.Backend, host string) error,
) error {
	if err := p.onConsole(ctx, &o.console, "Editing the titles", do); err != nil {
		return err
	}
	return p.report(done{Done: did, Title: title}, "%s is %s.", title, did)
}

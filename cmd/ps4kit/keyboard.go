package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

func newKeyboard(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keyboard",
		Short: "Use the on-screen keyboard",
		Long: `Reads and writes the text of the on-screen keyboard that is open on the TV; open
one by choosing a text field there.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeyboardGet(p), newKeyboardSet(p), newKeyboardSubmit(p), newKeyboardClose(p))
	return cmd
}

// keyboardOptions are the flags of the verbs below `ps4kit keyboard`.
type keyboardOptions struct{ console consoleFlags }

func newKeyboardGet(p *program) *cobra.Command {
	o := &keyboardOptions{}
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Print the text",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.get(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *keyboardOptions) get(ctx context.Context, p *program) error {
	var k api.Keyboard
	err := p.onConsole(ctx, &o.console, "Reading the text", func(ctx context.Context, b api.Backend, host string) (err error) {
		k, err = b.Keyboard(ctx, host)
		return err
	})
	if err != nil {
		return err
	}
	return p.report(k, "%s", k.Text)
}

func newKeyboardSet(p *program) *cobra.Command {
	o := &keyboardOptions{}
	cmd := &cobra.Command{
		Use:   "set TEXT",
		Short: "Replace the text",
		Args:  oneText("the new text"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.change(cmd.Context(), p, done{Done: "text"}, "The text is set.",
				func(ctx context.Context, b api.Backend, host string) error { return b.SetText(ctx, host, args[0]) })
		},
	}
	o.console.add(cmd)
	return cmd
}

func newKeyboardSubmit(p *program) *cobra.Command {
	o := &keyboardOptions{}
	cmd := &cobra.Command{
		Use:   "submit [TEXT]",
		Short: "Confirm the text, or TEXT in its place",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var text *string
			if len(args) > 0 {
				text = &args[0]
			}
			return o.change(cmd.Context(), p, done{Done: "submit"}, "The text is submitted.",
				func(ctx context.Context, b api.Backend, host string) error { return b.Submit(ctx, host, text) })
		},
	}
	o.console.add(cmd)
	return cmd
}

func newKeyboardClose(p *program) *cobra.Command {
	o := &keyboardOptions{}
	cmd := &cobra.Command{
		Use:   "close",
		Short: "Close the keyboard without confirming",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.change(cmd.Context(), p, done{Done: "close"}, "The on-screen keyboard is closed.",
				func(ctx context.Context, b api.Backend, host string) error { return b.CloseKeyboard(ctx, host) })
		},
	}
	o.console.add(cmd)
	return cmd
}

// change does something that changes the keyboard, and says so.
func (o *keyboardOptions) change(ctx context.Context, p *program, result done, sentence string,
	do func(ctx context.Context, b api.Backend, host string) error,
) error {
	if err := p.onConsole(ctx, &o.console, "Using the on-screen keyboard", do); err != nil {
		return err
	}
	return p.report(result, "%s", sentence)
}

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
	}
	const waiting = "Using the on-screen keyboard"
	cmd.AddCommand(
		newKeyboardGet(p),
		new(consoleFlags).command(p, &cobra.Command{
			Use:   "set TEXT",
			Short: "Replace the text",
			Args:  oneText("the new text"),
		}, waiting, func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
			return done{Done: "text", text: "The text is set."}, b.SetText(ctx, host, args[0])
		}),
		new(consoleFlags).command(p, &cobra.Command{
			Use:   "submit [TEXT]",
			Short: "Confirm the text, or TEXT in its place",
			Args:  cobra.MaximumNArgs(1),
		}, waiting, func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
			var text *string
			if len(args) > 0 {
				text = &args[0]
			}
			return done{Done: "submit", text: "The text is submitted."}, b.Submit(ctx, host, text)
		}),
		new(consoleFlags).command(p, &cobra.Command{
			Use:   "close",
			Short: "Close the keyboard without confirming",
			Args:  noArgs,
		}, waiting, func(ctx context.Context, b api.Backend, host string, _ []string) (done, error) {
			return done{Done: "close", text: "The on-screen keyboard is closed."}, b.CloseKeyboard(ctx, host)
		}),
	)
	return cmd
}

func newKeyboardGet(p *program) *cobra.Command {
	f := &consoleFlags{}
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Print the text",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			k, err := query(cmd.Context(), p, f, "Reading the text", api.Backend.Keyboard)
			if err != nil {
				return err
			}
			return p.report(k, "%s", k.Text)
		},
	}
	f.add(cmd)
	return cmd
}

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/app"
)

func newWeb(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "web",
		Short: "The password of the web page",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newWebPassword(p))
	return cmd
}

// webPasswordOptions are the flags of `ps4kit web password`.
type webPasswordOptions struct{ renew bool }

func newWebPassword(p *program) *cobra.Command {
	o := &webPasswordOptions{}
	cmd := &cobra.Command{
		Use:   "password",
		Short: "Show the first password of the web page, or make a new one",
		Long: `Shows the first password of the web page, until it is changed there. With --new it
makes a new one, which is the way in when the password is lost; everybody who is
signed in has to sign in again.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	cmd.Flags().BoolVar(&o.renew, "new", false, "make a new password")
	return cmd
}

func (o *webPasswordOptions) run(ctx context.Context, p *program) error {
	b, _, done, err := p.owner(ctx, app.Override{})
	if err != nil {
		return err
	}
	defer done()
	ask := b.WebPassword
	if o.renew {
		ask = b.RenewWebPassword
	}
	password, err := ask(ctx)
	if err != nil {
		return err
	}
	if p.json() {
		return p.printJSON(password)
	}
	_, err = fmt.Fprintln(p.stdout, password.Password)
	return err
}

package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

func newWeb(p *program) *cobra.Command {
	renew := false
	password := &cobra.Command{
		Use:   "password",
		Short: "Show the first password of the web page, or make a new one",
		Long: `Shows the first password of the web page, until it is changed there. With --new it
makes a new one, for when the password is lost; everyone who is signed in has to sign
in again.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			shown, err := query(cmd.Context(), p, &consoleFlags{}, "Asking for the password",
				func(b api.Backend, ctx context.Context, _ string) (api.Password, error) {
					if renew {
						return b.RenewWebPassword(ctx)
					}
					return b.WebPassword(ctx)
				})
			if err != nil {
				return err
			}
			return p.report(shown, "%s", shown.Password)
		},
	}
	password.Flags().BoolVar(&renew, "new", false, "make a new password")
	cmd := &cobra.Command{Use: "web", Short: "The password of the web page", Args: noArgs}
	cmd.AddCommand(password)
	return cmd
}

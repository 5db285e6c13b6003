package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// addDevice is the menu of the console that shows the PIN (docs/protocol.md §7).
const addDevice = "Settings > Mobile App Connection Settings > Add Device"

// linkOptions are the flags of `ps4kit link`.
type linkOptions struct {
	console consoleFlags
	pin     string
}

func newLink(p *program) *cobra.Command {
	o := &linkOptions{}
	cmd := &cobra.Command{
		Use:   "link [--pin PIN]",
		Short: "Link this program with a console",
		Long: `Links this program with a console, once for each console and PSN user. On the
console choose

  ` + addDevice + `

and enter the 8 digits that it shows, with or without spaces. Without --pin the
command asks for them on a terminal, or reads them from the standard input.

The console must be on, and a credential must be stored: ps4kit credential. A
--passcode is stored with the credential.`,
		Example: examples("link", "link --name Den --pin '1234 5678'"),
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	cmd.Flags().StringVar(&o.pin, "pin", "", "the `PIN` that the console shows, 8 digits")
	return cmd
}

// linkResult is the result of `ps4kit link -o json`.
type linkResult struct {
	Linked bool   `json:"linked"`
	HostID string `json:"host_id"`
	Name   string `json:"name"`
}

func (o *linkOptions) run(ctx context.Context, p *program) error {
	if o.pin != "" {
		if _, err := ps4.ParsePIN(o.pin); err != nil {
			return asUsage(err)
		}
	}
	ownUser := o.console.credential != ""
	passcode := ""
	if !ownUser { // the flags name the stored user, and the passcode is stored, too
		var err error
		if passcode, err = o.console.takePasscode(); err != nil {
			return err
		}
	}
	ctx, b, host, release, err := o.console.connect(ctx, p)
	if err != nil {
		return err
	}
	defer release()
	c, err := o.check(ctx, p, b, host, !ownUser)
	if err == nil {
		err = o.linkWith(ctx, p, b, c, passcode)
	}
	if err != nil {
		return orCause(ctx, err)
	}
	return p.report(linkResult{true, c.HostID, c.Name}, "This program is linked with %s.", cmp.Or(c.Name, c.HostID))
}

// check makes sure that the console can show a PIN, and that a credential is
// stored, before it asks the user for the PIN.
func (o *linkOptions) check(ctx context.Context, p *program, b api.Backend, host string, storedUser bool) (api.Console, error) {
	defer p.progress("Asking the console")()
	c, err := answering(ctx, b, host)
	switch {
	case err != nil:
		return c, err
	case c.HostType == ps4.TypePS5:
		return c, ps4.ErrUnsupported
	case c.State == api.StateStandby:
		return c, &api.Error{Code: "standby", Message: cmp.Or(c.Name, c.HostID) + " is in rest mode",
			Hint: "Turn it on, choose " + addDevice + ", and try again."}
	case o.asks(p) && storedUser:
		_, err = b.Credential(ctx, c.HostID)
	}
	return c, err
}

// asks reports whether the user types the PIN on a terminal.
func (o *linkOptions) asks(p *program) bool { return o.pin == "" && isTerminal(p.stdin) }

// linkWith links with the console after storing the passcode, if there is one. A
// passcode that the console refuses is not kept.
func (o *linkOptions) linkWith(ctx context.Context, p *program, b api.Backend, c api.Console, passcode string) error {
	if passcode == "" {
		return o.link(ctx, p, b, c)
	}
	before, err := b.Credential(ctx, c.HostID)
	if err != nil {
		return err
	}
	if err := b.SetCredential(ctx, c.HostID, api.User{Credential: before.Credential, Passcode: passcode}); err != nil {
		return err
	}
	err = o.link(ctx, p, b, c)
	if codeOf(err) == "passcode_wrong" {
		_ = b.SetCredential(ctx, c.HostID, before) // the refusal matters more
	}
	return err
}

// maxPINs is how many PINs a user may try: the console keeps showing the same one.
const maxPINs = 3

func (o *linkOptions) link(ctx context.Context, p *program, b api.Backend, c api.Console) error {
	for try := 1; ; try++ {
		pin, err := o.readPIN(ctx, p, cmp.Or(c.Name, c.HostID))
		if err == nil {
			stop := p.progress("Linking")
			err = b.Link(ctx, c.HostID, pin.Reveal())
			stop()
		}
		code := codeOf(err)
		if !o.asks(p) || try == maxPINs || code != "bad_pin" && code != "pin_wrong" {
			return linkError(err)
		}
		_, _ = fmt.Fprintln(p.stderr, app.Explain(err).Message)
	}
}

func (o *linkOptions) readPIN(ctx context.Context, p *program, name string) (ps4.PIN, error) {
	text := o.pin
	if text == "" {
		var err error
		text, err = p.ask(ctx, fmt.Sprintf("On %s choose\n\n  %s\n\nPIN (8 digits): ", name, addDevice))
		if errors.Is(err, errNoInput) {
			err = usageError(fmt.Errorf("%w: give the PIN with --pin, or on the standard input", errNoInput))
		}
		if err != nil {
			return ps4.PIN{}, err
		}
	}
	pin, err := ps4.ParsePIN(text)
	return pin, asUsage(err)
}

// linkError adds the flag or verb that helps to an error of the console.
func linkError(err error) error {
	if err == nil {
		return nil
	}
	e := app.Explain(err)
	switch e.Code {
	case "passcode_needed", "passcode_wrong":
		e.Hint = "Give the 4 digits with which the user signs in on the TV: ps4kit link --passcode DIGITS."
	case "no_such_account", "authentication":
		e.Hint = "Sign in on the console once as the PSN user of the credential, or get another one: ps4kit credential --help."
	default:
		return err
	}
	return e
}

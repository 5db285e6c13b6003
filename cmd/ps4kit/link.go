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

// Menus of the console that show the PIN (docs/protocol.md §7 and §11).
const (
	addDevice     = "Settings > Mobile App Connection Settings > Add Device"
	addRemotePlay = "Settings > Remote Play Connection Settings > Add Device" // PS4
	linkDevice    = "Settings > System > Remote Play > Link Device"           // PS5
)

// linkOptions are the flags of `ps4kit link`.
type linkOptions struct {
	console  consoleFlags
	request  api.LinkRequest
	passcode string // to store
}

// menu returns the menu that shows the PIN for linking with c.
func (o *linkOptions) menu(c api.Console) string {
	switch {
	case c.HostType == ps4.TypePS5:
		return linkDevice
	case o.remotePlay(c):
		return addRemotePlay
	}
	return addDevice
}

// remotePlay reports whether the link with c is for Remote Play.
func (o *linkOptions) remotePlay(c api.Console) bool {
	return o.request.RemotePlay || c.Protocol == api.ProtocolRemotePlay
}

func newLink(p *program) *cobra.Command {
	o := &linkOptions{}
	cmd := p.verb(&cobra.Command{
		Use:   "link [--pin PIN]",
		Short: "Link this program with a console",
		Long: `Links this program with a console, once for each console and PSN user. On the
console choose

  ` + addDevice + `

and enter the 8 digits that it shows, with or without spaces. Without --pin the
command asks for them on a terminal, or reads them from the standard input.

The console must be on, and a credential must be stored: ps4kit credential. A
--passcode is stored with the credential.

A PS5 is linked for Remote Play, with the PIN of

  ` + linkDevice + `

and a PS4 too with --remote-play, with the PIN of

  ` + addRemotePlay + `

This needs the id of a PSN account that is signed in on the console: the stored
one, or --account-id.`,
		Example: examples("link", "link --name Den --pin '1234 5678'", "link --name PS5 --account-id 1234567890123456789"),
		PreRunE: func(*cobra.Command, []string) error { return o.check() },
	}, &o.console, "", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		c, err := o.prepare(ctx, p, client, host)
		if err == nil {
			err = o.linkWith(ctx, p, client, c)
		}
		return result{value: linkResult{true, c.HostID, c.Name}, text: "This program is linked with " + cmp.Or(c.Name, c.HostID) + "."}, err
	})
	o.console.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.request.PIN, "pin", "", "the `PIN` that the console shows, 8 digits")
	f.BoolVar(&o.request.RemotePlay, "remote-play", false, "link a PS4 for Remote Play")
	f.StringVar(&o.request.AccountID, "account-id", "", "PSN account `ID` for Remote Play, decimal or base64")
	return cmd
}

// linkResult is the result of `ps4kit link -o json`.
type linkResult struct {
	Linked bool   `json:"linked"`
	HostID string `json:"host_id"`
	Name   string `json:"name"`
}

// check checks the flags.
func (o *linkOptions) check() (err error) {
	if o.request.PIN != "" {
		_, err = ps4.ParsePIN(o.request.PIN)
	}
	if err == nil && o.request.AccountID != "" {
		err = ps4.CheckTypedAccountID(o.request.AccountID)
	}
	if err == nil && o.console.credential == "" { // the passcode is that of the stored user, and stored too
		o.passcode, err = o.console.takePasscode()
	}
	return asUsage(err)
}

// prepare makes sure that the console can show a PIN, and that a credential or,
// for Remote Play, an account id is known before it asks the user for the PIN.
func (o *linkOptions) prepare(ctx context.Context, p *program, client *api.Client, host string) (api.Console, error) {
	stop := p.progress("Asking the console")
	defer stop()
	c, err := answering(ctx, client, host)
	switch {
	case err != nil:
		return c, err
	case c.State == api.StateStandby:
		return c, &api.Error{Code: "standby", Message: cmp.Or(c.Name, c.HostID) + " is in rest mode",
			Hint: "Turn it on, choose " + o.menu(c) + ", and try again."}
	case !o.asks(p):
		return c, nil // the server knows what is missing
	case o.remotePlay(c):
		if o.request.AccountID != "" {
			return c, nil
		}
		user, err := api.Credential.Do(ctx, client, api.HostRequest{Host: c.HostID})
		if err == nil && user.AccountID == "" || codeOf(err) == "no_credential" {
			stop()
			o.request.AccountID, err = p.askAccount(ctx)
		}
		return c, err
	case o.console.credential == "":
		_, err = api.Credential.Do(ctx, client, api.HostRequest{Host: c.HostID})
	}
	return c, err
}

// asks reports whether the user types the PIN on a terminal.
func (o *linkOptions) asks(p *program) bool { return o.request.PIN == "" && isTerminal(p.stdin) }

// linkWith links with the console after storing the passcode, if there is one. A
// passcode that the console refuses is not kept.
func (o *linkOptions) linkWith(ctx context.Context, p *program, client *api.Client, c api.Console) error {
	if o.passcode == "" {
		return o.link(ctx, p, client, c)
	}
	before, err := api.Credential.Do(ctx, client, api.HostRequest{Host: c.HostID})
	if codeOf(err) == "no_credential" && o.remotePlay(c) && o.request.AccountID != "" {
		before, err = userOf(o.request.AccountID)
	}
	if err != nil {
		return err
	}
	user := before
	user.Passcode = o.passcode
	if err := api.SetCredential.Do(ctx, client, api.CredentialRequest{Host: c.HostID, User: user}); err != nil {
		return err
	}
	err = o.link(ctx, p, client, c)
	if codeOf(err) == "passcode_wrong" {
		_ = api.SetCredential.Do(ctx, client, api.CredentialRequest{Host: c.HostID, User: before}) // the refusal matters more
	}
	return err
}

// maxPINs is how many PINs a user may try: the console keeps showing the same one.
const maxPINs = 3

func (o *linkOptions) link(ctx context.Context, p *program, client *api.Client, c api.Console) error {
	for try := 1; ; try++ {
		pin, err := o.readPIN(ctx, p, c)
		if err == nil {
			stop := p.progress("Linking")
			request := o.request
			request.Host, request.PIN = c.HostID, pin.Reveal()
			err = api.Link.Do(ctx, client, request)
			stop()
		}
		code := codeOf(err)
		if !o.asks(p) || try == maxPINs || code != "bad_pin" && code != "pin_wrong" {
			return linkError(err, o.remotePlay(c))
		}
		_, _ = fmt.Fprintln(p.stderr, app.Explain(err).Message)
	}
}

func (o *linkOptions) readPIN(ctx context.Context, p *program, c api.Console) (ps4.PIN, error) {
	text := o.request.PIN
	if text == "" {
		var err error
		text, err = p.ask(ctx, fmt.Sprintf("On %s choose\n\n  %s\n\nPIN (8 digits): ", cmp.Or(c.Name, c.HostID), o.menu(c)))
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
func linkError(err error, remotePlay bool) error {
	if err == nil {
		return nil
	}
	e := app.Explain(err)
	switch e.Code {
	case "passcode_needed", "passcode_wrong":
		e.Hint = "Give the 4 digits with which the user signs in on the TV: ps4kit link --passcode DIGITS."
	case "account_needed":
		e.Hint = "Sign in to PSN with an account that is signed in on the console, too: ps4kit credential --psn."
	case "no_such_account", "authentication":
		if remotePlay {
			return err // it needs an account, not a credential
		}
		e.Hint = "Sign in on the console once as the PSN user of the credential, or get another one: ps4kit credential --help."
	default:
		return err
	}
	return e
}

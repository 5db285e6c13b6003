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

and enter the 8 digits that it shows; blanks between them do not matter. Without
--pin they are asked for on a terminal, or read from the standard input.

The console must be on, and a credential stored: ps4kit credential. A --passcode is
stored with the credential.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	cmd.Flags().StringVar(&o.pin, "pin", "", "the `PIN` that the console shows, 8 digits")
	return cmd
}

func (o *linkOptions) run(ctx context.Context, p *program) error {
	if o.pin != "" {
		if _, err := ps4.ParsePIN(o.pin); err != nil {
			return asUsage(err)
		}
	}
	passcode := ""
	if o.console.credential == "" { // else both are for this command only
		var err error
		if passcode, err = o.console.takePasscode(); err != nil {
			return err
		}
	}
	ctx, b, host, done, err := o.console.connect(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	l := &linking{p: p, b: b, pin: o.pin, ownUser: o.console.credential != ""}
	if err := l.meet(ctx, host); err != nil {
		return orCause(ctx, err)
	}
	if err := l.withPasscode(ctx, passcode); err != nil {
		return orCause(ctx, err)
	}
	return p.report(linkResult{true, l.console.HostID, l.console.Name}, "This program is linked with %s.", l.name())
}

// orCause prefers why the context ended to what that led to.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// linkResult is the result of `ps4kit link -o json`.
type linkResult struct {
	Linked bool   `json:"linked"`
	HostID string `json:"host_id"`
	Name   string `json:"name"`
}

// linking is one run of `ps4kit link`.
type linking struct {
	p       *program
	b       api.Backend
	pin     string // empty: asked for
	ownUser bool   // --credentials names the user
	console api.Console
}

func (l *linking) name() string { return cmp.Or(l.console.Name, l.console.HostID) }

// meet makes sure that the console can show a PIN, before a person is sent to it.
func (l *linking) meet(ctx context.Context, host string) error {
	defer l.p.progress("Asking the console")()
	var err error
	if l.console, err = l.b.Status(ctx, host); err != nil {
		return err
	}
	switch {
	case l.console.State == api.StateUnreachable:
		return notAnswering(l.console)
	case l.console.HostType == ps4.TypePS5:
		return ps4.ErrUnsupported
	case l.console.State == api.StateStandby:
		return &api.Error{Code: "standby", Message: l.name() + " is in rest mode",
			Hint: "Turn it on, choose " + addDevice + ", and try again."}
	case l.asks() && !l.ownUser:
		_, err = l.b.Credential(ctx, l.console.HostID)
	}
	return err
}

// asks says whether a person enters the PIN at a terminal.
func (l *linking) asks() bool { return l.pin == "" && isTerminal(l.p.stdin) }

// withPasscode stores the passcode, which every login needs from now on; one that the
// console refuses is not kept.
func (l *linking) withPasscode(ctx context.Context, passcode string) error {
	if passcode == "" {
		return l.link(ctx)
	}
	before, err := l.b.Credential(ctx, l.console.HostID)
	if err != nil {
		return err
	}
	with := api.User{Credential: before.Credential, Passcode: passcode}
	if err := l.b.SetCredential(ctx, l.console.HostID, with); err != nil {
		return err
	}
	err = l.link(ctx)
	if codeOf(err) == "passcode_wrong" {
		_ = l.b.SetCredential(ctx, l.console.HostID, before) // the refusal matters more
	}
	return err
}

// maxPINs is how often a person may enter a PIN: the console goes on showing it.
const maxPINs = 3

func (l *linking) link(ctx context.Context) error {
	for try := 1; ; try++ {
		pin, err := l.readPIN(ctx)
		if err == nil {
			err = l.once(ctx, pin)
		}
		code := codeOf(err)
		if !l.asks() || try == maxPINs || (code != "bad_pin" && code != "pin_wrong") {
			return l.advise(err)
		}
		e := app.Explain(err)
		_, _ = fmt.Fprintln(l.p.stderr, e.Message)
	}
}

func (l *linking) once(ctx context.Context, pin ps4.PIN) error {
	defer l.p.progress("Linking")()
	return l.b.Link(ctx, l.console.HostID, pin.Reveal())
}

func (l *linking) readPIN(ctx context.Context) (ps4.PIN, error) {
	text := l.pin
	if text == "" {
		var err error
		text, err = l.p.ask(ctx, fmt.Sprintf("On %s choose\n\n  %s\n\nPIN (8 digits): ", l.name(), addDevice))
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

// advise adds which flag or command helps to what the console said.
func (l *linking) advise(err error) error {
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

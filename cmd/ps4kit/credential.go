package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// credentialOptions are the flags of `ps4kit credential`.
type credentialOptions struct {
	console    consoleFlags
	accountID  string
	psn        bool
	capture    bool
	importFile string
	user       string
	show       bool

	chosen []string // the flags among ways that were given
}

// ways are the flags that say where the credential comes from.
var ways = [...]string{"account-id", "psn", "capture", "import", "credentials"}

func newCredential(p *program) *cobra.Command {
	o := &credentialOptions{}
	cmd := &cobra.Command{
		Use:   "credential [--account-id ID | --psn | --capture | --import FILE]",
		Short: "Get the PSN credential and store it",
		Long: `Gets the credential by which a console knows a PSN user, and stores it: for every
console, or for the one that --ip-address, --host-id or --name says. Without a
way to get one it says whether one is stored, or asks on a terminal.

  --account-id ID   computes it from the account id, decimal or base64; no network
  --psn             signs in to PSN with any browser
  --capture         plays a console for the PS4 Second Screen app on a phone; needs
                    UDP port 987: CAP_NET_BIND_SERVICE, or root
  --import FILE     takes it from a file of ps4-waker, playactor, pyps4-2ndscreen or
                    pyremoteplay, or one of 64 hex digits; - is the standard input

The credential is a secret, and is shown with --show only. Link the console next:
ps4kit link.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, way := range ways {
				if cmd.Flags().Changed(way) {
					o.chosen = append(o.chosen, way)
				}
			}
			return o.run(cmd.Context(), p)
		},
	}
	o.console.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.accountID, "account-id", "", "PSN account `ID`, decimal or base64")
	f.BoolVar(&o.psn, "psn", false, "sign in to PSN with a browser")
	f.BoolVar(&o.capture, "capture", false, "take it from the PS4 Second Screen app")
	f.StringVar(&o.importFile, "import", "", "take it from the `FILE` of another program")
	f.StringVar(&o.user, "user", "", "with --import: `NAME` of the user, when the file has several")
	f.BoolVar(&o.show, "show", false, "print the credential, a secret")
	return cmd
}

func (o *credentialOptions) check() error {
	if len(o.chosen) > 1 {
		return usageError(fmt.Errorf("give only one of --%s", strings.Join(o.chosen, " and --")))
	}
	if o.user != "" && o.way() != "import" {
		return usageError(errors.New("--user chooses among the users of --import FILE"))
	}
	return nil
}

// way is the flag that says where the credential comes from; empty: none does.
func (o *credentialOptions) way() string {
	if len(o.chosen) == 0 {
		return ""
	}
	return o.chosen[0]
}

// run opens the phone app's port and the state before it gets the credential, so that
// it fails early.
func (o *credentialOptions) run(ctx context.Context, p *program) error {
	if err := o.check(); err != nil {
		return err
	}
	passcode, err := o.console.takePasscode()
	if err != nil {
		return err
	}
	get, err := o.getter(p)
	if err != nil {
		return err
	}
	var app *phoneApp
	if o.way() == "capture" {
		if app, err = o.listenForPhone(ctx, p); err != nil {
			return err
		}
		defer app.close()
		get = app.credential
	}
	ctx, b, host, done, err := o.console.connect(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	if get == nil {
		return o.withoutWay(ctx, p, b, host, passcode)
	}
	return o.store(ctx, p, b, host, get, passcode)
}

// getter is how the credential is got; nil for --capture, and when no flag says.
type getter func(ctx context.Context) (ps4.Credential, error)

func (o *credentialOptions) getter(p *program) (getter, error) {
	switch o.way() {
	case "account-id":
		credential, err := ps4.CredentialFromAccountID(o.accountID)
		return given(credential), asUsage(err)
	case "credentials":
		credential, err := readCredential(o.console.credential)
		o.console.credential = "" // to be stored, not to be used instead of the stored one
		return given(credential), asUsage(err)
	case "import":
		credential, err := o.imported(p)
		return given(credential), asUsage(err)
	case "psn":
		return p.psnSignIn, nil
	}
	return nil, nil
}

func given(credential ps4.Credential) getter {
	return func(context.Context) (ps4.Credential, error) { return credential, nil }
}

// asUsage gives an error the exit code of a wrong command line; it keeps its own hint.
func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return exitError{err, exitUsage}
}

// takePasscode returns the passcode, to be stored, and takes the flag away from
// connect, which would use it for this command only.
func (f *consoleFlags) takePasscode() (string, error) {
	text := f.passcode
	f.passcode = ""
	if text == "" {
		return "", nil
	}
	passcode, err := ps4.ParsePasscode(text)
	return passcode.Reveal(), asUsage(err)
}

func (o *credentialOptions) store(ctx context.Context, p *program, b api.Backend, host string, get getter, passcode string) error {
	credential, err := get(ctx)
	if err != nil {
		return err
	}
	user := api.User{Credential: credential.Reveal(), Passcode: passcode}
	if err := b.SetCredential(ctx, host, user); err != nil {
		return err
	}
	return o.report(p, host, user, "is stored")
}

// withoutWay says whether a credential is stored; when there is none it asks a person
// for what is needed.
func (o *credentialOptions) withoutWay(ctx context.Context, p *program, b api.Backend, host, passcode string) error {
	user, owner, err := storedUser(ctx, b, host)
	switch {
	case err == nil && passcode == "":
		return o.report(p, owner, user, "is stored")
	case err == nil:
		user.Passcode = passcode
		if err := b.SetCredential(ctx, owner, user); err != nil {
			return err
		}
		return o.report(p, owner, user, "is stored, with the passcode")
	case codeOf(err) != "no_credential":
		return err
	case isTerminal(p.stdin):
		return o.store(ctx, p, b, host, p.askAccount, passcode)
	}
	return &api.Error{Code: "no_credential", Message: "no credential is stored",
		Hint: "Get one with --account-id ID, --psn, --capture or --import FILE: ps4kit credential --help."}
}

// storedUser returns the user of a console. Without a host it is the one for every
// console, or else that of the only console there is.
func storedUser(ctx context.Context, b api.Backend, host string) (user api.User, owner string, err error) {
	user, err = b.Credential(ctx, host)
	if host != "" || codeOf(err) != "no_credential" {
		return user, host, err
	}
	list, listErr := b.Consoles(ctx)
	if listErr != nil || len(list) != 1 {
		return user, host, err
	}
	user, err = b.Credential(ctx, list[0].HostID)
	return user, list[0].HostID, err
}

// codeOf returns the code of an error, or "" for nil.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return app.Explain(err).Code
}

// credentialResult is the result of `ps4kit credential -o json`.
type credentialResult struct {
	Stored     bool   `json:"stored"`
	Source     string `json:"source,omitempty"` // the flag that it came from
	Console    string `json:"console"`          // as it was named; empty: every one without its own
	Passcode   bool   `json:"passcode"`         // whether one is stored
	Credential string `json:"credential,omitempty"`
}

// report keeps the secret to itself unless it was asked for. Then it is alone on
// stdout, so that a file of it is good for --credentials.
func (o *credentialOptions) report(p *program, console string, user api.User, what string) error {
	if p.json() {
		r := credentialResult{Stored: true, Source: o.way(), Console: console, Passcode: user.Passcode != ""}
		if o.show {
			r.Credential = user.Credential
		}
		return p.printJSON(r)
	}
	out, whose := p.stdout, "for every console that has none of its own"
	if console != "" {
		whose = "for " + console
	}
	if o.show {
		if _, err := fmt.Fprintln(p.stdout, user.Credential); err != nil {
			return err
		}
		out = p.stderr
	}
	_, err := fmt.Fprintf(out, "The credential %s, %s.\nLink the console next, if it is not: ps4kit link\n", what, whose)
	return err
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/phone"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// credentialOptions are the flags of `ps4kit credential`.
type credentialOptions struct {
	console    consoleFlags
	way        string // the flag that says how to get the credential; "" if none does
	accountID  string
	importFile string
	userName   string
	show       bool

	// What the flags give before the state is opened.
	user          api.User
	passcode      string
	registrations []remoteplay.Registration
	listen        netip.AddrPort // where the phone app searches
	limit         time.Duration  // for the phone app
}

func newCredential(p *program) *cobra.Command {
	o := &credentialOptions{}
	cmd := p.verb(&cobra.Command{
		Use:   "credential",
		Short: "Get the PSN credential and store it",
		Long: `Gets the credential that identifies a PSN user to a console, and stores it for
every console, or for the one that you name with --ip-address, --host-id or
--name. Without one of these flags it tells whether a credential is stored, or
asks on a terminal.

  --psn             sign in to PSN with any browser. Start here: it finds your
                    account id, too
  --account-id ID   compute it from the account id, without network. Remote Play
                    tools show the id (chiaki, pyremoteplay). It has 18 or 19
                    digits, and is neither the online id nor a phone number
  --capture         play a console for the PS4 Second Screen app on a phone, if
                    the console refuses the other two (needs UDP port 987:
                    CAP_NET_BIND_SERVICE, or root)
  --import FILE     take it from a file of ps4-waker, playactor, pyps4-2ndscreen
                    or pyremoteplay, Home Assistant's core.config_entries, or a
                    file with 64 hex digits; - is the standard input.
                    Registrations for Remote Play in it link their consoles,
                    or only the one that you name

The credential is a secret: only --show prints it. Next, link the console with
ps4kit link.`,
		Example: examples("credential --psn", "credential --account-id 9019256736915509894", "credential --import ~/.ps4-wake.credentials.json"),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			var given []string
			for _, way := range []string{"account-id", "psn", "capture", "import", "credentials"} {
				if cmd.Flags().Changed(way) {
					given = append(given, way)
				}
			}
			if len(given) > 1 {
				return usageError(fmt.Errorf("give only one of --%s", strings.Join(given, " and --")))
			}
			o.way = strings.Join(given, "")
			return o.prepare(p)
		},
	}, &o.console, "", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		return o.run(ctx, p, client, host)
	})
	o.console.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.accountID, "account-id", "", "PSN account `ID`, decimal or base64")
	f.Bool("psn", false, "sign in to PSN with a browser")
	f.Bool("capture", false, "take it from the PS4 Second Screen app")
	f.StringVar(&o.importFile, "import", "", "take it from the `FILE` of another program")
	f.StringVar(&o.userName, "user", "", "`NAME` of the user, if the file of --import has several")
	f.BoolVar(&o.show, "show", false, "print the credential, a secret")
	return cmd
}

// prepare checks the flags and reads the file, so that it fails early.
func (o *credentialOptions) prepare(p *program) (err error) {
	if o.userName != "" && o.way != "import" {
		return usageError(errors.New("--user chooses among the users of --import FILE"))
	}
	if o.passcode, err = o.console.takePasscode(); err != nil {
		return err
	}
	switch o.way {
	case "account-id":
		if err = ps4.CheckTypedAccountID(o.accountID); err == nil {
			o.user, err = userOf(o.accountID)
		}
	case "credentials":
		var credential ps4.Credential
		credential, err = readCredential(o.console.credential)
		o.user.Credential = credential.Reveal()
		o.console.credential = "" // connect would use it for this command only
	case "import":
		o.user, o.registrations, err = o.imported(p)
	case "capture": // --port, --bind and --timeout apply to the phone app, not to the console
		network := &o.console.network
		address := netip.IPv4Unspecified()
		if network.Bind.IsValid() {
			address = network.Bind
		}
		o.listen = netip.AddrPortFrom(address, cmp.Or(network.LocalPort, ps4.DefaultPort))
		o.limit = cmp.Or(o.console.timeout, phone.Limit)
		network.LocalPort, network.Bind, o.console.timeout = 0, netip.Addr{}, 0
	}
	return asUsage(err)
}

func (o *credentialOptions) run(ctx context.Context, p *program, client *api.Client, host string) (result, error) {
	user, account, what := o.user, "", "is stored"
	var err error
	switch o.way {
	case "psn":
		account, err = p.psnSignIn(ctx)
	case "capture":
		user, err = o.capture(ctx, p)
	case "":
		var owner string
		user, owner, err = storedUser(ctx, client, host)
		switch {
		case err == nil && o.passcode == "":
			return o.stored(owner, user, what, nil), nil
		case err == nil:
			host, what = owner, "is stored, with the passcode"
		case codeOf(err) == "no_credential" && isTerminal(p.stdin):
			account, err = p.askAccount(ctx)
		case codeOf(err) == "no_credential":
			err = &api.Error{Code: "no_credential", Message: "no credential is stored",
				Hint: "Run ps4kit credential --psn to sign in to PSN; ps4kit credential --help has other ways."}
		}
	}
	if err == nil && account != "" {
		user, err = userOf(account)
	}
	if err != nil {
		return result{}, err
	}
	user.Passcode = o.passcode
	if err := api.SetCredential.Do(ctx, client, api.CredentialRequest{Host: host, User: user}); err != nil {
		return result{}, err
	}
	linked, err := linkImported(ctx, client, host, o.registrations)
	r := o.stored(host, user, what, linked)
	r.err = err
	return r, nil
}

// linkImported links the consoles of the registrations in a file, or only host,
// and returns their host ids. One that fails doesn't affect the others.
// linkImported returns the first error.
func linkImported(ctx context.Context, client *api.Client, host string, registrations []remoteplay.Registration) (linked []string, first error) {
	if host != "" && len(registrations) > 0 {
		c, err := api.Status.Do(ctx, client, api.HostRequest{Host: host})
		if err != nil {
			return nil, err
		}
		host = c.HostID
	}
	for _, r := range registrations {
		s := r.Reveal()
		if host != "" && !strings.EqualFold(host, s.HostID) {
			continue
		}
		request := api.RegistrationRequest{
			Host: s.HostID, HostID: s.HostID, HostType: s.HostType, Nickname: s.Nickname,
			RegistKey: s.RegistKey, RPKey: s.RPKey, KeyType: s.KeyType,
		}
		if s.AccountID != 0 {
			request.AccountID = strconv.FormatUint(s.AccountID, 10)
		}
		err := api.SetRegistration.Do(ctx, client, request)
		if err == nil {
			linked = append(linked, s.HostID)
			continue
		}
		e := app.Explain(err)
		e.Message = fmt.Sprintf("%s (%s) is not linked: %s", cmp.Or(s.Nickname, s.HostID), s.HostID, e.Message)
		if e.Code == "not_found" || e.Code == "unreachable" {
			e.Hint = "Turn it on and import the file again, with --ip-address if a search does not find it."
		}
		first = cmp.Or(first, error(e))
	}
	return linked, first
}

// userOf returns the user of a PSN account.
func userOf(accountID string) (api.User, error) {
	credential, err := ps4.CredentialFromAccountID(accountID)
	if err != nil {
		return api.User{}, err
	}
	return api.User{Credential: credential.Reveal(), AccountID: accountID}, nil
}

// storedUser returns the user of a console. Without a host it returns the one for
// every console, or else that of the only console there is.
func storedUser(ctx context.Context, client *api.Client, host string) (user api.User, owner string, err error) {
	user, err = api.Credential.Do(ctx, client, api.HostRequest{Host: host})
	if host != "" || codeOf(err) != "no_credential" {
		return user, host, err
	}
	list, listErr := api.Consoles.Do(ctx, client, api.None{})
	if listErr != nil || len(list) != 1 {
		return user, host, err
	}
	user, err = api.Credential.Do(ctx, client, api.HostRequest{Host: list[0].HostID})
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
	Stored     bool     `json:"stored"`
	Source     string   `json:"source,omitempty"` // the flag that it came from
	Console    string   `json:"console"`          // as it was named; empty: every one without its own
	Passcode   bool     `json:"passcode"`         // whether one is stored
	Credential string   `json:"credential,omitempty"`
	RemotePlay []string `json:"remote_play,omitempty"` // host ids of consoles that a file linked
}

// stored returns the result without the secret, unless --show asks for it. Then
// stdout has nothing else, so that it can be written to a file for --credentials.
func (o *credentialOptions) stored(console string, user api.User, what string, linked []string) result {
	next, whose := "Link the console next, if it is not: ps4kit link", "for every console that has none of its own"
	if linked != nil {
		next = "Linked for Remote Play: " + strings.Join(linked, ", ")
	}
	if console != "" {
		whose = "for " + console
	}
	text := fmt.Sprintf("The credential %s, %s.\n%s", what, whose, next)
	value := credentialResult{Stored: true, Source: o.way, Console: console, Passcode: user.Passcode != "", RemotePlay: linked}
	if !o.show {
		return result{value: value, text: text}
	}
	value.Credential = user.Credential
	return result{value: value, text: user.Credential, note: text}
}

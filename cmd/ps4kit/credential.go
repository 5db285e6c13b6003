package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

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
	user       string
	show       bool
}

func newCredential(p *program) *cobra.Command {
	o := &credentialOptions{}
	cmd := &cobra.Command{
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
                    Registrations for Remote Play in it link their consoles

The credential is a secret: only --show prints it. Next, link the console with
ps4kit link.`,
		Example: examples("credential --psn", "credential --account-id 9019256736915509894", "credential --import ~/.ps4-wake.credentials.json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			return o.run(cmd.Context(), p)
		},
	}
	o.console.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.accountID, "account-id", "", "PSN account `ID`, decimal or base64")
	f.Bool("psn", false, "sign in to PSN with a browser")
	f.Bool("capture", false, "take it from the PS4 Second Screen app")
	f.StringVar(&o.importFile, "import", "", "take it from the `FILE` of another program")
	f.StringVar(&o.user, "user", "", "`NAME` of the user, if the file of --import has several")
	f.BoolVar(&o.show, "show", false, "print the credential, a secret")
	return cmd
}

// run checks the flags and opens the phone app's port and the state before it
// gets the credential, so that it fails early.
func (o *credentialOptions) run(ctx context.Context, p *program) error {
	if o.user != "" && o.way != "import" {
		return usageError(errors.New("--user chooses among the users of --import FILE"))
	}
	passcode, err := o.console.takePasscode()
	if err != nil {
		return err
	}
	var user api.User
	var account string
	var registrations []remoteplay.Registration
	var conn net.PacketConn
	limit := cmp.Or(o.console.timeout, phone.Limit)
	switch o.way {
	case "account-id":
		account, err = o.accountID, ps4.CheckTypedAccountID(o.accountID)
	case "credentials":
		var credential ps4.Credential
		credential, err = readCredential(o.console.credential)
		user.Credential = credential.Reveal()
		o.console.credential = "" // connect would use it for this command only
	case "import":
		user, registrations, err = o.imported(p)
	case "capture":
		if conn, err = o.listenForPhone(ctx); err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
	}
	if err != nil {
		return asUsage(err)
	}
	ctx, client, host, release, err := o.console.connect(ctx, p)
	if err != nil {
		return err
	}
	defer release()
	what := "is stored"
	switch o.way {
	case "psn":
		account, err = p.psnSignIn(ctx)
	case "capture":
		var credential ps4.Credential
		credential, err = p.capture(ctx, conn, limit)
		user.Credential = credential.Reveal()
	case "":
		var owner string
		user, owner, err = storedUser(ctx, client, host)
		switch {
		case err == nil && passcode == "":
			return o.report(p, owner, user, what, nil)
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
		return err
	}
	user.Passcode = passcode
	if err := api.SetCredential.Do(ctx, client, api.CredentialRequest{Host: host, User: user}); err != nil {
		return err
	}
	linked, err := linkImported(ctx, client, host, registrations)
	return cmp.Or(o.report(p, host, user, what, linked), err)
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

// listenForPhone opens the port on which the phone app searches for consoles.
// The flags --port, --bind and --timeout apply to it instead of the console.
func (o *credentialOptions) listenForPhone(ctx context.Context) (net.PacketConn, error) {
	network := &o.console.network
	addr := netip.AddrPortFrom(netip.IPv4Unspecified(), cmp.Or(network.LocalPort, ps4.DefaultPort))
	if network.Bind.IsValid() {
		addr = netip.AddrPortFrom(network.Bind, addr.Port())
	}
	network.LocalPort, network.Bind, o.console.timeout = 0, netip.Addr{}, 0
	return phone.Listen(ctx, addr)
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

// report prints the result without the secret, unless --show asks for it. Then
// stdout has nothing else, so that it can be written to a file for --credentials.
func (o *credentialOptions) report(p *program, console string, user api.User, what string, linked []string) error {
	next := "Link the console next, if it is not: ps4kit link"
	if linked != nil {
		next = "Linked for Remote Play: " + strings.Join(linked, ", ")
	}
	shown := ""
	if o.show {
		shown = user.Credential
	}
	if p.json() {
		return writeJSON(p.stdout, credentialResult{true, o.way, console, user.Passcode != "", shown, linked})
	}
	out, whose := p.stdout, "for every console that has none of its own"
	if console != "" {
		whose = "for " + console
	}
	if o.show {
		if _, err := fmt.Fprintln(p.stdout, shown); err != nil {
			return err
		}
		out = p.stderr
	}
	_, err := fmt.Fprintf(out, "The credential %s, %s.\n%s\n", what, whose, next)
	return err
}

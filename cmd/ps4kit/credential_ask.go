package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/phone"
	"github.com/ps4kit/ps4kit/ps4"
)

// askAccount asks for the account id, or signs in to PSN.
func (p *program) askAccount(ctx context.Context) (ps4.Credential, error) {
	id, err := p.ask(ctx, "PSN account id (decimal or base64), or Enter to sign in with a browser: ")
	switch {
	case err != nil:
		return ps4.Credential{}, err
	case id == "":
		return p.psnSignIn(ctx)
	}
	credential, err := ps4.CredentialFromAccountID(id)
	return credential, asUsage(err)
}

const psnSteps = `Open this address in any browser and sign in to PSN:

%s

The last page is blank or "not found". Copy its address from the address bar and
paste it here within a minute or two.
`

// psnSignIn has the user sign in with a browser, and asks for the address of the
// last page.
func (p *program) psnSignIn(ctx context.Context) (ps4.Credential, error) {
	c, err := p.configuration()
	if err != nil {
		return ps4.Credential{}, err
	}
	psn := &ps4.PSN{BaseURL: c.PSN.AuthURL}
	_, _ = fmt.Fprintf(p.stderr, psnSteps, psn.AuthorizeURL())
	address, err := p.ask(ctx, "\nAddress: ")
	if err != nil {
		return ps4.Credential{}, err
	}
	defer p.progress("Asking PSN")()
	return psn.SignIn(ctx, address)
}

const captureSteps = `On a phone in this network open the PS4 Second Screen app, sign in as the PSN user,
and choose "ps4kit" in its list of consoles.
`

// capture waits for the phone app to send its credential.
func (p *program) capture(ctx context.Context, conn net.PacketConn, limit time.Duration) (ps4.Credential, error) {
	c, err := p.configuration()
	if err != nil {
		return ps4.Credential{}, err
	}
	if !p.json() {
		_, _ = fmt.Fprint(p.stderr, captureSteps)
	}
	defer p.progress("Waiting for the phone app")()
	return phone.Credential(ctx, conn, limit, p.logger(c).Debugf)
}

// imported returns the credential of the chosen user in the file of another
// program, or of the only one. In a file of playactor, each console has an entry.
func (o *credentialOptions) imported(p *program) (ps4.Credential, error) {
	in, err := p.open(o.importFile)
	if err != nil {
		return ps4.Credential{}, err
	}
	defer func() { _ = in.Close() }()
	users, err := ps4.ImportCredentials(in)
	if err != nil {
		return ps4.Credential{}, err
	}
	different := map[ps4.Credential]bool{}
	var names []string
	for _, u := range users {
		wanted := strings.EqualFold(u.Name, o.user) || o.user == "" && strings.EqualFold(u.Name, o.console.hostID)
		if wanted && u.Name != "" {
			return u.Credential, nil
		}
		different[u.Credential] = true
		names = append(names, fmt.Sprintf("%q", u.Name))
	}
	list := strings.Join(names, ", ")
	switch {
	case o.user != "":
		return ps4.Credential{}, &api.Error{Code: "not_found", Message: fmt.Sprintf("the file has no user %q", o.user), Hint: "Choose one of " + list + "."}
	case len(different) > 1:
		return ps4.Credential{}, &api.Error{Code: "ambiguous", Message: "the file has several users: " + list, Hint: "Choose one with --user NAME."}
	}
	return users[0].Credential, nil
}

// open opens a file, or stdin for "-".
func (p *program) open(file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(p.stdin), nil
	}
	return os.Open(file)
}

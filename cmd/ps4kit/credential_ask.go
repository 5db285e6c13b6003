package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/phone"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// askAccount has the user sign in to PSN, or asks for the account id.
func (p *program) askAccount(ctx context.Context) (string, error) {
	id, err := p.ask(ctx, "Press Enter to sign in to PSN with a browser, or type your account id: ")
	switch {
	case err != nil:
		return "", err
	case id == "":
		return p.psnSignIn(ctx)
	}
	return id, asUsage(ps4.CheckTypedAccountID(id))
}

const psnSteps = `Open this address in any browser and sign in to PSN:

%s

The last page is blank or "not found". Copy its address from the address bar and
paste it here within a minute or two.
`

// psnSignIn has the user sign in with a browser, and asks for the address of the
// last page. It returns the account id.
func (p *program) psnSignIn(ctx context.Context) (string, error) {
	c, err := p.configuration()
	if err != nil {
		return "", err
	}
	psn := &ps4.PSN{BaseURL: c.PSN.AuthURL}
	_, _ = fmt.Fprintf(p.stderr, psnSteps, psn.AuthorizeURL())
	address, err := p.ask(ctx, "\nAddress: ")
	if err != nil {
		return "", err
	}
	defer p.progress("Asking PSN")()
	return psn.Account(ctx, address)
}

const captureSteps = `On a phone in this network open the PS4 Second Screen app, sign in as the PSN user,
and choose "ps4kit" in its list of consoles.
`

// capture waits for the phone app to send the credential of its user.
func (o *credentialOptions) capture(ctx context.Context, p *program) (api.User, error) {
	c, err := p.configuration()
	if err != nil {
		return api.User{}, err
	}
	conn, err := phone.Listen(ctx, o.listen)
	if err != nil {
		return api.User{}, err
	}
	defer func() { _ = conn.Close() }()
	if !p.json() {
		_, _ = fmt.Fprint(p.stderr, captureSteps)
	}
	defer p.progress("Waiting for the phone app")()
	credential, err := phone.Credential(ctx, conn, o.limit, p.logger(c).Debugf)
	return api.User{Credential: credential.Reveal()}, err
}

// imported returns the chosen user in the file of another program, or the only
// one, and the user's registrations for Remote Play. In a file of playactor, each
// console has an entry.
func (o *credentialOptions) imported(p *program) (api.User, []remoteplay.Registration, error) {
	file, err := p.read(o.importFile, maxImport)
	if err != nil {
		return api.User{}, nil, err
	}
	credential, err := o.importedCredential(file)
	if err != nil {
		return api.User{}, nil, err
	}
	user := api.User{Credential: credential.Reveal()}
	all, _ := remoteplay.ImportRegistrations(bytes.NewReader(file)) // most files have none
	var registrations []remoteplay.Registration
	for _, r := range all {
		id := strconv.FormatUint(r.AccountID, 10)
		if owner, err := userOf(id); err == nil && owner.Credential == user.Credential {
			user.AccountID = id
			registrations = append(registrations, r)
		}
	}
	return user, registrations, nil
}

func (o *credentialOptions) importedCredential(file []byte) (ps4.Credential, error) {
	users, err := ps4.ImportCredentials(bytes.NewReader(file))
	if err != nil {
		return ps4.Credential{}, err
	}
	different := map[ps4.Credential]bool{}
	var names []string
	for _, u := range users {
		wanted := strings.EqualFold(u.Name, o.userName) || o.userName == "" && strings.EqualFold(u.Name, o.console.hostID)
		if wanted && u.Name != "" {
			return u.Credential, nil
		}
		different[u.Credential] = true
		names = append(names, fmt.Sprintf("%q", u.Name))
	}
	list := strings.Join(names, ", ")
	switch {
	case o.userName != "":
		return ps4.Credential{}, &api.Error{Code: "not_found", Message: fmt.Sprintf("the file has no user %q", o.userName), Hint: "Choose one of " + list + "."}
	case len(different) > 1:
		return ps4.Credential{}, &api.Error{Code: "ambiguous", Message: "the file has several users: " + list, Hint: "Choose one with --user NAME."}
	}
	return users[0].Credential, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// maxLine is what a person may paste, in bytes.
const maxLine = 8 << 10

var errNoInput = errors.New("nothing was entered")

// ask reads one line of stdin; a person at a terminal is shown the question. When ctx
// ends first the goroutine that reads stays behind and ends with the program: nothing
// can interrupt the read of a terminal.
func (p *program) ask(ctx context.Context, question string) (string, error) {
	if isTerminal(p.stdin) {
		_, _ = fmt.Fprint(p.stderr, question)
	}
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := readLine(p.stdin)
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, asUsage(a.err)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// readLine reads byte by byte, since what follows the line is for the next question.
func readLine(r io.Reader) (string, error) {
	var line []byte
	buf := make([]byte, 1)
	for len(line) <= maxLine {
		n, err := r.Read(buf)
		if n == 1 && buf[0] != '\n' {
			line = append(line, buf[0])
			continue
		}
		text := strings.TrimSpace(string(line))
		switch {
		case n == 1 || err == io.EOF && text != "":
			return text, nil
		case err == io.EOF:
			return "", errNoInput
		case err != nil:
			return "", fmt.Errorf("reading the standard input: %w", err)
		}
	}
	return "", fmt.Errorf("a line of more than %d bytes", maxLine)
}

// askAccount leads a person to a credential who did not say how to get one.
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

The page where that ends is blank or "not found". Copy its address from the address
bar and paste it here within a minute or two.
`

// psnSignIn asks a person to sign in with a browser, and takes the address where that
// ended.
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
	credential, err := psn.SignIn(ctx, address)
	switch {
	case errors.Is(err, ps4.ErrPSNUnreachable):
		err = exitError{err, exitUnreachable}
	case errors.Is(err, ps4.ErrSignIn):
		err = exitError{err, exitCredential}
	}
	return credential, err
}

// imported takes the credential of one user from the file of another program.
func (o *credentialOptions) imported(p *program) (ps4.Credential, error) {
	in := p.stdin
	if o.importFile != "-" {
		file, err := os.Open(o.importFile)
		if err != nil {
			return ps4.Credential{}, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	users, err := ps4.ImportCredentials(in)
	if err != nil {
		return ps4.Credential{}, err
	}
	return o.choose(users)
}

// choose takes the user that was asked for, or the only one there is. A file of
// playactor has one entry for each console.
func (o *credentialOptions) choose(users []ps4.Imported) (ps4.Credential, error) {
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
	switch {
	case o.user != "":
		return ps4.Credential{}, &api.Error{Code: "not_found",
			Message: fmt.Sprintf("the file has no user %q", o.user), Hint: "It has: " + strings.Join(names, ", ")}
	case len(different) > 1:
		return ps4.Credential{}, &api.Error{Code: "ambiguous",
			Message: "the file has several users: " + strings.Join(names, ", "), Hint: "Choose one with --user NAME."}
	}
	return users[0].Credential, nil
}

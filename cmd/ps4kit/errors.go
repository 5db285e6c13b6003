package main

import (
	"errors"
	"fmt"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// Exit codes; scripts rely on them (docs/cli.md).
const (
	exitDone        = 0
	exitRefused     = 1 // the console said no; for status: rest mode
	exitUnreachable = 2
	exitUsage       = 3 // usage or configuration
	exitCredential  = 4 // credential or link missing or refused
)

// exitCodes are the exit codes of error codes; the others exit with
// exitRefused.
var exitCodes = map[string]int{
	"unreachable": exitUnreachable, "no_network": exitUnreachable, "other_console": exitUnreachable, "psn_unreachable": exitUnreachable,
	"psn_busy": exitUnreachable, "psn_answer": exitUnreachable,

	"usage": exitUsage, "bad_address": exitUsage, "config": exitUsage, "ambiguous": exitUsage, "not_found": exitUsage, "bad_name": exitUsage,
	"port_rights": exitUsage, "port_taken": exitUsage, "exists": exitUsage,

	"no_credential": exitCredential, "not_accepted": exitCredential, "no_such_account": exitCredential, "authentication": exitCredential,
	"not_linked": exitCredential, "pin_needed": exitCredential, "pin_wrong": exitCredential, "account_needed": exitCredential,
	"sign_in": exitCredential, "passcode_needed": exitCredential, "passcode_wrong": exitCredential,
}

const passcodeHint = "Store the 4 digits with which the user signs in on the TV: ps4kit credential --passcode DIGITS."

// verbHints replace hints of the library, which cannot name verbs.
var verbHints = map[error]string{
	ps4.ErrNoCredential:   "Get one: ps4kit credential --psn.",
	ps4.ErrPSNUnreachable: "Check this machine's connection to the internet, or give the account id: ps4kit credential --account-id ID.",
	ps4.ErrPINNeeded:      "Link with the console: ps4kit link.",
	ps4.ErrNotLinked:      "Link with the console again: ps4kit link.",
	ps4.ErrPasscodeNeeded: passcodeHint,
	ps4.ErrPasscodeWrong:  passcodeHint,
}

// exitCode returns the exit code of an error.
func exitCode(e *api.Error) int {
	if errors.Is(e, artcache.ErrNotFound) {
		return exitRefused // the name is good, but a source has nothing for it
	}
	if code, ok := exitCodes[e.Code]; ok {
		return code
	}
	return exitRefused
}

// usageError returns err as an error of the command line.
func usageError(err error) error {
	e := api.AsError(err)
	e.Code = "usage"
	return e
}

// asUsage gives an error the exit code of a wrong command line. Unlike usageError
// it keeps the error's code.
func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return exitError{err, exitUsage}
}

// exitError is an error with an exit code of its own. If the error is nil the
// output has explained the code already.
type exitError struct {
	error
	code int
}

func (e exitError) Error() string {
	if e.error == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.error.Error()
}

func (e exitError) Unwrap() error { return e.error }

// finish prints the error of a command and returns the exit code.
func (p *program) finish(err error) int {
	if err == nil {
		return exitDone
	}
	own, chosen := errors.AsType[exitError](err)
	if chosen && own.error == nil {
		return own.code
	}
	e := app.Explain(err)
	code := exitCode(e)
	if chosen {
		code = own.code
	} else if code == exitRefused && p.path == "ps4kit status" { // means rest mode there
		code = exitUnreachable
	}
	if e.Code == "usage" && e.Hint == "" {
		e.Hint = "See " + p.path + " --help."
	}
	for known, hint := range verbHints {
		if k := api.AsError(known); e.Code == k.Code && e.Hint == k.Hint {
			e.Hint = hint
			break
		}
	}
	if p.json() {
		_ = writeJSON(p.stderr, map[string]*api.Error{"error": e})
		return code
	}
	p.say("ps4kit: " + e.Message)
	if e.Hint != "" {
		p.say("  " + e.Hint)
	}
	return code
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
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

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError is an error with an exit code of its own. Without an error it is that
// code alone: the output has said why.
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
	var own exitError
	chosen := errors.As(err, &own)
	if chosen && own.error == nil {
		return own.code
	}
	code, e := explain(err)
	if chosen {
		code = own.code
	}
	if e.Code == "usage" && e.Hint == "" {
		e.Hint = "See " + p.verb + " --help."
	}
	if p.json() {
		_ = writeJSON(p.stderr, map[string]*api.Error{"error": e})
		return code
	}
	_, _ = fmt.Fprintf(p.stderr, "ps4kit: %s\n", e.Message)
	if e.Hint != "" && !strings.Contains(e.Message, e.Hint) {
		_, _ = fmt.Fprintf(p.stderr, "  %s\n", e.Hint)
	}
	return code
}

// coded is what the errors of ps4 offer beside their sentence.
type coded interface {
	error
	Code() string // for programs: "pin_needed"
	Hint() string // what the user can do
}

// explain is the one table from errors to exit codes and to what a program and a
// person are told.
func explain(err error) (exit int, e *api.Error) {
	e = &api.Error{Code: "failed", Message: err.Error()}
	var (
		usage    usageError
		answered *api.Error
		known    coded
		invalid  *config.Error
		result   ps4.ResultError
	)
	switch {
	case errors.As(err, &usage):
		e.Code = "usage"
	case errors.As(err, &answered):
		*e = *answered
	case errors.As(err, &known):
		e.Code, e.Hint = known.Code(), known.Hint()
		if errors.As(err, &result) {
			e.Result = uint32(result)
		}
	case errors.As(err, &invalid):
		e.Code = "config"
	case errors.Is(err, state.ErrLocked):
		e.Code = "locked"
	case errors.Is(err, fs.ErrPermission):
		e.Code = "permission"
	}
	e.Message = withoutPackages(e.Message)
	return exitOf(e.Code), e
}

// withoutPackages leaves out which package says so, which is of no use to a person. A
// path that ends in the name of one stays as it is.
func withoutPackages(message string) string {
	return strings.TrimPrefix(strings.NewReplacer(": ps4: ", ": ", ": state: ", ": ").Replace(": "+message), ": ")
}

// exitOf groups the codes of errors; whatever is not named is a refusal.
func exitOf(code string) int {
	switch code {
	case "unreachable", "no_network", "other_console":
		return exitUnreachable
	case "usage", "config", "ambiguous", "port_rights", "port_taken", "bad_name":
		return exitUsage
	case "no_credential", "pin_needed", "pin_wrong", "not_linked", "no_such_account",
		"passcode_needed", "passcode_wrong", "authentication":
		return exitCredential
	}
	return exitRefused
}

// isTerminal says whether a stream is a terminal that a person looks at.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

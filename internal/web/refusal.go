package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Codes of errors that have a status of their own; every other one is 422.
const (
	codeNotFound  = "not_found" // no such console or title
	codeAmbiguous = "ambiguous"
	codeBad       = "bad_request"
	codeMediaType = "bad_media_type"
	codeMethod    = "bad_method"
	codeNoRoute   = "unknown_request"
	codeTooLarge  = "too_large"
	codeBusy      = "busy"
	codeStranger  = "not_signed_in" // on the page; ps4 calls a refused sign-in to PSN sign_in
	codeForbidden = "forbidden"
	codeHost      = "unknown_host"
	codeTooMany   = "too_many_tries"
	codePaired    = "paired" // an accessory, so that it has no setup code
)

func statusOf(code string) int {
	switch code {
	case codeNotFound, codeNoRoute, codePaired:
		return http.StatusNotFound
	case codeAmbiguous:
		return http.StatusConflict
	case codeBad:
		return http.StatusBadRequest
	case codeMediaType:
		return http.StatusUnsupportedMediaType
	case codeMethod:
		return http.StatusMethodNotAllowed
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeBusy:
		return http.StatusServiceUnavailable
	case codeStranger:
		return http.StatusUnauthorized
	case codeForbidden:
		return http.StatusForbidden
	case codeHost:
		return http.StatusMisdirectedRequest
	case codeTooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}

// refuse writes an error in the form of docs/cli.md.
func refuse(w http.ResponseWriter, err error) {
	e := AsError(err)
	if late, ok := errors.AsType[*tooManyError](err); ok {
		late.header(w)
	}
	if e.Code == codeStranger {
		w.Header().Set("WWW-Authenticate", "Bearer") // no browser asks for a name and a password then
	}
	writeJSON(w, statusOf(e.Code), errorBody{&e})
}

// coded is what an error that is not an *Error may tell of itself.
type coded interface {
	error
	Code() string // for programs: "pin_needed"
	Hint() string // what the user can do
}

// numbered is an error with the number that the console gave.
type numbered interface {
	error
	Result() uint32
}

// AsError keeps the whole sentence of an error, without the names of packages, and the
// code, number and hint of whatever it wraps.
func AsError(err error) Error {
	e := Error{Code: "failed", Message: strings.NewReplacer("ps4: ", "", "state: ", "").Replace(err.Error())}
	var (
		inner  *Error
		known  coded
		number numbered
	)
	switch {
	case errors.As(err, &inner):
		e.Code, e.Result, e.Hint = inner.Code, inner.Result, inner.Hint
	case errors.As(err, &known):
		e.Code, e.Hint = known.Code(), known.Hint()
		if errors.As(err, &number) {
			e.Result = number.Result()
		}
	}
	return e
}

func errBadRequest(message string) error {
	return &Error{Code: codeBad, Message: message}
}

func errTooLarge() error {
	return &Error{Code: codeTooLarge, Message: "the request is longer than 64 kB"}
}

func errNoRoute() error {
	return &Error{Code: codeNoRoute, Message: "the server knows no such request",
		Hint: "If ps4kit was updated, restart the running server."}
}

func wrongMethod(allowed []string) http.Handler {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		refuse(w, &Error{Code: codeMethod, Message: "this takes the methods " + allow + " only"})
	})
}

package api

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is the one form of every error that leaves this program: a code for
// programs, the number that the console answered with if it did, a sentence,
// and a hint.
type Error struct {
	Code    string `json:"code" doc:"for programs"`
	Result  uint32 `json:"result,omitempty" doc:"number that the console answered with"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty" doc:"what to do"`

	Err        error         `json:"-"` // cause, for errors.Is; never sent
	RetryAfter time.Duration `json:"-"` // sent as a header
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

// Codes that this package and package web answer with themselves.
const (
	CodeNotFound    = "not_found" // no such console or title
	CodeForbidden   = "forbidden"
	CodeNotSignedIn = "not_signed_in" // to the page; sign_in is a failed sign-in to PSN
	CodeTooMany     = "too_many_tries"
	CodeUnknownHost = "unknown_host"

	codeBadRequest = "bad_request"
	codeMediaType  = "bad_media_type"
	codeTooLarge   = "too_large"
)

// HTTPStatus returns the HTTP status of a code.
func HTTPStatus(code string) int {
	switch code {
	case CodeNotFound, "unknown_request", "paired", "pairing_locked":
		return http.StatusNotFound
	case "ambiguous":
		return http.StatusConflict
	case codeBadRequest:
		return http.StatusBadRequest
	case codeMediaType:
		return http.StatusUnsupportedMediaType
	case "bad_method":
		return http.StatusMethodNotAllowed
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case "busy":
		return http.StatusServiceUnavailable
	case CodeNotSignedIn:
		return http.StatusUnauthorized
	case CodeForbidden:
		return http.StatusForbidden
	case CodeUnknownHost:
		return http.StatusMisdirectedRequest
	case CodeTooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}

// refusal is the body of an answer that is an error.
type refusal struct {
	Error *Error `json:"error"`
}

// WriteError answers a request with an error.
func WriteError(w http.ResponseWriter, err error) {
	e := AsError(err)
	e.SetHeader(w.Header())
	writeJSON(w, HTTPStatus(e.Code), refusal{e})
}

// SetHeader sets the header fields that belong to the error.
func (e *Error) SetHeader(h http.Header) {
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	if e.Code == CodeNotSignedIn {
		h.Set("WWW-Authenticate", "Bearer") // keeps browsers from asking for a password
	}
}

// AsError returns err as an Error: its whole message, with the code, result and
// hint of the first error in its chain that has them. Errors of other packages
// offer them with the methods Code, Hint and Result. An error without a code
// gets "failed".
func AsError(err error) *Error {
	e := &Error{Code: "failed", Message: err.Error(), Err: err}
	if inner, ok := errors.AsType[*Error](err); ok {
		e.Code, e.Result, e.Hint, e.RetryAfter = inner.Code, inner.Result, inner.Hint, inner.RetryAfter
		return e
	}
	if coded, ok := errors.AsType[interface {
		error
		Code() string
		Hint() string
	}](err); ok {
		e.Code = coded.Code()
		if hint := coded.Hint(); hint != "" { // which has neither a capital nor a period
			e.Hint = strings.ToUpper(hint[:1]) + strings.TrimSuffix(hint[1:], ".") + "."
		}
	}
	if numbered, ok := errors.AsType[interface {
		error
		Result() uint32
	}](err); ok {
		e.Result = numbered.Result()
	}
	return e
}

func errBadRequest(message string) error {
	return &Error{Code: codeBadRequest, Message: message}
}

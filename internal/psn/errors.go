package psn

import (
	"fmt"
	"time"
)

// Errors of this package, to be compared with [errors.Is]. Each has a code for
// programs and a hint, as the errors of package ps4 do.
var (
	// ErrNPSSO means that PSN does not accept the npsso token.
	ErrNPSSO error = &sentinel{
		"sign_in", "PSN does not accept the npsso token",
		"sign in at " + SignInURL + " and copy a new one from " + NPSSOURL,
	}
	// ErrNPSSOFormat means that a text is not an npsso token.
	ErrNPSSOFormat error = &sentinel{
		"bad_npsso", "an npsso token has 64 letters and digits",
		"sign in at " + SignInURL + " and copy it from " + NPSSOURL,
	}
	// ErrUnreachable means that PSN does not answer, or is out of order.
	ErrUnreachable error = &sentinel{
		"psn_unreachable", "PSN cannot be reached",
		"check this machine's internet connection, or import the titles from a file",
	}
	// ErrAnswer means that PSN's answer makes no sense.
	ErrAnswer error = &sentinel{
		"psn_answer", "PSN's answer makes no sense",
		"try again later, or import the titles from a file",
	}
)

type sentinel struct{ code, message, hint string }

func (e *sentinel) Error() string { return e.message }
func (e *sentinel) Code() string  { return e.code }
func (e *sentinel) Hint() string  { return e.hint }

// A BusyError means that PSN has received too many requests from the account or
// this network.
type BusyError struct {
	RetryAfter time.Duration // as PSN says; 0 if it doesn't
}

// Error returns a message with the time to wait.
func (e *BusyError) Error() string {
	if e.RetryAfter == 0 {
		return "PSN has received too many requests"
	}
	return fmt.Sprintf("PSN has received too many requests, and asks to wait %v", e.RetryAfter)
}

// Code returns psn_busy.
func (*BusyError) Code() string { return "psn_busy" }

// Hint returns what to do.
func (*BusyError) Hint() string { return "try again later, or import the titles from a file" }

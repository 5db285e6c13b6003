package psn

import (
	"fmt"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Errors of this package, to be compared with [errors.Is].
var (
	// ErrNPSSO means that PSN does not accept the npsso token.
	ErrNPSSO error = &api.Error{
		Code: "sign_in", Message: "PSN does not accept the npsso token",
		Hint: "Sign in at " + SignInURL + " and copy a new one from " + NPSSOURL + ".",
	}
	// ErrNPSSOFormat means that a text is not an npsso token.
	ErrNPSSOFormat error = &api.Error{
		Code: "bad_npsso", Message: "an npsso token has 64 letters and digits",
		Hint: "Sign in at " + SignInURL + " and copy it from " + NPSSOURL + ".",
	}
	// ErrUnreachable means that PSN does not answer, or is out of order.
	ErrUnreachable error = &api.Error{
		Code: "psn_unreachable", Message: "PSN cannot be reached",
		Hint: "Check this machine's internet connection, or import the titles from a file.",
	}
	// ErrAnswer means that PSN's answer makes no sense.
	ErrAnswer error = &api.Error{Code: "psn_answer", Message: "PSN's answer makes no sense", Hint: tryLater}
)

const tryLater = "Try again later, or import the titles from a file."

// errBusy returns an error with the code psn_busy: PSN has received too many
// requests from the account or this network. wait is 0 if PSN doesn't say how
// long to wait.
func errBusy(wait time.Duration) error {
	message := "PSN has received too many requests"
	if wait > 0 {
		message += fmt.Sprintf(", and asks to wait %v", wait)
	}
	return &api.Error{Code: "psn_busy", Message: message, Hint: tryLater, RetryAfter: wait}
}

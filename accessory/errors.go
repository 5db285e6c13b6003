package accessory

import (
	"errors"
	"slices"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// Errors of the commands. Refusals of the console are errors of package ps4.
var (
	// ErrNotWoken means that the console did not come up within 60 s, or 90 s for a title.
	ErrNotWoken = errors.New("the console did not wake up: check the credential, and that it may be turned on from the network")
	// ErrStillAwake means that the console accepted the standby and was still on after 30 s.
	ErrStillAwake = errors.New("the console did not go into rest mode within 30 s")
	// ErrLaunchTimeout means that a title was not started within 90 s of its selection.
	ErrLaunchTimeout = errors.New("the title could not be started within 90 s")
	// ErrSuperseded means that a later command replaced this one.
	ErrSuperseded = errors.New("a later command replaced this one")
	// ErrStopped means that the television does not run, or no longer.
	ErrStopped = errors.New("the television does not run")
	// ErrNotAccepted means that the console was found on the network, but that
	// its owner has not said that it is theirs.
	ErrNotAccepted = errors.New("this console was found, but it is not accepted yet")
	// ErrNoSuchInput means that the television has no such input.
	ErrNoSuchInput = errors.New("no such input")
	// ErrNoFreeSlot means that every input is taken by a title that may not lose it.
	ErrNoFreeSlot = errors.New("all inputs are in use: forget a title, or raise homekit.slots")
	// ErrNoTitles means that the console's protocol cannot start titles.
	ErrNoTitles = errors.New("Remote Play cannot start titles") //nolint:revive,staticcheck // a name
	// ErrName means that a name is empty, longer than 64 bytes or not text.
	ErrName = errors.New("a name must have 1 to 64 characters, without line breaks")
)

// outcome is what the end of a command means for the goal.
type outcome uint8

const (
	done    outcome = iota
	resting         // the console is in rest mode
	again           // worth a retry while there is time
	refused         // a retry would fail the same way
)

// final holds the failures that a retry does not help with.
var final = []error{
	ErrNotAccepted, ps4.ErrNoCredential, ps4.ErrServiceHung, ps4.ErrProtocol, ps4.ErrUnsupported,
	ps4.ErrNotConfirmed, ps4.ErrTitleRunning, ps4.ErrNoSuchTitle, ps4.ErrTitleIDFormat,
	ErrNoTitles, remoteplay.ErrPSOnly, remoteplay.ErrStream, remoteplay.ErrNotRegistered,
	remoteplay.ErrRegistrationFormat, remoteplay.ErrNotPlayStation,
}

// passing holds the console's refusals that pass by themselves: it is busy, or
// waits for someone to pick a user on the TV.
var passing = []ps4.ResultError{
	ps4.ErrBusy, ps4.ErrBooting, ps4.ErrTooManyUsers, ps4.ErrAlreadyConnected, ps4.ErrOtherAppConnected,
	ps4.ErrOtherUserActive, ps4.ErrLogoutFailed, ps4.ErrLoginManagerBusy, ps4.ErrOffAir, ps4.ErrCannotLogIn,
}

// passes reports whether err is a refusal that passes by itself.
func passes(err error) bool {
	result, ok := errors.AsType[ps4.ResultError](err)
	return ok && slices.Contains(passing, result)
}

func outcomeOf(err error) outcome {
	var result ps4.ResultError
	var reason remoteplay.ResultError
	var silent *notOpened
	switch {
	case err == nil:
		return done
	case errors.Is(err, ps4.ErrStandby):
		return resting
	case passes(err):
		return again
	case errors.As(err, &result), errors.As(err, &reason), errors.As(err, &silent),
		slices.ContainsFunc(final, func(f error) bool { return errors.Is(err, f) }):
		return refused
	}
	return again
}

package remoteplay

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Sentinel errors, to be compared with [errors.Is]. Each is a [ps4.Error].
var (
	// ErrNotRegistered means that the call needs a Registration.
	ErrNotRegistered error = &sentinel{
		"not_linked", "this program is not linked with the console for Remote Play", linkDevice, nil,
	}
	// ErrRegistrationFormat means that a stored registration is damaged.
	ErrRegistrationFormat error = &sentinel{
		"bad_registration", "the registration is damaged or incomplete", linkDevice, nil,
	}
	// ErrLinkScreen means that the console did not answer the search word,
	// because its screen for linking devices is closed.
	ErrLinkScreen error = &sentinel{
		"link_screen_closed", "the console is not waiting for a device to link",
		"open " + linkMenu + ", and leave it open", nil,
	}
	// ErrNotPlayStation means that something else answers on the console's
	// port, or garbage.
	ErrNotPlayStation error = &sentinel{
		"not_playstation", "the answer is not that of a PlayStation", "check the address", nil,
	}
	// ErrRefused means that the console refuses connections.
	ErrRefused error = &sentinel{
		"remote_play_off", "the console refuses Remote Play connections",
		"enable Remote Play in the settings of the console, or try again in a few seconds", ps4.ErrDoorClosed,
	}
	// ErrNoReply means that the console hung up instead of replying.
	ErrNoReply error = &sentinel{"no_reply", "the console hung up without a reply", otherHint, nil}
	// ErrProtocol means that the console sent a frame that does not parse. It
	// is [ps4.ErrProtocol] too.
	ErrProtocol error = &sentinel{
		"protocol", "the console sent invalid data", linkAgain, ps4.ErrProtocol,
	}
	// ErrStandbyIgnored means that the console acknowledged a standby but is
	// still on.
	ErrStandbyIgnored error = &sentinel{
		"standby_ignored", "the console acknowledged the standby but is still on",
		"close the running title or media app, or let an update finish, then try again", nil,
	}
	// ErrPSOnly means that a key other than PS needs a stream, which
	// Options.Stream does not permit.
	ErrPSOnly error = &sentinel{
		"ps_only", "without a stream, Remote Play presses only the PS button", "permit the stream for this console", nil,
	}
	// ErrStream means that the console did not open the stream or ended it. The
	// error wraps the reason.
	ErrStream error = &sentinel{
		"stream", "the stream that carries the keys failed",
		"end Remote Play on other devices, check that the user is signed in on the TV, and try again", nil,
	}
	// ErrNotWoken means that a wake-up had no effect. It is [ps4.ErrNotWoken]
	// too.
	ErrNotWoken error = &sentinel{
		"not_woken", "the console did not wake up",
		"enable Remote Play, Stay Connected to the Internet and turning on from the network on the console, " +
			"and link again if that does not help", ps4.ErrNotWoken,
	}
)

// sentinel implements ps4.Error.
type sentinel struct {
	code, text string
	hint       string // may contain linkMenu
	general    error  // a sentinel of package ps4 that it also is, or nil
}

func (e *sentinel) Error() string        { return e.text }
func (e *sentinel) Code() string         { return e.code }
func (e *sentinel) Hint() string         { return e.hintOn("") }
func (e *sentinel) Is(target error) bool { return e.general != nil && target == e.general }

// linkMenu is a placeholder in hints for the menu that shows a PIN.
const linkMenu = "{menu}"

// hintOn returns the hint with the menu of a type of console, or with both menus
// if the type is unknown.
func (e *sentinel) hintOn(hostType string) string {
	const (
		onPS5 = "Settings > System > Remote Play > Link Device"
		onPS4 = "Settings > Remote Play Connection Settings > Add Device"
	)
	menu := onPS5 + " on the PS5, or " + onPS4 + " on the PS4"
	switch hostType {
	case ps4.TypePS5:
		menu = onPS5
	case ps4.TypePS4:
		menu = onPS4
	}
	return strings.ReplaceAll(e.hint, linkMenu, menu)
}

// menuError is an error whose hint names the menu of one type of console.
type menuError struct {
	error
	code, hint string
}

func (e *menuError) Unwrap() error { return e.error }
func (e *menuError) Code() string  { return e.code }
func (e *menuError) Hint() string  { return e.hint }

// hintFor returns err with the hint for a type of console.
func hintFor(hostType string, err error) error {
	e, _ := errors.AsType[ps4.Error](err)
	menu, ok := e.(interface{ hintOn(hostType string) string })
	if !ok || menu.hintOn(hostType) == e.Hint() {
		return err
	}
	return &menuError{err, e.Code(), menu.hintOn(hostType)}
}

// Hints that several errors share.
const (
	linkDevice = "link it, with the PIN of " + linkMenu
	linkAgain  = "link it again, with the PIN of " + linkMenu
	otherHint  = "check that Remote Play is enabled on the console and that this device is still linked, then restart the console"
)

// A ResultError is the number with which a console refused a request, its
// RP-Application-Reason (docs/protocol.md §11). Compare an error with the
// constants below by [errors.Is], or extract the number with [errors.As]. A
// ResultError is a [ps4.Error].
type ResultError uint32

// Reasons of the console.
const (
	ErrNoSuchAccount ResultError = 0x80108b02
	ErrRegistration  ResultError = 0x80108b09 // wrong PIN, or no PIN is shown any more; ps4.ErrPINWrong too
	ErrInUse         ResultError = 0x80108b10 // see InUseError
	ErrVersion       ResultError = 0x80108b11
	ErrUnexplained   ResultError = 0x80108b13 // seen once
	ErrCrashed       ResultError = 0x80108b15
	ErrOther         ResultError = 0x80108bff
)

var refusals = map[ResultError]*sentinel{
	ErrNoSuchAccount: {
		"no_such_account", "the console does not know this PSN account",
		"sign in on the console once with the account, and check its id", nil,
	},
	ErrRegistration: {
		"pin_wrong", "the PIN is wrong, or the console no longer shows it",
		"open " + linkMenu + " again and enter the new PIN", ps4.ErrPINWrong,
	},
	ErrInUse: {
		"in_use", "Remote Play is in use, or the last session ended badly",
		"end Remote Play on other devices, then wait 2 minutes", nil,
	},
	ErrVersion: {
		"version_unsupported", "the console's system software wants another version of Remote Play",
		"report it, with the version of the system software", nil,
	},
	ErrUnexplained: {"unexplained", "the console refused for a reason of unknown meaning", "try again, and report it", nil},
	ErrCrashed: {
		"crashed", "Remote Play on the console has crashed",
		"restart the console from its power menu; rest mode is not enough", nil,
	},
	ErrOther: {"refused", "the console refused", otherHint, nil},
}

func (e ResultError) refusal() *sentinel {
	if r, known := refusals[e]; known {
		return r
	}
	return &sentinel{
		fmt.Sprintf("result_%08x", uint32(e)), fmt.Sprintf("the console refused with reason %08x", uint32(e)), otherHint, nil,
	}
}

// Error returns what the reason means.
func (e ResultError) Error() string { return e.refusal().text }

// Code returns a short name that does not change, such as "in_use", or
// "result_" and the number if the reason is unknown.
func (e ResultError) Code() string { return e.refusal().code }

// Hint returns what the user can do.
func (e ResultError) Hint() string { return e.refusal().Hint() }

func (e ResultError) hintOn(hostType string) string { return e.refusal().hintOn(hostType) }

// Is reports whether target is the same refusal in package ps4.
func (e ResultError) Is(target error) bool { return e.refusal().Is(target) }

// An InUseError is [ErrInUse]. No session is opened before its time, because
// each attempt would make the console refuse for longer. It is a [ps4.Error].
type InUseError struct{ Until time.Time }

// Error says until when the console is left alone.
func (e *InUseError) Error() string {
	return fmt.Sprintf("%s; not trying again before %s", ErrInUse.Error(), e.Until.Format("15:04:05"))
}

// Unwrap returns ErrInUse.
func (e *InUseError) Unwrap() error { return ErrInUse }

// Code returns "in_use".
func (e *InUseError) Code() string { return ErrInUse.Code() }

// Hint returns what the user can do.
func (e *InUseError) Hint() string { return ErrInUse.Hint() }

package ps4

import (
	"fmt"
	"net/netip"
)

// Error is what this package's sentinels, [ResultError] and
// [OtherConsoleError] have in common; find it with [errors.As].
type Error interface {
	error
	Code() string // a short name for programs: "standby"
	Hint() string // what the user can do: one imperative sentence
}

// Sentinels, to be compared with [errors.Is]; each is an [Error].
var (
	// ErrStandby means that the console is in rest mode: wake it first.
	ErrStandby error = &sentinel{"standby", "the console is in rest mode", "wake it first"}
	// ErrUnreachable means that the console does not answer.
	ErrUnreachable error = &sentinel{
		"unreachable", "the console does not answer",
		"check its address, that it is on or in rest mode with the network kept alive, and that no firewall drops UDP",
	}
	// ErrNoNetwork means that a datagram could not be sent: this machine has no
	// link. It is no news about the console.
	ErrNoNetwork error = &sentinel{"no_network", "this machine has no network", "check its cable or its Wi-Fi"}
	// ErrOtherConsole means that another console answers at the address: see
	// [OtherConsoleError].
	ErrOtherConsole error = &sentinel{"other_console", "another console answers at this address", otherConsoleHint}
	// ErrDoorClosed means that the console is on but keeps its TCP port shut.
	ErrDoorClosed error = &sentinel{
		"door_closed", "the console does not open its connection",
		"try again in some seconds; if it stays so, link again or get the credential anew",
	}
	// ErrServiceHung means that the console resets every connection.
	ErrServiceHung error = &sentinel{
		"service_hung", "the console's 2nd Screen service hangs",
		"restart the console",
	}
	// ErrClosed means that the session is over; the error says why.
	ErrClosed error = &sentinel{"closed", "the session is over", "open a new one"}
	// ErrSilent means that heartbeats or an answer did not come in time.
	ErrSilent error = &sentinel{"silent", "the console went silent", "try again; if it stays so, restart the console"}
	// ErrUnanswered means that a standby was sent and that nobody knows what became of it. What ended the wait is in the
	// same error.
	ErrUnanswered error = &sentinel{"unanswered", "the console did not answer what it was sent", "look whether it did it"}
	// ErrProtocol means that the console sent what makes no sense.
	ErrProtocol error = &sentinel{
		"protocol", "the console broke the protocol",
		"check that the address is a PS4's and that the console key is the right one",
	}
	// ErrUnsupported means that the console is not a PS4.
	ErrUnsupported error = &sentinel{
		"unsupported", "this kind of console cannot do that",
		"only a PS4 speaks the 2nd Screen protocol; a PS5 is only found and shown",
	}
	// ErrNotWoken means that a wake-up call had no effect.
	ErrNotWoken error = &sentinel{
		"not_woken", "the console did not wake up",
		"check the credential, and that the console may be turned on from the network",
	}
	// ErrNoCredential means that the call needs a credential.
	ErrNoCredential error = &sentinel{"no_credential", "there is no credential", "get one from a PSN account id, or by signing in"}

	// ErrNotConfirmed means that a title was started but did not appear.
	ErrNotConfirmed error = &sentinel{
		"not_confirmed", "the title did not start in time",
		"look at the TV: a dialogue may wait there, or the title is not installed",
	}
	// ErrTitleRunning means that another title runs and was not to be quit.
	ErrTitleRunning error = &sentinel{"title_running", "another title is running", "close it first, or allow it to be quit"}
	// ErrNoSuchTitle means that the console does not have the title.
	ErrNoSuchTitle error = &sentinel{"no_such_title", "the title is not on the console", "install it, or check its id"}
	// ErrTitleIDFormat means that a title id is not like CUSA00129.
	ErrTitleIDFormat error = &sentinel{"bad_title_id", "a title id has four letters and five digits", "use an id like CUSA00129"}

	// ErrKeyboardClosed means that no on-screen keyboard is open.
	ErrKeyboardClosed error = &sentinel{"keyboard_closed", "the on-screen keyboard is not open", "choose a text field on the TV first"}
	// ErrTextTooLong means that a text does not fit the on-screen keyboard.
	ErrTextTooLong error = &sentinel{"text_too_long", "the text is too long for the on-screen keyboard", "use a shorter text"}

	// ErrButton means that there is no such button, or that it cannot be held so long.
	ErrButton error = &sentinel{
		"bad_button", "no such button, or no such hold time",
		"use up, down, left, right, enter, back, option, ps, ps_hold or cancel, held for a minute at most",
	}

	// ErrSignIn means that signing in to PSN did not lead to an account.
	ErrSignIn error = &sentinel{
		"sign_in", "signing in to PSN failed",
		"sign in again and paste the whole address of the last page, within a minute: its code is good once and not for long",
	}
	// ErrPortRights means that the program may not listen on UDP port 987.
	ErrPortRights error = &sentinel{
		"port_rights", "this program may not listen on UDP port 987",
		"run it as root, or give it CAP_NET_BIND_SERVICE",
	}
	// ErrPortTaken means that another program listens on UDP port 987.
	ErrPortTaken error = &sentinel{"port_taken", "another program listens on UDP port 987", "stop that program first"}

	// ErrCredentialFormat means that a credential does not parse.
	ErrCredentialFormat error = &sentinel{"bad_credential", "a credential has 64 hex digits", "check that it was copied whole"}
	// ErrAccountIDFormat means that a PSN account id does not parse.
	ErrAccountIDFormat error = &sentinel{
		"bad_account_id", "a PSN account id is a decimal number, or the base64 of 8 bytes",
		"the PSN online id (the name) is something else",
	}
	// ErrPINFormat means that a PIN does not parse.
	ErrPINFormat error = &sentinel{"bad_pin", "a PIN has 8 digits", "the console shows it under " + addDevice}
	// ErrPasscodeFormat means that a passcode does not parse.
	ErrPasscodeFormat error = &sentinel{"bad_passcode", "a passcode has 4 digits", "use the 4 digits with which the user signs in on the TV"}
)

// addDevice is the menu of the console that shows a PIN.
const addDevice = "Settings > Mobile App Connection Settings > Add Device"

// sentinel is an error with a name for programs and advice for people.
type sentinel struct{ code, text, hint string }

func (e *sentinel) Error() string { return e.text }

// Code returns a short name for programs.
func (e *sentinel) Code() string { return e.code }

// Hint returns what the user can do.
func (e *sentinel) Hint() string { return e.hint }

const otherConsoleHint = "use the address or the host id of the console that you mean"

// OtherConsoleError says which console answers at an address where another one
// was expected. It is [ErrOtherConsole].
type OtherConsoleError struct {
	Addr      netip.AddrPort
	Want, Got string // host ids
}

// Error implements error.
func (e *OtherConsoleError) Error() string {
	return fmt.Sprintf("the console at %v is %s, not %s", e.Addr, e.Got, e.Want)
}

// Is reports whether target is [ErrOtherConsole].
func (e *OtherConsoleError) Is(target error) bool { return target == ErrOtherConsole } //nolint:errorlint // one value

// Code returns "other_console".
func (e *OtherConsoleError) Code() string { return "other_console" }

// Hint returns what the user can do.
func (e *OtherConsoleError) Hint() string { return otherConsoleHint }

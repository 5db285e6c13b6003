package ps4

import (
	"fmt"
	"net/netip"
)

// An Error is an error with a code for programs and advice for users. The
// sentinels of this package, [ResultError] and [OtherConsoleError] implement
// it. Compare an error with [errors.Is] to find out which one it is; extract an
// Error with [errors.As] to present any of them:
//
//	var e ps4.Error
//	if errors.As(err, &e) {
//		fmt.Println(e.Code(), e.Error(), e.Hint())
//	}
type Error interface {
	error
	Code() string // a short name that does not change, such as "standby"
	Hint() string // what the user can do, as one imperative sentence
}

// Sentinel errors, to be compared with [errors.Is]. Each is an [Error].
var (
	// ErrStandby means that the console is in rest mode.
	ErrStandby error = &sentinel{"standby", "the console is in rest mode", "wake it first"}
	// ErrUnreachable means that the console does not answer.
	ErrUnreachable error = &sentinel{
		"unreachable", "the console does not answer",
		"check its address, that it is on or in rest mode with the network kept alive, and that no firewall drops UDP",
	}
	// ErrNoNetwork means that a datagram could not be sent, because this
	// machine has no link. It says nothing about the console.
	ErrNoNetwork error = &sentinel{"no_network", "this machine has no network", "check its cable or its Wi-Fi"}
	// ErrOtherConsole means that another console answers at the address. The
	// error is an [*OtherConsoleError], which says which one.
	ErrOtherConsole error = &sentinel{"other_console", "another console answers at this address", otherConsoleHint}
	// ErrDoorClosed means that the console is on but refuses TCP connections.
	ErrDoorClosed error = &sentinel{
		"door_closed", "the console refuses connections",
		"try again in a few seconds, or link again if that does not help",
	}
	// ErrServiceHung means that the console resets every TCP connection.
	ErrServiceHung error = &sentinel{"service_hung", "the console resets every connection", "restart the console"}
	// errKeyRefused is the ErrServiceHung of a console that closes connections
	// after the key exchange. One with another key does so too.
	errKeyRefused error = &kindOf{ErrServiceHung, sentinel{
		"service_hung", "the console closes the connection after the key exchange",
		"check the console key if the console is simulated, otherwise restart the console",
	}}
	// ErrClosed means that the session or the keeper is closed. The error wraps
	// the reason: see [Session.Err].
	ErrClosed error = &sentinel{"closed", "the session is over", "try again"}
	// ErrSilent means that heartbeats or an answer did not come in time.
	ErrSilent error = &sentinel{"silent", "the console went silent", "try again, or restart the console if that does not help"}
	// ErrUnanswered means that a standby was sent but not answered, so it is
	// unknown whether the console obeyed. The error wraps the reason.
	ErrUnanswered error = &sentinel{"unanswered", "the console did not confirm the command", "check whether the console is in rest mode"}
	// ErrProtocol means that the console sent a packet that does not parse.
	ErrProtocol error = &sentinel{
		"protocol", "the console sent invalid data",
		"check that the address is that of a PS4 and that the console key is the right one",
	}
	// ErrUnsupported means that the console is not a PS4. Package remoteplay
	// controls a PS5.
	ErrUnsupported error = &sentinel{
		"unsupported", "this kind of console has no 2nd Screen service",
		"control a PS5 with Remote Play",
	}
	// ErrNotWoken means that a wake-up had no effect.
	ErrNotWoken error = &sentinel{
		"not_woken", "the console did not wake up",
		"check the credential, and that the console may be turned on from the network",
	}
	// ErrNoCredential means that the call needs a credential.
	ErrNoCredential error = &sentinel{"no_credential", "there is no credential", "get one from a PSN account id, or by signing in"}

	// ErrNotConfirmed means that a title was started but did not show up.
	ErrNotConfirmed error = &sentinel{
		"not_confirmed", "the title did not start in time",
		"check that it is installed, and that no dialog on the TV is waiting",
	}
	// ErrTitleRunning means that another title is running and
	// StartOptions.NoQuit is set.
	ErrTitleRunning error = &sentinel{"title_running", "another title is running", "close it first, or allow it to be quit"}
	// ErrNoSuchTitle means that the title is not on the console.
	ErrNoSuchTitle error = &sentinel{"no_such_title", "the title is not on the console", "install it, or check its id"}
	// ErrTitleIDFormat means that a title id does not parse.
	ErrTitleIDFormat error = &sentinel{"bad_title_id", "a title id has four letters and five digits", "use an id like CUSA00129"}

	// ErrKeyboardClosed means that no on-screen keyboard is open.
	ErrKeyboardClosed error = &sentinel{"keyboard_closed", "the on-screen keyboard is not open", "choose a text field on the TV first"}
	// ErrTextTooLong means that a text does not fit the on-screen keyboard.
	ErrTextTooLong error = &sentinel{"text_too_long", "the text is too long for the on-screen keyboard", "use a shorter text"}

	// ErrButton means that there is no such button, or that the hold time is
	// invalid.
	ErrButton error = &sentinel{
		"bad_button", "no such button, or no such hold time",
		"use up, down, left, right, enter, back, option, ps, ps_hold or cancel, " +
			"or with Remote Play triangle, square, share, l1 to r3 or touchpad, held for at most a minute",
	}
	// errNotOn2ndScreen is the ErrButton of a button that the console has, but
	// not its 2nd Screen service.
	errNotOn2ndScreen error = &kindOf{ErrButton, sentinel{
		"bad_button", "the 2nd Screen remote control has no such button", "link the console for Remote Play to press it",
	}}

	// ErrSignIn means that signing in to PSN did not lead to an account.
	ErrSignIn error = &sentinel{
		"sign_in", "signing in to PSN failed",
		"sign in again, and within a minute paste the full address of the page where it ends",
	}
	// ErrPortRights means that the program may not listen on UDP port 987.
	ErrPortRights error = &sentinel{
		"port_rights", "this program may not listen on UDP port 987",
		"run it as root, or give it CAP_NET_BIND_SERVICE",
	}
	// ErrPortTaken means that another program listens on UDP port 987.
	ErrPortTaken error = &sentinel{"port_taken", "another program listens on UDP port 987", "stop that program first"}

	// ErrCredentialFormat means that a credential does not parse.
	ErrCredentialFormat error = &sentinel{"bad_credential", "a credential has 64 hex digits", "check that it was copied completely"}
	// ErrAccountIDFormat means that a text is no PSN account id.
	ErrAccountIDFormat error = &sentinel{
		"bad_account_id", "a PSN account id is a number of at least 13 digits, or the base64 of 8 bytes",
		"sign in to PSN, which finds the id; it is not the online id, which is a name",
	}
	// ErrPINFormat means that a PIN does not parse.
	ErrPINFormat error = &sentinel{"bad_pin", "a PIN has 8 digits", "enter all the digits that the console shows"}
	// ErrPasscodeFormat means that a passcode does not parse.
	ErrPasscodeFormat error = &sentinel{"bad_passcode", "a passcode has 4 digits", usePasscode}
)

// addDevice is the menu of the console that shows a PIN.
const addDevice = "Settings > Mobile App Connection Settings > Add Device"

// sentinel implements Error.
type sentinel struct{ code, text, hint string }

func (e *sentinel) Error() string { return e.text }
func (e *sentinel) Code() string  { return e.code }
func (e *sentinel) Hint() string  { return e.hint }

// kindOf is a sentinel that is also another one to errors.Is.
type kindOf struct {
	kind error
	sentinel
}

func (e *kindOf) Is(target error) bool { return target == e.kind }

const otherConsoleHint = "use the address or the host id of the console that you mean"

// An OtherConsoleError says which console answers at an address where another
// one was expected. It is [ErrOtherConsole], and an [Error].
type OtherConsoleError struct {
	Addr      netip.AddrPort
	Want, Got string // host ids
}

// Error implements error.
func (e *OtherConsoleError) Error() string {
	return fmt.Sprintf("the console at %v is %s, not %s", e.Addr, e.Got, e.Want)
}

// Is reports whether target is [ErrOtherConsole].
func (e *OtherConsoleError) Is(target error) bool { return target == ErrOtherConsole }

// Code returns "other_console".
func (e *OtherConsoleError) Code() string { return "other_console" }

// Hint returns what the user can do.
func (e *OtherConsoleError) Hint() string { return otherConsoleHint }

package ps4

import "fmt"

// A ResultError is the number with which a console refused a command
// (docs/protocol.md §6). Compare an error with the constants below by
// [errors.Is], or extract the number with [errors.As]. A ResultError is an
// [Error].
type ResultError uint32

// Results of the console. Zero means success and is never returned as an error.
const (
	ErrBusy              ResultError = 1
	ErrClientTooOld      ResultError = 2
	ErrConsoleTooOld     ResultError = 3
	ErrDenied            ResultError = 4
	ErrNoMemory          ResultError = 5
	ErrAuthentication    ResultError = 6
	ErrTooManyUsers      ResultError = 7
	ErrAlreadyConnected  ResultError = 8
	ErrProhibited        ResultError = 9
	ErrAlreadyRunning    ResultError = 10
	ErrNotLoggedIn       ResultError = 11
	ErrTitleUnavailable  ResultError = 12 // there is no such title, or another one is running
	ErrDownloading       ResultError = 13
	ErrNotLinked         ResultError = 14
	ErrNoClient          ResultError = 15 // for a keyboard: it is not open
	ErrBooting           ResultError = 16
	ErrOtherAppConnected ResultError = 17
	ErrOtherUserActive   ResultError = 18
	ErrKeyboardOtherUser ResultError = 19
	ErrPINNeeded         ResultError = 20
	ErrNoSuchAccount     ResultError = 21
	ErrPasscodeNeeded    ResultError = 22
	ErrPINWrong          ResultError = 23
	ErrPasscodeWrong     ResultError = 24
	ErrStandbyDisabled   ResultError = 25
	ErrTooManyDevices    ResultError = 26
	ErrAlreadyLoggedOut  ResultError = 27
	ErrLogoutFailed      ResultError = 28
	ErrLoginManagerBusy  ResultError = 30
	ErrOtherTitleActive  ResultError = 31
	ErrOffAir            ResultError = 32
	ErrCannotLogIn       ResultError = 33
)

const resultOK = 0

// Hints that several errors share.
const (
	linkAgain      = "link again: on the console choose " + addDevice + " and enter the PIN that it shows"
	tryAgain       = "try again in a few seconds"
	restartConsole = "restart the console if this persists"
	checkUser      = "sign in on the TV as the user that this program is linked with"
	closeOtherApp  = "close the other app that is connected to the console, on the phone or elsewhere"
	usePasscode    = "use the 4 digits with which the user signs in on the TV"
)

var refusals = map[ResultError]sentinel{
	ErrBusy:              {"busy", "the console is busy", tryAgain},
	ErrClientTooOld:      {"client_too_old", "the console considers this client too old", "sign in to PSN on the console once: an account that was activated offline is refused"},
	ErrConsoleTooOld:     {"console_too_old", "the console's system software is too old", "update the console"},
	ErrDenied:            {"denied", "the console denied access", linkAgain},
	ErrNoMemory:          {"no_memory", "the console has no memory left", "close an application on the console"},
	ErrAuthentication:    {"authentication", "the console did not accept the credential", "get the credential again, then " + linkAgain},
	ErrTooManyUsers:      {"too_many_users", "too many users are signed in on the console", "sign a user out on the console"},
	ErrAlreadyConnected:  {"already_connected", "the console is already connected", closeOtherApp},
	ErrProhibited:        {"prohibited", "the console prohibits this", "check the parental controls and the settings for mobile apps on the console"},
	ErrAlreadyRunning:    {"already_running", "the title is already running", "continue on the TV"},
	ErrNotLoggedIn:       {"not_logged_in", "the user is not logged in", checkUser},
	ErrTitleUnavailable:  {"title_unavailable", "the console has no such title, or another title is running", "check the title id, and close the running title"},
	ErrDownloading:       {"downloading", "the title is being downloaded", "wait for the download to end"},
	ErrNotLinked:         {"not_linked", "the console does not know this program, or the PIN is malformed", linkAgain},
	ErrNoClient:          {"no_client", "no client is connected, or no on-screen keyboard is open", "choose a text field on the TV first"},
	ErrBooting:           {"booting", "the console is starting", tryAgain},
	ErrOtherAppConnected: {"other_app_connected", "another app is connected to the console", closeOtherApp},
	ErrOtherUserActive:   {"other_user_active", "another user is active on the console", checkUser},
	ErrKeyboardOtherUser: {"keyboard_other_user", "another user is using the on-screen keyboard", "let the other user finish"},
	ErrPINNeeded:         {"pin_needed", "the console wants a PIN: this program is not linked with it yet", linkAgain},
	ErrNoSuchAccount:     {"no_such_account", "the console has no such account", "sign in on the console once with the PSN account that the credential belongs to"},
	ErrPasscodeNeeded:    {"passcode_needed", "the user's passcode is needed", usePasscode},
	ErrPINWrong:          {"pin_wrong", "the PIN is wrong", "take it from " + addDevice + "; don't use the Remote Play PIN"},
	ErrPasscodeWrong:     {"passcode_wrong", "the passcode is wrong", usePasscode},
	ErrStandbyDisabled:   {"standby_disabled", "the console may not be put into rest mode now", "check the power save settings of the console, and what is running on it"},
	ErrTooManyDevices:    {"too_many_devices", "the console has too many linked devices", "remove one in Settings > Mobile App Connection Settings"},
	ErrAlreadyLoggedOut:  {"already_logged_out", "the user is already logged out", "log in before you log out"},
	ErrLogoutFailed:      {"logout_failed", "the user could not be logged out", tryAgain},
	ErrLoginManagerBusy:  {"login_manager_busy", "the console is asking who is playing", "pick a user on the PS4"},
	ErrOtherTitleActive:  {"other_title_active", "another title is active", "close it, or allow it to be quit"},
	ErrOffAir:            {"off_air", "the console is off air", tryAgain},
	ErrCannotLogIn:       {"cannot_log_in", "the console cannot log in a user now", tryAgain + "; " + restartConsole},
}

// Error returns what the result means.
func (e ResultError) Error() string { return e.refusal().text }

// Code returns a short name that does not change, such as "pin_needed", or
// "result_" and the number if the result is unknown.
func (e ResultError) Code() string { return e.refusal().code }

// Result returns the number of the console's answer.
func (e ResultError) Result() uint32 { return uint32(e) }

// Hint returns what the user can do.
func (e ResultError) Hint() string { return e.refusal().hint }

func (e ResultError) refusal() sentinel {
	if r, known := refusals[e]; known {
		return r
	}
	return sentinel{
		code: fmt.Sprintf("result_%d", uint32(e)),
		text: fmt.Sprintf("the console refused with result %d", uint32(e)),
		hint: restartConsole,
	}
}

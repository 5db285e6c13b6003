package web

import (
	"context"
	"time"
)

// Backend answers the questions of the API and carries out its commands. A running
// server implements it, and so does a command that runs without one, so that every
// command works either way.
//
// A console is named by host: its host id, its name (in any case) or its address
// (ADDR or ADDR:DDPPORT); empty means the only one there is. An unknown or ambiguous
// one is an *Error with the code not_found or ambiguous. Every other error is an
// *Error too, or one with the methods Code and Hint.
type Backend interface {
	// Search asks the network for consoles for the given time, and lists what answers.
	Search(ctx context.Context, wait time.Duration) ([]Console, error)
	// Consoles lists the consoles that are known, by name, as they were last seen.
	Consoles(ctx context.Context) ([]Console, error)
	// Status asks one console now; one that does not answer is StateUnreachable, and
	// no error.
	Status(ctx context.Context, host string) (Console, error)

	// Wake turns a console on. It returns when the first WAKEUP was sent, or with wait
	// when the console is on, within 60 s (120 s right after a standby).
	Wake(ctx context.Context, host string, wait bool) error
	// Standby puts a console into rest mode and returns when it is.
	Standby(ctx context.Context, host string) error
	// Start starts a title by its id or the name of an input, waking the console if
	// need be; noQuit leaves another running title alone and fails with title_running.
	Start(ctx context.Context, host, title string, noQuit bool) error
	// Keys presses buttons in order: "up", "ps:2000" (held for milliseconds), "ps_hold".
	Keys(ctx context.Context, host string, keys []string) error

	// Keyboard returns the on-screen keyboard; keyboard_closed when none is open.
	Keyboard(ctx context.Context, host string) (Keyboard, error)
	// SetText replaces the text of the on-screen keyboard.
	SetText(ctx context.Context, host, text string) error
	// Submit confirms the text; with one that is not nil it is set before.
	Submit(ctx context.Context, host string, text *string) error
	// CloseKeyboard closes the on-screen keyboard without confirming.
	CloseKeyboard(ctx context.Context, host string) error

	// Link links this program with the console by the PIN that it shows.
	Link(ctx context.Context, host, pin string) error
	// SetCredential stores the PSN user of a console; with an empty host, of every
	// console that has none of its own.
	SetCredential(ctx context.Context, host string, user User) error
	// Credential returns the PSN user of a console, or the default one: a secret.
	Credential(ctx context.Context, host string) (User, error)

	// Titles lists the inputs of a console in their order.
	Titles(ctx context.Context, host string) ([]Title, error)
	AddTitle(ctx context.Context, host, id, name string) error
	RenameTitle(ctx context.Context, host, id, name string) error // empty: its own name again
	HideTitle(ctx context.Context, host, id string, hide bool) error
	PinTitle(ctx context.Context, host, id string, pin bool) error
	ForgetTitle(ctx context.Context, host, id string) error

	// Homekit lists the accessory of every console, by name.
	Homekit(ctx context.Context) ([]Accessory, error)
	// ResetHomekit removes every pairing of a console's accessory, or of the companion
	// bridge, whose host is "companion"; a damaged file of it is set aside.
	ResetHomekit(ctx context.Context, host string) error
	// CheckHomekit reads a console's accessory as a controller does, or with an empty
	// host every one, and lists what is not as docs/homekit.md has it.
	CheckHomekit(ctx context.Context, host string) ([]Finding, error)

	// Backup writes everything that is remembered, as a gzipped tar: it holds secrets.
	Backup(ctx context.Context) ([]byte, error)

	// WebPassword returns the first password of the web page; password_changed when it was
	// changed, and password_configured when the configuration has it.
	WebPassword(ctx context.Context) (Password, error)
	// RenewWebPassword makes a new first password, and everybody has to sign in again.
	RenewWebPassword(ctx context.Context) (Password, error)
}

// States of a console.
const (
	StateAwake       = "awake"
	StateStandby     = "standby"
	StateUnreachable = "unreachable"
)

// Console is a console as commands print it (docs/cli.md). Empty fields are not known.
type Console struct {
	Address       string `json:"address"` // ADDR, or ADDR:DDPPORT when that is not 987
	HostID        string `json:"host_id"`
	HostType      string `json:"host_type"` // PS4, PS5
	Name          string `json:"name"`
	State         string `json:"state"`
	RequestPort   uint16 `json:"request_port"`
	SystemVersion string `json:"system_version"` // "09508011"
	TitleID       string `json:"title_id"`       // empty when no title runs
	TitleName     string `json:"title_name"`
}

// Keyboard is the on-screen keyboard of a console.
type Keyboard struct {
	Text      string `json:"text"`
	MaxLength int    `json:"max_length"` // UTF-16 units
}

// Title is an input of a console. ID is HOME and OTHER for the two fixed ones.
type Title struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`            // as HomeKit shows it
	Title      string    `json:"title,omitempty"` // as the console calls it
	Identifier int       `json:"identifier"`
	Configured bool      `json:"configured"`
	Pinned     bool      `json:"pinned"`
	Hidden     bool      `json:"hidden"`
	Renamed    bool      `json:"renamed"`
	LastPlayed time.Time `json:"last_played,omitzero"`
}

// User is a PSN user, all of it secret; it travels over the socket only.
type User struct {
	Credential string `json:"credential"`         // 64 hex digits
	Passcode   string `json:"passcode,omitempty"` // 4 digits
}

// Accessory is a console as HomeKit sees it. SetupCode and SetupURI are secrets and
// empty once it is paired.
type Accessory struct {
	Name        string       `json:"name"`
	HostID      string       `json:"host_id"`
	DeviceID    string       `json:"device_id"`
	Address     string       `json:"address"` // of the HAP server, as seen from the console's network
	Port        int          `json:"port"`
	SetupCode   string       `json:"setup_code"`
	SetupID     string       `json:"setup_id"`
	SetupURI    string       `json:"setup_uri"`
	Paired      bool         `json:"paired"`
	Controllers []Controller `json:"controllers"`
}

// Controller is a device that is paired with an accessory.
type Controller struct {
	ID    string `json:"id"`
	Admin bool   `json:"admin"`
}

// Error is a refusal in the form of docs/cli.md: a code for programs, the number
// that the console gave if it did, a sentence for people, and what to do.
type Error struct {
	Code    string `json:"code"`
	Result  uint32 `json:"result,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// errorBody is how an Error travels.
type errorBody struct {
	Error *Error `json:"error"`
}

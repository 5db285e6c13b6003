package web

import (
	"context"
	"strconv"
	"time"
)

// Page answers what only the web page and scripts ask of a running server, beside its
// Backend. Consoles are named, and errors made, as for a Backend.
type Page interface {
	// Overview shows every console, by name.
	Overview(ctx context.Context) (Overview, error)
	// Events are those of this server.
	Events() *Events

	// RenameConsole gives a console its one name, as writing it in Home does.
	RenameConsole(ctx context.Context, host, name string) error
	// OrderTitles orders the inputs of a console; those that are not named follow, and
	// none at all means the order that they have by themselves.
	OrderTitles(ctx context.Context, host string, ids []string) error
	// Covers lists the titles among a console's inputs whose covers are at hand. The
	// others are looked for meanwhile.
	Covers(ctx context.Context, host string) ([]string, error)
	// Cover returns a title's cover, which it may have to fetch, or fails with not_found.
	// size is the longer side in pixels, 0 for as it came.
	Cover(ctx context.Context, titleID string, size int) (Picture, error)

	// SetAccount stores the credential that belongs to a PSN account id, and what
	// follows one that is got another way; all with the passcode, empty for none. An
	// empty host stands for every console that has no credential of its own.
	SetAccount(ctx context.Context, host, accountID, passcode string) error
	// AuthorizeURL is where a person signs in to PSN with a browser; SignIn takes the
	// address on which that ended.
	AuthorizeURL() string
	SignIn(ctx context.Context, host, address, passcode string) error
	// Capture waits for the PS4 Second Screen app on a phone, five minutes at most.
	Capture(ctx context.Context, host, passcode string) error
	// Test opens a new session with a console.
	Test(ctx context.Context, host string) error

	// SetupURI is the content of an accessory's QR code, a secret; it fails with
	// codePaired once that is paired. The companion bridge's host is "companion".
	SetupURI(ctx context.Context, host string) (string, error)
	// Settings lists every key of the configuration, as it was read last, secrets left
	// out.
	Settings() []Setting
	// Restore checks a backup and has the server start again with it; it returns before
	// that. It fails with bad_backup, and nothing has changed then.
	Restore(archive []byte) (Restored, error)
}

// Overview is all that the first page shows.
type Overview struct {
	Consoles []Card `json:"consoles"`
}

// Card is a console as the page shows it.
type Card struct {
	Console
	Active       bool      `json:"active"`   // what is wanted, until the console confirms or refuses
	Starting     string    `json:"starting"` // the title that was chosen and does not run yet; empty when there is none
	Working      bool      `json:"working"`  // a command is under way
	SessionOpen  bool      `json:"session_open"`
	KeyboardOpen bool      `json:"keyboard_open"` // known while a session is open
	LastSeen     time.Time `json:"last_seen,omitzero"`
	Identified   time.Time `json:"identified,omitzero"` // when Home asked which one this is
	LastError    *Error    `json:"last_error,omitempty"`
	LastErrorAt  time.Time `json:"last_error_at,omitzero"`
	Credential   bool      `json:"credential"` // one is known
	Offered      bool      `json:"offered"`    // to HomeKit
	Paired       bool      `json:"paired"`
	Cover        string    `json:"cover,omitempty"` // path of the running title's cover
	Simulated    bool      `json:"simulated"`
}

// CoverPath is the path of a title's cover in a size.
func CoverPath(titleID string, size int) string {
	return prefix + "/titles/" + escape(titleID) + "/cover?size=" + strconv.Itoa(size)
}

// Picture is an image as it is served.
type Picture struct {
	Data []byte
	Type string // "image/png"
	ETag string // quoted
}

// Setting is a key of the configuration with the value that holds.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`  // a list as ["a", "b"], a secret as [redacted]
	Source string `json:"source"` // default, FILE:LINE, a variable or a flag
	Waits  bool   `json:"waits"`  // it holds from the next start on
}

// Restored is what a backup holds.
type Restored struct {
	Created time.Time `json:"created"` // when the backup was made
	Files   []string  `json:"files"`
}

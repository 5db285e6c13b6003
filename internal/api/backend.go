package api

import (
	"context"
	"time"
)

// Backend carries out the commands of the API. The running server implements
// it, so does a command that runs without one, and so does Client.
//
// A host names a console by its host id, its name (in any case) or its address
// (ADDR or ADDR:DDPPORT); an empty host means the only console there is. If no
// console or more than one fits, the error has the code not_found or ambiguous.
type Backend interface {
	// Search asks the network for consoles, and lists the ones that answer in time.
	Search(ctx context.Context, wait time.Duration) ([]Console, error)
	// Consoles lists the known consoles by name, as they were last seen.
	Consoles(ctx context.Context) ([]Console, error)
	// Status asks one console for its state. A console that doesn't answer is
	// StateUnreachable, not an error.
	Status(ctx context.Context, host string) (Console, error)
	// AddConsole accepts the console that answers at an address: ADDR,
	// ADDR:DDPPORT or a host name. It fails with unreachable if none answers.
	AddConsole(ctx context.Context, address string) (Console, error)
	// ForgetConsole removes everything that is stored of a console, without asking
	// the console. It fails with config if config.yaml names it.
	ForgetConsole(ctx context.Context, host string) error

	// Wake turns a console on. It returns once the first WAKEUP was sent, or with
	// wait once the console is on, within 60 s (120 s right after a standby).
	Wake(ctx context.Context, host string, wait bool) error
	// Standby puts a console into rest mode and returns once it rests.
	Standby(ctx context.Context, host string) error
	// Start starts a title by its id or the name of an input, waking the console if
	// necessary. With noQuit it fails with title_running if another title runs.
	Start(ctx context.Context, host, title string, noQuit bool) error
	// Keys presses buttons in order: "up", "ps:2000" (held for milliseconds), "ps_hold".
	Keys(ctx context.Context, host string, keys []string) error

	// Keyboard returns the on-screen keyboard; it fails with keyboard_closed if
	// none is open.
	Keyboard(ctx context.Context, host string) (Keyboard, error)
	// SetText replaces the text of the on-screen keyboard.
	SetText(ctx context.Context, host, text string) error
	// Submit confirms the on-screen keyboard, after setting the text unless it is nil.
	Submit(ctx context.Context, host string, text *string) error
	// CloseKeyboard closes the on-screen keyboard without confirming.
	CloseKeyboard(ctx context.Context, host string) error

	// Link links this program with the console, using the PIN that the console
	// shows. A PS5, or a PS4 with link.RemotePlay, is linked for Remote Play, which
	// fails with account_needed if no account id is given or stored.
	Link(ctx context.Context, host string, link Link) error
	// SetRegistration links a console for Remote Play with the registration of
	// another program. An empty host is the console that r names.
	SetRegistration(ctx context.Context, host string, r Registration) error
	// SetCredential stores the PSN user of a console or, with an empty host, the
	// default user of all consoles. Without an account id, the stored one stays if
	// the credential does.
	SetCredential(ctx context.Context, host string, user User) error
	// Credential returns the PSN user of a console, or the default one.
	Credential(ctx context.Context, host string) (User, error)

	// Titles lists the inputs of a console in order.
	Titles(ctx context.Context, host string) ([]Title, error)
	// AddTitle adds an input for a title, given by its id, a content id, a PS Store
	// address, or the name of a media app.
	AddTitle(ctx context.Context, host, id, name string) error
	// ImportTitles adds inputs for titles in their order, at most MaxImport, while
	// there are free ones. Existing inputs keep everything. With dryRun it changes nothing.
	ImportTitles(ctx context.Context, host string, titles []ImportTitle, dryRun bool) (Imported, error)
	// RenameTitle renames an input; an empty name restores its own.
	RenameTitle(ctx context.Context, host, id, name string) error
	HideTitle(ctx context.Context, host, id string, hide bool) error
	PinTitle(ctx context.Context, host, id string, pin bool) error
	ForgetTitle(ctx context.Context, host, id string) error

	// Homekit lists the accessories by name.
	Homekit(ctx context.Context) ([]Accessory, error)
	// ResetHomekit removes every pairing of a console's accessory, or of the
	// companion bridge ("companion"). A damaged pairing file is set aside.
	ResetHomekit(ctx context.Context, host string) error

	// Backup returns the whole state, secrets included, as a gzipped tar.
	Backup(ctx context.Context) ([]byte, error)

	// WebPassword returns the generated password of the web page. It fails with
	// password_changed or password_configured if that is not the one in use.
	WebPassword(ctx context.Context) (Password, error)
	// RenewWebPassword generates a new password and ends every session.
	RenewWebPassword(ctx context.Context) (Password, error)
}

// Page is what only the web page and scripts ask of a running server.
type Page interface {
	Overview(ctx context.Context) (Overview, error)
	Events() *Events

	// RenameConsole renames a console, in HomeKit too.
	RenameConsole(ctx context.Context, host, name string) error
	// PermitKeys turns the remote control of a console with Remote Play on or off.
	// It fails with config if config.yaml decides otherwise.
	PermitKeys(ctx context.Context, host string, on bool) error
	// OrderTitles orders the inputs of a console. Inputs not named follow; an empty
	// list restores the default order.
	OrderTitles(ctx context.Context, host string, ids []string) error
	// Covers lists the titles of a console whose covers are cached, and starts
	// fetching the others.
	Covers(ctx context.Context, host string) ([]string, error)
	// Cover returns the cover of a title, fetching it if necessary, or fails with
	// not_found. Size is the longer side in pixels; 0 means as it came.
	Cover(ctx context.Context, titleID string, size int) (Picture, error)

	// SetAccount, SignIn and Capture store a credential for a console or, with an
	// empty host, for all that have none of their own: from a PSN account id, from
	// the address of the last page of a PSN sign-in, or from the PS4 Second Screen
	// app on a phone, waiting up to five minutes. An empty passcode means none.
	SetAccount(ctx context.Context, host, accountID, passcode string) error
	SignIn(ctx context.Context, host, address, passcode string) error
	Capture(ctx context.Context, host, passcode string) error
	// AuthorizeURL returns the address of the PSN sign-in for a browser.
	AuthorizeURL() string
	// PSNTitles lists the PS4 titles that a PSN account has played, the most recent
	// first, by an npsso token, which is not stored. With credential it also stores
	// the account's credential for all consoles that have none of their own.
	PSNTitles(ctx context.Context, npsso string, credential bool) ([]ImportTitle, error)
	// Library lists the media apps whose title id is known in a country, "de" or ""
	// for that of the configuration, and where to find other ids.
	Library(country string) Library
	// Test opens a new session with a console.
	Test(ctx context.Context, host string) error

	// SetupURI returns the content of an accessory's QR code, a secret; it fails
	// with paired once the accessory is paired.
	SetupURI(ctx context.Context, host string) (string, error)
	// Settings lists every configuration key, with secrets redacted.
	Settings() []Setting
	// SetSetting stores a setting, or restores its default if value is nil. It
	// fails with config if the value is invalid or set elsewhere.
	SetSetting(key string, value *string) error
	// Restart restarts the server; it returns before that.
	Restart() error
	// Restore checks a backup and restarts the server with it; it returns before
	// the restart. It fails with bad_backup, having changed nothing.
	Restore(archive []byte) (Restored, error)
}

// Accounts is what the API asks of package web: the sessions and tokens of the
// people and scripts that use it.
type Accounts interface {
	Session(ctx context.Context) Session
	ChangePassword(ctx context.Context, current, chosen string) error
	Tokens() []Token
	MakeToken(name, access string) (NewToken, error)
	RevokeToken(id string) error
}

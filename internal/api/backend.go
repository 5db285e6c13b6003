package api

import (
	"context"
	"net/http"
)

// Backend carries out the commands of the API. The running server implements
// it, and so does a command that runs without one.
type Backend interface {
	// Consoles lists the known consoles by name, as they were last seen.
	Consoles(context.Context, None) ([]Console, error)
	// Status asks one console for its state. A console that doesn't answer is
	// StateUnreachable, not an error.
	Status(context.Context, HostRequest) (Console, error)
	// AddConsole accepts the console that answers at an address: ADDR,
	// ADDR:DDPPORT or a host name. It fails with unreachable if none answers.
	AddConsole(context.Context, AddConsoleRequest) (Console, error)
	// ForgetConsole removes everything that is stored of a console, without asking
	// the console. It fails with config if config.yaml names it.
	ForgetConsole(context.Context, HostRequest) error
	// Search asks the network for consoles, and lists the ones that answer in time.
	Search(context.Context, SearchRequest) ([]Console, error)

	// Power puts a console into rest mode and returns once it rests, or turns it on.
	// Then it returns once the first WAKEUP was sent, or with Wait once the console
	// is on, within 60 s (120 s right after a standby).
	Power(context.Context, PowerRequest) error
	// Start starts a title by its id or the name of an input, waking the console if
	// necessary. With NoQuit it fails with title_running if another title runs.
	Start(context.Context, StartRequest) error
	// Keys presses buttons in order: "up", "ps:2000" (held for milliseconds), "ps_hold".
	Keys(context.Context, KeysRequest) error

	// Keyboard returns the on-screen keyboard; it fails with keyboard_closed if
	// none is open.
	Keyboard(context.Context, HostRequest) (Keyboard, error)
	// SetText replaces the text of the on-screen keyboard.
	SetText(context.Context, TextRequest) error
	// Submit confirms the on-screen keyboard, after setting the text unless it is nil.
	Submit(context.Context, SubmitRequest) error
	// CloseKeyboard closes the on-screen keyboard without confirming.
	CloseKeyboard(context.Context, HostRequest) error

	// Link links this program with the console, using the PIN that the console
	// shows. A PS5, or a PS4 with RemotePlay, is linked for Remote Play, which fails
	// with account_needed if no account id is given or stored.
	Link(context.Context, LinkRequest) error
	// SetRegistration links a console for Remote Play with the registration of
	// another program. An empty host is the console that the registration names.
	SetRegistration(context.Context, RegistrationRequest) error
	// Credential returns the PSN user of a console or, with an empty host, the
	// default user of all consoles.
	Credential(context.Context, HostRequest) (User, error)
	// SetCredential stores the PSN user of a console, or the default one. Without
	// an account id, the stored one stays if the credential does.
	SetCredential(context.Context, CredentialRequest) error

	// Titles lists the inputs of a console in order.
	Titles(context.Context, HostRequest) ([]Title, error)
	// AddTitle adds an input for a title, given by its id, a content id, a PS Store
	// address, or the name of a media app.
	AddTitle(context.Context, AddTitleRequest) error
	// ImportTitles adds inputs for titles in their order, at most MaxImport, while
	// there are free ones. Existing inputs keep everything. With DryRun it changes nothing.
	ImportTitles(context.Context, ImportTitlesRequest) (Imported, error)
	// ChangeTitle renames, hides or pins an input; an empty name restores its own.
	ChangeTitle(context.Context, ChangeTitleRequest) error
	ForgetTitle(context.Context, TitleRequest) error

	// Homekit lists the accessories by name.
	Homekit(context.Context, None) ([]Accessory, error)
	// ResetHomekit removes every pairing of a console's accessory, or of the
	// companion bridge ("companion"). A damaged pairing file is set aside.
	ResetHomekit(context.Context, HostRequest) error

	// Backup returns the whole state, secrets included.
	Backup(context.Context, None) (Archive, error)

	// WebPassword returns the generated password of the web page. It fails with
	// password_changed or password_configured if that is not the one in use.
	WebPassword(context.Context, None) (Password, error)
	// RenewWebPassword generates a new password and ends every session.
	RenewWebPassword(context.Context, None) (Password, error)
}

// Page is what only the web page and scripts ask of a running server.
type Page interface {
	Overview(context.Context, None) (Overview, error)
	// RenameConsole renames a console, in HomeKit too.
	RenameConsole(context.Context, NameRequest) error
	// PermitKeys turns the remote control of a console with Remote Play on or off.
	// It fails with config if config.yaml decides otherwise.
	PermitKeys(context.Context, PermitKeysRequest) error
	// OrderTitles orders the inputs of a console. Inputs not named follow; an empty
	// list restores the default order.
	OrderTitles(context.Context, OrderRequest) error
	// Covers lists the titles of a console whose covers are cached, and starts
	// fetching the others.
	Covers(context.Context, HostRequest) ([]string, error)
	// Cover returns the cover of a title, fetching it if necessary, or fails with
	// not_found.
	Cover(context.Context, CoverRequest) (Picture, error)

	// SetAccount, SignIn and Capture store a credential for a console or, with an
	// empty host, for all that have none of their own: from a PSN account id, from
	// the address of the last page of a PSN sign-in, or from the PS4 Second Screen
	// app on a phone, waiting up to five minutes. An empty passcode means none.
	SetAccount(context.Context, AccountRequest) error
	SignIn(context.Context, SignInRequest) error
	Capture(context.Context, CaptureRequest) error
	// AuthorizeURL returns the address of the PSN sign-in for a browser.
	AuthorizeURL() string
	// PSNTitles lists the PS4 titles that a PSN account has played, the most recent
	// first, by an npsso token, which is not stored. With Credential it also stores
	// the account's credential for all consoles that have none of their own.
	PSNTitles(context.Context, PsnTitlesRequest) ([]ImportTitle, error)
	// Library lists the media apps whose title id is known in a country, "de" or ""
	// for that of the configuration, and where to find other ids.
	Library(context.Context, LibraryRequest) (Library, error)
	// Test opens a new session with a console.
	Test(context.Context, HostRequest) error

	// SetupURI returns the content of an accessory's QR code, a secret; it fails
	// with paired once the accessory is paired.
	SetupURI(context.Context, HostRequest) (string, error)
	// Settings lists every configuration key, with secrets redacted.
	Settings(context.Context, None) ([]Setting, error)
	// SetSetting stores a setting, or restores its default if the value is nil. It
	// fails with config if the value is invalid or set elsewhere.
	SetSetting(context.Context, SettingRequest) error
	// Restart restarts the server; it returns before that.
	Restart(context.Context, None) error
	// Restore checks a backup and restarts the server with it; it returns before
	// the restart. It fails with bad_backup, having changed nothing.
	Restore(context.Context, Archive) (Restored, error)
}

// Accounts is what the API asks of package web: the sessions and tokens of the
// people and scripts that use it.
type Accounts interface {
	// Permit returns an error if a request lacks the access that it needs.
	Permit(r *http.Request, need Access) error
	// Caller returns a comparable value that identifies the session or token of a
	// request. Each may open only some of the streams of events.
	Caller(r *http.Request) any

	Session(context.Context, None) (Session, error)
	ChangePassword(context.Context, PasswordRequest) error
	Tokens(context.Context, None) ([]Token, error)
	MakeToken(context.Context, TokenRequest) (NewToken, error)
	RevokeToken(context.Context, TokenIDRequest) error
}

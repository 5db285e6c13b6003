package api

import (
	"context"
	"net/http"
)

// Backend carries out the commands of the API, which operations.go and
// requests.go describe, too. The running server implements it, and so does a
// command that runs without one.
type Backend interface {
	// Consoles lists the known consoles by name.
	Consoles(context.Context, None) ([]Console, error)
	// Status asks one console for its state. A console that doesn't answer is
	// StateUnreachable, not an error.
	Status(context.Context, HostRequest) (Console, error)
	// AddConsole fails with unreachable if no console answers.
	AddConsole(context.Context, AddConsoleRequest) (Console, error)
	// ForgetConsole doesn't ask the console.
	ForgetConsole(context.Context, HostRequest) error
	Search(context.Context, SearchRequest) ([]Console, error)

	// Power puts a console into rest mode and returns once it rests, or turns it on.
	// Then it returns once the first WAKEUP was sent, or with Wait once the console
	// is on, within 60 s (120 s right after a standby).
	Power(context.Context, PowerRequest) error
	Start(context.Context, StartRequest) error
	Keys(context.Context, KeysRequest) error

	// Keyboard, like the others of the on-screen keyboard, fails with
	// keyboard_closed if none is open.
	Keyboard(context.Context, HostRequest) (Keyboard, error)
	SetText(context.Context, TextRequest) error
	Submit(context.Context, SubmitRequest) error
	CloseKeyboard(context.Context, HostRequest) error

	Link(context.Context, LinkRequest) error
	// SetRegistration takes an empty host for the console that the registration
	// names.
	SetRegistration(context.Context, RegistrationRequest) error
	// Credential returns the PSN user of a console or, with an empty host, the
	// default user of all consoles.
	Credential(context.Context, HostRequest) (User, error)
	// SetCredential stores the PSN user of a console, or the default one. Without
	// an account id, the stored one stays if the credential does.
	SetCredential(context.Context, CredentialRequest) error

	Titles(context.Context, HostRequest) ([]Title, error)
	AddTitle(context.Context, AddTitleRequest) error
	ImportTitles(context.Context, ImportTitlesRequest) (Imported, error)
	ChangeTitle(context.Context, ChangeTitleRequest) error
	ForgetTitle(context.Context, TitleRequest) error

	// Homekit lists the accessories by name.
	Homekit(context.Context, None) ([]Accessory, error)
	// ResetHomekit sets a damaged pairing file aside.
	ResetHomekit(context.Context, HostRequest) error

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
	RenameConsole(context.Context, NameRequest) error
	PermitKeys(context.Context, PermitKeysRequest) error
	OrderTitles(context.Context, OrderRequest) error
	Covers(context.Context, HostRequest) ([]string, error)
	// Cover fetches the cover of a title if necessary, or fails with not_found.
	Cover(context.Context, CoverRequest) (Picture, error)

	// SetAccount, SignIn and Capture store a credential for a console or, with an
	// empty host, for all that have none of their own. An empty passcode means none.
	SetAccount(context.Context, AccountRequest) error
	SignIn(context.Context, SignInRequest) error
	Capture(context.Context, CaptureRequest) error
	// AuthorizeURL returns the address of the PSN sign-in for a browser.
	AuthorizeURL() string
	PSNTitles(context.Context, PsnTitlesRequest) ([]ImportTitle, error)
	Library(context.Context, LibraryRequest) (Library, error)
	// Test opens a new session with a console.
	Test(context.Context, HostRequest) error

	// SetupURI returns the content of an accessory's QR code, a secret; it fails
	// with paired once the accessory is paired.
	SetupURI(context.Context, HostRequest) (string, error)
	Settings(context.Context, None) ([]Setting, error)
	// SetSetting fails with config if the value is invalid or set elsewhere.
	SetSetting(context.Context, SettingRequest) error
	// Restart and Restore return before the server restarts.
	Restart(context.Context, None) error
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

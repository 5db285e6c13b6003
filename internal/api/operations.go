package api

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Prefix is the path of the API; the paths of operations are below it.
const Prefix = "/api/v1"

// Access is the right that an operation requires.
type Access uint8

// The levels of access. Each includes the ones before it.
const (
	AccessRead    Access = iota // see the consoles
	AccessControl               // drive them and edit their inputs
	AccessSetup                 // set up: link, credentials, HomeKit, settings, log
	AccessOwner                 // a person signed in to the page: backups, the password, tokens
	AccessSocket                // the unix socket only: reading stored secrets
)

func (a Access) String() string {
	return [...]string{"read", "control", "setup", "owner", "socket"}[a]
}

// operation is one row of the table of operations. The server routes requests
// by it, Client builds requests from it, and the OpenAPI document describes it.
type operation struct {
	id      string
	method  string
	path    string // below Prefix; {names} are fields of the request with that path tag
	access  Access
	summary string
	notes   string // more about it, for the document
	in, out reflect.Type
	handle  handler
}

// op declares an operation that do carries out for a service: a Backend, a Page
// or Accounts. The fields of In are the wildcards of the path, the query and
// the JSON body; Out is the result.
func op[Service, In, Out any](id, pattern string, access Access, summary string,
	do func(s Service, ctx context.Context, in In) (Out, error),
) operation {
	method, path, _ := strings.Cut(pattern, " ")
	return operation{
		id: id, method: method, path: path, access: access, summary: summary,
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](), handle: serve(do),
	}
}

// command declares an operation without a result.
func command[Service, In any](id, pattern string, access Access, summary string,
	do func(s Service, ctx context.Context, in In) error,
) operation {
	return op(id, pattern, access, summary, func(s Service, ctx context.Context, in In) (none, error) {
		return none{}, do(s, ctx, in)
	})
}

// withNotes adds a longer description for the document.
func (o operation) withNotes(notes string) operation {
	o.notes = notes
	return o
}

// alsoDefault returns an operation on the credential of one console, and the
// same on the default credential, which is used by all consoles that have none.
func (o operation) alsoDefault() []operation {
	of := o
	of.id += "OfAll"
	of.path = strings.TrimPrefix(o.path, "/consoles/{host}")
	of.summary += " that has none of its own"
	return []operation{o, of}
}

// Requests. A field that is left out is empty, and the service says if that is
// wrong. A pointer is required, unless it has omitempty.
type (
	none        struct{}
	hostRequest struct {
		Host string `path:"host" json:"-"`
	}
	searchRequest struct {
		Wait string `json:"wait" doc:"how long to wait for answers" example:"2s"`
	}
	addConsoleRequest struct {
		Address string `json:"address" doc:"ADDR, ADDR:DDPPORT or a host name" example:"192.168.1.20"`
	}
	powerRequest struct {
		Host  string `path:"host" json:"-"`
		State string `json:"state" enum:"awake,standby" example:"awake"`
		Wait  bool   `json:"wait,omitempty" doc:"with awake: answer once the console is on, within 60 s" example:"true"`
	}
	startRequest struct {
		Host   string `path:"host" json:"-"`
		Title  string `json:"title" doc:"its id, or the name of an input" example:"CUSA00129"`
		NoQuit bool   `json:"no_quit,omitempty" doc:"fail with title_running if another title is running"`
	}
	keysRequest struct {
		Host string   `path:"host" json:"-"`
		Keys []string `json:"keys" doc:"up, down, left, right, enter, back, option, ps, ps_hold or cancel; with Remote Play also triangle, square, share, touchpad, l1, r1, l2, r2, l3 or r3; ps:2000 holds for 2000 ms" example:"[\"up\",\"enter\",\"ps:2000\"]"`
	}
	nameRequest struct {
		Host string `path:"host" json:"-"`
		Name string `json:"name" doc:"1 to 64 bytes" example:"Den"`
	}
	permitKeysRequest struct {
		Host string `path:"host" json:"-"`
		On   bool   `json:"on" example:"true"`
	}
	textRequest struct {
		Host string  `path:"host" json:"-"`
		Text *string `json:"text" example:"abc"`
	}
	submitRequest struct {
		Host string  `path:"host" json:"-"`
		Text *string `json:"text,omitempty" doc:"set before; absent keeps the current text" example:"abc"`
	}
	addTitleRequest struct {
		Host string `path:"host" json:"-"`
		ID   string `json:"id" doc:"title id, content id, PS Store address, or the name of a media app" example:"CUSA00129"`
		Name string `json:"name,omitempty" doc:"empty for its own" example:"Films"`
	}
	importTitlesRequest struct {
		Host   string        `path:"host" json:"-"`
		Titles []ImportTitle `json:"titles" doc:"at most 500" example:"[{\"id\":\"CUSA00129\",\"name\":\"Netflix\"}]"`
		DryRun bool          `json:"dry_run,omitempty" doc:"change nothing" example:"true"`
	}
	psnTitlesRequest struct {
		NPSSO      string `json:"npsso" doc:"64 characters, from https://ca.account.sony.com/api/v1/ssocookie; as secret as a password" example:"0123456789012345678901234567890123456789012345678901234567890123"`
		Credential bool   `json:"credential,omitempty" doc:"also store the account's credential for all consoles that have none of their own"`
	}
	libraryRequest struct {
		Country string `query:"country" json:"-" doc:"code of two letters; default: art.country"`
	}
	titleRequest struct {
		Host string `path:"host" json:"-"`
		ID   string `path:"id" json:"-" doc:"title id, or the name of an input" example:"CUSA00129"`
	}
	changeTitleRequest struct {
		Host   string  `path:"host" json:"-"`
		ID     string  `path:"id" json:"-" doc:"title id, or the name of an input" example:"CUSA00129"`
		Name   *string `json:"name,omitempty" doc:"empty restores its own"`
		Hidden *bool   `json:"hidden,omitempty" example:"true"`
		Pinned *bool   `json:"pinned,omitempty"`
	}
	orderRequest struct {
		Host string    `path:"host" json:"-"`
		IDs  *[]string `json:"ids" example:"[\"HOME\",\"CUSA00129\"]"`
	}
	coverRequest struct {
		ID   string `path:"id" json:"-" doc:"title id" example:"CUSA00129"`
		Size int    `query:"size" json:"-" doc:"longer side in pixels: 96 or 256; 0 for the original"`
	}
	linkRequest struct {
		Host string `path:"host" json:"-"`
		Link
	}
	registrationRequest struct {
		Host string `path:"host" json:"-"`
		Registration
	}
	credentialRequest struct {
		Host string `path:"host" json:"-"`
		User
	}
	accountRequest struct {
		Host      string `path:"host" json:"-"`
		AccountID string `json:"account_id" doc:"decimal, or base64 of 8 bytes" example:"9019256736915509894"`
		Passcode  string `json:"passcode,omitempty" doc:"4 digits" pattern:"^[0-9]{4}$"`
	}
	signInRequest struct {
		Host     string `path:"host" json:"-"`
		Address  string `json:"address" doc:"of the last page of the sign-in that GET /psn names" example:"https://remoteplay.dl.playstation.net/remoteplay/redirect?code=v3.x"`
		Passcode string `json:"passcode,omitempty" doc:"4 digits" pattern:"^[0-9]{4}$"`
	}
	captureRequest struct {
		Host     string `path:"host" json:"-"`
		Passcode string `json:"passcode,omitempty" doc:"4 digits" pattern:"^[0-9]{4}$"`
	}
	logRequest struct {
		Level string `query:"level" json:"-" doc:"this level and above; default: debug" enum:"error,warn,info,debug"`
		Limit int    `query:"limit" json:"-" doc:"the last lines only; default: 500" range:"1,500"`
	}
	eventsRequest struct {
		Log   string `query:"log" json:"-" doc:"also send lines of the log, of this level and above; requires setup" enum:"error,warn,info,debug"`
		Limit int    `query:"limit" json:"-" doc:"begin with this many past lines of the log; default: none" range:"0,500"`
	}
	settingRequest struct {
		Key   string  `path:"key" json:"-" doc:"of config.yaml" example:"poll.interval"`
		Value *string `json:"value,omitempty" doc:"as in config.yaml; absent restores the default" example:"2s"`
	}
	passwordRequest struct {
		Current string `json:"current" doc:"may be empty in a session, while the generated password is in use" example:"old password"`
		New     string `json:"new" example:"new password"`
	}
	tokenRequest struct {
		Name   string `json:"name" example:"doorbell"`
		Access string `json:"access" enum:"read,control" example:"control"`
	}
	tokenIDRequest struct {
		ID string `path:"id" json:"-" doc:"id of a token" example:"abcd2345"`
	}
)

// psnSignIn is the answer of GET /psn.
type psnSignIn struct {
	AuthorizeURL string `json:"authorize_url"`
}

// operations returns the table of all operations.
func operations() []operation {
	return slices.Concat(backendOperations(), pageOperations(), accountOperations())
}

// backendOperations are also available without a running server, through
// Backend.
func backendOperations() []operation {
	return slices.Concat([]operation{
		op("consoles", "GET /consoles", AccessRead, "List the known consoles, as last seen",
			func(b Backend, ctx context.Context, _ none) ([]Console, error) { return b.Consoles(ctx) }),
		op("status", "GET /consoles/{host}", AccessRead, "Ask one console for its state",
			func(b Backend, ctx context.Context, in hostRequest) (Console, error) { return b.Status(ctx, in.Host) }),
		op("addConsole", "POST /consoles", AccessSetup, "Accept the console that answers at an address",
			func(b Backend, ctx context.Context, in addConsoleRequest) (Console, error) {
				return b.AddConsole(ctx, in.Address)
			}),
		command("forgetConsole", "DELETE /consoles/{host}", AccessSetup, "Forget a console and everything that is stored of it",
			func(b Backend, ctx context.Context, in hostRequest) error {
				if in.Host == "" {
					return errBadRequest("name the console to forget")
				}
				return b.ForgetConsole(ctx, in.Host)
			}).
			withNotes("Fails with config if config.yaml names it. A console that still answers searches comes back as one that was only found."),
		op("search", "POST /search", AccessRead, "Search the network for consoles",
			func(b Backend, ctx context.Context, in searchRequest) ([]Console, error) {
				wait, err := time.ParseDuration(in.Wait)
				if err != nil || wait < 0 {
					return nil, errBadRequest(`wait must be a duration like "2s"`)
				}
				return b.Search(ctx, wait)
			}),
		command("power", "POST /consoles/{host}/power", AccessControl, "Wake a console, or put it into rest mode", power),
		command("start", "POST /consoles/{host}/start", AccessControl, "Start a title, waking the console if necessary",
			func(b Backend, ctx context.Context, in startRequest) error {
				return b.Start(ctx, in.Host, in.Title, in.NoQuit)
			}),
		command("keys", "POST /consoles/{host}/keys", AccessControl, "Press buttons in order",
			func(b Backend, ctx context.Context, in keysRequest) error { return b.Keys(ctx, in.Host, in.Keys) }),
		command("link", "POST /consoles/{host}/link", AccessSetup, "Link ps4kit with a console",
			func(b Backend, ctx context.Context, in linkRequest) error { return b.Link(ctx, in.Host, in.Link) }).
			withNotes("A PS5, or a PS4 with remote_play, is linked for Remote Play. That fails with account_needed if no account id is given or stored."),
		command("setRegistration", "PUT /consoles/{host}/registration", AccessSetup, "Link a console for Remote Play with the registration of another program",
			func(b Backend, ctx context.Context, in registrationRequest) error {
				return b.SetRegistration(ctx, in.Host, in.Registration)
			}),

		op("keyboard", "GET /consoles/{host}/keyboard", AccessControl, "Get the on-screen keyboard",
			func(b Backend, ctx context.Context, in hostRequest) (Keyboard, error) {
				return b.Keyboard(ctx, in.Host)
			}).
			withNotes("Fails with keyboard_closed if none is open."),
		command("setText", "PUT /consoles/{host}/keyboard", AccessControl, "Replace the text of the on-screen keyboard",
			func(b Backend, ctx context.Context, in textRequest) error {
				if in.Text == nil {
					return errBadRequest("text is missing")
				}
				return b.SetText(ctx, in.Host, *in.Text)
			}),
		command("submit", "POST /consoles/{host}/keyboard/submit", AccessControl, "Confirm the on-screen keyboard",
			func(b Backend, ctx context.Context, in submitRequest) error { return b.Submit(ctx, in.Host, in.Text) }),
		command("closeKeyboard", "DELETE /consoles/{host}/keyboard", AccessControl, "Close the on-screen keyboard without confirming",
			func(b Backend, ctx context.Context, in hostRequest) error { return b.CloseKeyboard(ctx, in.Host) }),

		op("titles", "GET /consoles/{host}/titles", AccessRead, "List the inputs of a console in order",
			func(b Backend, ctx context.Context, in hostRequest) ([]Title, error) { return b.Titles(ctx, in.Host) }),
		command("addTitle", "POST /consoles/{host}/titles", AccessControl, "Add an input for a title",
			func(b Backend, ctx context.Context, in addTitleRequest) error {
				return b.AddTitle(ctx, in.Host, in.ID, in.Name)
			}),
		op("importTitles", "POST /consoles/{host}/titles/import", AccessControl, "Add inputs for titles while there are free ones",
			func(b Backend, ctx context.Context, in importTitlesRequest) (Imported, error) {
				if len(in.Titles) > MaxImport {
					return Imported{}, errBadRequest(fmt.Sprintf("at most %d titles can be imported at once", MaxImport))
				}
				return b.ImportTitles(ctx, in.Host, in.Titles, in.DryRun)
			}),
		command("changeTitle", "PATCH /consoles/{host}/titles/{id}", AccessControl, "Rename, hide or pin an input: one of these",
			changeTitle),
		command("forgetTitle", "DELETE /consoles/{host}/titles/{id}", AccessControl, "Forget an input until its title runs again",
			func(b Backend, ctx context.Context, in titleRequest) error { return b.ForgetTitle(ctx, in.Host, in.ID) }),

		op("homekit", "GET /homekit", AccessSetup, "List the accessories, with the setup codes of unpaired ones",
			func(b Backend, ctx context.Context, _ none) ([]Accessory, error) { return b.Homekit(ctx) }),
		command("unpair", "DELETE /homekit/{host}/pairings", AccessSetup, "Remove every pairing of an accessory",
			func(b Backend, ctx context.Context, in hostRequest) error { return b.ResetHomekit(ctx, in.Host) }),

		op("backup", "GET /backup", AccessOwner, "Get the whole state, secrets included",
			func(b Backend, ctx context.Context, _ none) (archive, error) { return b.Backup(ctx) }),
		op("firstPassword", "GET /password", AccessSocket, "Get the generated password of the page",
			func(b Backend, ctx context.Context, _ none) (Password, error) { return b.WebPassword(ctx) }),
		op("newPassword", "POST /password", AccessSocket, "Generate a new password for the page",
			func(b Backend, ctx context.Context, _ none) (Password, error) { return b.RenewWebPassword(ctx) }),
	},
		op("credential", "GET /consoles/{host}/credential", AccessSocket, "Get the PSN user of a console",
			func(b Backend, ctx context.Context, in hostRequest) (User, error) { return b.Credential(ctx, in.Host) }).alsoDefault(),
		command("setCredential", "PUT /consoles/{host}/credential", AccessSetup, "Store the PSN user of a console",
			func(b Backend, ctx context.Context, in credentialRequest) error {
				return b.SetCredential(ctx, in.Host, in.User)
			}).alsoDefault(),
	)
}

func power(b Backend, ctx context.Context, in powerRequest) error {
	switch {
	case in.State == StateAwake:
		return b.Wake(ctx, in.Host, in.Wait)
	case in.State == StateStandby && in.Wait:
		return errBadRequest("wait is valid with the state awake only: standby always waits")
	case in.State == StateStandby:
		return b.Standby(ctx, in.Host)
	}
	return errBadRequest(`state must be "awake" or "standby"`)
}

// changeTitle makes one change only, so that no request is ever half done.
func changeTitle(b Backend, ctx context.Context, in changeTitleRequest) error {
	switch {
	case in.Name != nil && in.Hidden == nil && in.Pinned == nil:
		return b.RenameTitle(ctx, in.Host, in.ID, *in.Name)
	case in.Name == nil && in.Hidden != nil && in.Pinned == nil:
		return b.HideTitle(ctx, in.Host, in.ID, *in.Hidden)
	case in.Name == nil && in.Hidden == nil && in.Pinned != nil:
		return b.PinTitle(ctx, in.Host, in.ID, *in.Pinned)
	}
	return errBadRequest("give exactly one of name, hidden and pinned")
}

// pageOperations require a running server.
func pageOperations() []operation {
	return slices.Concat([]operation{
		op("overview", "GET /overview", AccessRead, "List the consoles with everything the page shows",
			func(p Page, ctx context.Context, _ none) (Overview, error) { return p.Overview(ctx) }),
		op("events", "GET /events", AccessRead, "Follow changes as server-sent events",
			func(p Page, _ context.Context, in eventsRequest) (stream, error) {
				return stream{p.Events(), p, in}, nil
			}).
			withNotes("The event overview carries an Overview, at first and after each change, at most five times a second. " +
				"The event log carries a LogLine. A comment every 15 s keeps the connection open."),
		op("log", "GET /log", AccessSetup, "Get the end of the log",
			func(p Page, _ context.Context, in logRequest) ([]LogLine, error) {
				return p.Events().log.query(in), nil
			}),

		command("rename", "PUT /consoles/{host}/name", AccessControl, "Rename a console, in HomeKit too",
			func(p Page, ctx context.Context, in nameRequest) error { return p.RenameConsole(ctx, in.Host, in.Name) }),
		command("permitKeys", "PUT /consoles/{host}/remote-play-keys", AccessSetup, "Turn the remote control of a console with Remote Play on or off",
			func(p Page, ctx context.Context, in permitKeysRequest) error {
				return p.PermitKeys(ctx, in.Host, in.On)
			}).
			withNotes("Without it only ps can be pressed. Fails with config if config.yaml decides otherwise."),
		command("orderTitles", "PUT /consoles/{host}/titles/order", AccessControl, "Order the inputs of a console",
			func(p Page, ctx context.Context, in orderRequest) error {
				if in.IDs == nil {
					return errBadRequest("ids is missing")
				}
				return p.OrderTitles(ctx, in.Host, *in.IDs)
			}).
			withNotes("Inputs not named follow. An empty list restores the default order."),
		op("covers", "GET /consoles/{host}/covers", AccessRead, "List the titles of a console whose covers are cached",
			func(p Page, ctx context.Context, in hostRequest) ([]string, error) { return p.Covers(ctx, in.Host) }).
			withNotes("The server starts fetching the others."),
		op("cover", "GET /titles/{id}/cover", AccessRead, "Get the cover of a title",
			func(p Page, ctx context.Context, in coverRequest) (Picture, error) {
				return p.Cover(ctx, in.ID, in.Size)
			}),

		command("test", "POST /consoles/{host}/test", AccessControl, "Test that a console accepts a session",
			func(p Page, ctx context.Context, in hostRequest) error { return p.Test(ctx, in.Host) }),
		op("psn", "GET /psn", AccessSetup, "Get the address of the PSN sign-in for a browser",
			func(p Page, _ context.Context, _ none) (psnSignIn, error) { return psnSignIn{p.AuthorizeURL()}, nil }),
		op("psnTitles", "POST /psn/titles", AccessSetup, "List the titles of a PSN account, by its npsso token",
			func(p Page, ctx context.Context, in psnTitlesRequest) ([]ImportTitle, error) {
				return p.PSNTitles(ctx, in.NPSSO, in.Credential)
			}).
			withNotes("The most recently played come first, at most 500. The token is used once and not stored. To Sony this looks like a sign-in of its Android app."),
		op("library", "GET /library", AccessRead, "List the media apps with their title ids in a country, and where to find others",
			func(p Page, _ context.Context, in libraryRequest) (Library, error) {
				return p.Library(in.Country), nil
			}),
		op("qr", "GET /homekit/{host}/qr", AccessSetup, "Get the QR code of an unpaired accessory",
			func(p Page, ctx context.Context, in hostRequest) (vector, error) {
				uri, err := p.SetupURI(ctx, in.Host)
				if err != nil {
					return nil, err
				}
				return qrCode(uri)
			}).
			withNotes("Fails with paired once the accessory is paired, and with pairing_locked while pairing is locked."),
		op("settings", "GET /settings", AccessSetup, "List every configuration key and the source of its value",
			func(p Page, _ context.Context, _ none) ([]Setting, error) { return p.Settings(), nil }),
		command("setSetting", "PUT /settings/{key}", AccessSetup, "Change a setting that is marked as editable",
			func(p Page, _ context.Context, in settingRequest) error { return p.SetSetting(in.Key, in.Value) }).
			withNotes("GET /settings tells whether it waits for a restart."),
		command("restart", "POST /restart", AccessOwner, "Restart the server in the same process",
			func(p Page, _ context.Context, _ none) error { return p.Restart() }),
		op("restore", "POST /restore", AccessOwner, "Replace the whole state with a backup",
			func(p Page, _ context.Context, in archive) (Restored, error) { return p.Restore(in) }).
			withNotes("The backup, of at most 16 MB, is checked first (bad_backup). Then the server restarts with it in the same process."),
	},
		command("setAccount", "PUT /consoles/{host}/credential/account", AccessSetup, "Store a credential by PSN account id for a console",
			func(p Page, ctx context.Context, in accountRequest) error {
				return p.SetAccount(ctx, in.Host, in.AccountID, in.Passcode)
			}).alsoDefault(),
		command("signIn", "PUT /consoles/{host}/credential/psn", AccessSetup, "Store a credential by signing in to PSN for a console",
			func(p Page, ctx context.Context, in signInRequest) error {
				return p.SignIn(ctx, in.Host, in.Address, in.Passcode)
			}).alsoDefault(),
		command("capture", "POST /consoles/{host}/credential/capture", AccessSetup, "Store a credential captured from the phone app for a console",
			func(p Page, ctx context.Context, in captureRequest) error {
				return p.Capture(ctx, in.Host, in.Passcode)
			}).
			withNotes("Answers once the PS4 Second Screen app has sent it, within five minutes. Needs UDP port 987 (port_rights, port_taken).").
			alsoDefault(),
	)
}

// accountOperations are about the people and scripts that use the page, and not
// available on the socket.
func accountOperations() []operation {
	return []operation{
		op("session", "GET /session", AccessRead, "Describe the server and the session",
			func(a Accounts, ctx context.Context, _ none) (Session, error) { return a.Session(ctx), nil }),
		command("setPassword", "PUT /password", AccessOwner, "Change the password of the page",
			func(a Accounts, ctx context.Context, in passwordRequest) error {
				return a.ChangePassword(ctx, in.Current, in.New)
			}),
		op("tokens", "GET /tokens", AccessOwner, "List the tokens",
			func(a Accounts, _ context.Context, _ none) ([]Token, error) { return a.Tokens(), nil }),
		op("makeToken", "POST /tokens", AccessOwner, "Make a token",
			func(a Accounts, _ context.Context, in tokenRequest) (NewToken, error) {
				return a.MakeToken(in.Name, in.Access)
			}),
		command("revokeToken", "DELETE /tokens/{id}", AccessOwner, "Revoke a token",
			func(a Accounts, _ context.Context, in tokenIDRequest) error { return a.RevokeToken(in.ID) }),
	}
}

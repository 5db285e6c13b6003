package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
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

// operation is one row of the table of operations. Handler routes requests by
// it, a Client builds requests from it, and the OpenAPI document describes it.
type operation struct {
	id          string
	method      string
	path        string // below Prefix; {names} are fields of the request with that path tag
	defaultPath string // of the variant for all consoles that have no value of their own, if there is one
	access      Access
	summary     string
	notes       string // more about it, for the document
	in, out     reflect.Type
	serve       func(s Services, w http.ResponseWriter, r *http.Request)
}

// Query is an operation that returns an Out.
type Query[In, Out any] struct {
	*operation
	do func(s Services, ctx context.Context, in In) (Out, error)
}

// Command is an operation without a result.
type Command[In any] struct{ Query[In, None] }

// query declares an operation that do carries out. The fields of In are the
// wildcards of the path, the query and the JSON body. An optional start of the
// path is in brackets. The first line of doc is the summary; more lines are for
// the document only.
func query[In, Out any](id, pattern string, access Access, doc string,
	do func(s Services, ctx context.Context, in In) (Out, error),
) Query[In, Out] {
	o := &operation{id: id, access: access, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out]()}
	o.method, o.path, _ = strings.Cut(pattern, " ")
	o.summary, o.notes, _ = strings.Cut(doc, "\n")
	if optional, rest, ok := strings.Cut(o.path, "]"); ok {
		o.path, o.defaultPath = optional[1:]+rest, rest
	}
	q := Query[In, Out]{o, do}
	o.serve = q.serve
	return q
}

// command declares an operation without a result.
func command[In any](id, pattern string, access Access, doc string,
	do func(s Services, ctx context.Context, in In) error,
) Command[In] {
	return Command[In]{query(id, pattern, access, doc, func(s Services, ctx context.Context, in In) (None, error) {
		return None{}, do(s, ctx, in)
	})}
}

func (o *operation) row() *operation { return o }

// rows returns the rows of operations.
func rows(list ...interface{ row() *operation }) []*operation {
	table := make([]*operation, 0, 2*len(list))
	for _, o := range list {
		one := o.row()
		table = append(table, one)
		if one.defaultPath != "" {
			all := *one
			all.id += "OfAll"
			all.path = one.defaultPath
			all.summary += " that has none of its own"
			table = append(table, &all)
		}
	}
	return table
}

// The operations of a Backend. They are also available without a running
// server.
var (
	Consoles   = query("consoles", "GET /consoles", AccessRead, "List the known consoles, as last seen", Services.Consoles)
	Status     = query("status", "GET /consoles/{host}", AccessRead, "Ask one console for its state", Services.Status)
	AddConsole = query("addConsole", "POST /consoles", AccessSetup, "Accept the console that answers at an address",
		Services.AddConsole)
	ForgetConsole = command("forgetConsole", "DELETE /consoles/{host}", AccessSetup,
		"Forget a console and everything that is stored of it\n"+
			"Fails with config if config.yaml names it. A console that still answers searches comes back as one that was only found.",
		Services.ForgetConsole)
	Search = query("search", "POST /search", AccessRead, "Search the network for consoles", Services.Search)

	Power = command("power", "POST /consoles/{host}/power", AccessControl, "Wake a console, or put it into rest mode", Services.Power)
	Start = command("start", "POST /consoles/{host}/start", AccessControl, "Start a title, waking the console if necessary",
		Services.Start)
	Keys = command("keys", "POST /consoles/{host}/keys", AccessControl, "Press buttons in order", Services.Keys)

	GetKeyboard = query("keyboard", "GET /consoles/{host}/keyboard", AccessControl,
		"Get the on-screen keyboard\nFails with keyboard_closed if none is open.", Services.Keyboard)
	SetText = command("setText", "PUT /consoles/{host}/keyboard", AccessControl, "Replace the text of the on-screen keyboard",
		Services.SetText)
	Submit = command("submit", "POST /consoles/{host}/keyboard/submit", AccessControl, "Confirm the on-screen keyboard",
		Services.Submit)
	CloseKeyboard = command("closeKeyboard", "DELETE /consoles/{host}/keyboard", AccessControl,
		"Close the on-screen keyboard without confirming", Services.CloseKeyboard)

	Link = command("link", "POST /consoles/{host}/link", AccessSetup, "Link ps4kit with a console\n"+
		"A PS5, or a PS4 with remote_play, is linked for Remote Play. That fails with account_needed if no account id is given or stored.",
		Services.Link)
	SetRegistration = command("setRegistration", "PUT /consoles/{host}/registration", AccessSetup,
		"Link a console for Remote Play with the registration of another program", Services.SetRegistration)
	Credential = query("credential", "GET [/consoles/{host}]/credential", AccessSocket, "Get the PSN user of a console",
		Services.Credential)
	SetCredential = command("setCredential", "PUT [/consoles/{host}]/credential", AccessSetup, "Store the PSN user of a console",
		Services.SetCredential)

	Titles   = query("titles", "GET /consoles/{host}/titles", AccessRead, "List the inputs of a console in order", Services.Titles)
	AddTitle = command("addTitle", "POST /consoles/{host}/titles", AccessControl, "Add an input for a title", Services.AddTitle)

	ImportTitles = query("importTitles", "POST /consoles/{host}/titles/import", AccessControl,
		"Add inputs for titles while there are free ones", Services.ImportTitles)
	ChangeTitle = command("changeTitle", "PATCH /consoles/{host}/titles/{id}", AccessControl,
		"Rename, hide or pin an input: one of these", Services.ChangeTitle)
	ForgetTitle = command("forgetTitle", "DELETE /consoles/{host}/titles/{id}", AccessControl,
		"Forget an input until its title runs again", Services.ForgetTitle)

	Homekit = query("homekit", "GET /homekit", AccessSetup, "List the accessories, with the setup codes of unpaired ones",
		Services.Homekit)
	ResetHomekit = command("unpair", "DELETE /homekit/{host}/pairings", AccessSetup, "Remove every pairing of an accessory",
		Services.ResetHomekit)

	Backup      = query("backup", "GET /backup", AccessOwner, "Get the whole state, secrets included", Services.Backup)
	WebPassword = query("firstPassword", "GET /password", AccessSocket, "Get the generated password of the page",
		Services.WebPassword)
	RenewWebPassword = query("newPassword", "POST /password", AccessSocket, "Generate a new password for the page",
		Services.RenewWebPassword)
)

// Restore is the one operation of a Page that a command uses.
var Restore = query("restore", "POST /restore", AccessOwner, "Replace the whole state with a backup\n"+
	"The backup, of at most 16 MB, is checked first (bad_backup). Then the server restarts with it in the same process.", Services.Restore)

// operations returns the table of all operations.
func operations() []*operation {
	return slices.Concat(backendOperations(), pageOperations(), accountOperations())
}

func backendOperations() []*operation {
	openAPI := query("openapi", "GET /openapi.json", AccessRead, "Get this document",
		func(Services, context.Context, None) (object, error) { return document(), nil })
	return rows(openAPI, Consoles, Status, AddConsole, ForgetConsole, Search, Power, Start, Keys, Link, SetRegistration,
		GetKeyboard, SetText, Submit, CloseKeyboard, Titles, AddTitle, ImportTitles, ChangeTitle, ForgetTitle,
		Homekit, ResetHomekit, Backup, WebPassword, RenewWebPassword, Credential, SetCredential)
}

// pageOperations require a running server.
func pageOperations() []*operation {
	return rows(
		query("overview", "GET /overview", AccessRead, "List the consoles with everything the page shows", Services.Overview),
		query("events", "GET /events", AccessRead, "Follow changes as server-sent events\n"+
			"The event overview carries an Overview, at first and after each change, at most five times a second. "+
			"The event log carries a LogLine. A comment every 15 s keeps the connection open.",
			func(s Services, _ context.Context, in EventsRequest) (stream, error) {
				return stream{s, in}, nil
			}),
		query("log", "GET /log", AccessSetup, "Get the end of the log",
			func(s Services, _ context.Context, in LogRequest) ([]LogLine, error) {
				lines, _ := s.Events.log.after(0, cmp.Or(in.Level, "debug"))
				return lines[max(0, len(lines)-cmp.Or(in.Limit, keptLines)):], nil
			}),

		command("rename", "PUT /consoles/{host}/name", AccessControl, "Rename a console, in HomeKit too", Services.RenameConsole),
		command("permitKeys", "PUT /consoles/{host}/remote-play-keys", AccessSetup,
			"Turn the remote control of a console with Remote Play on or off\n"+
				"Without it only ps can be pressed. Fails with config if config.yaml decides otherwise.", Services.PermitKeys),
		command("orderTitles", "PUT /consoles/{host}/titles/order", AccessControl,
			"Order the inputs of a console\nInputs not named follow. An empty list restores the default order.", Services.OrderTitles),
		query("covers", "GET /consoles/{host}/covers", AccessRead,
			"List the titles of a console whose covers are cached\nThe server starts fetching the others.", Services.Covers),
		query("cover", "GET /titles/{id}/cover", AccessRead, "Get the cover of a title", Services.Cover),

		command("test", "POST /consoles/{host}/test", AccessControl, "Test that a console accepts a session", Services.Test),
		query("psn", "GET /psn", AccessSetup, "Get the address of the PSN sign-in for a browser",
			func(s Services, _ context.Context, _ None) (psnSignIn, error) {
				return psnSignIn{s.AuthorizeURL()}, nil
			}),
		query("psnTitles", "POST /psn/titles", AccessSetup, "List the titles of a PSN account, by its npsso token\n"+
			"The most recently played come first, at most 500. The token is used once and not stored. "+
			"To Sony this looks like a sign-in of its Android app.", Services.PSNTitles),
		query("library", "GET /library", AccessRead,
			"List the media apps with their title ids in a country, and where to find others", Services.Library),
		query("qr", "GET /homekit/{host}/qr", AccessSetup, "Get the QR code of an unpaired accessory\n"+
			"Fails with paired once the accessory is paired, and with pairing_locked while pairing is locked.",
			func(s Services, ctx context.Context, in HostRequest) (vector, error) {
				uri, err := s.SetupURI(ctx, in)
				if err != nil {
					return nil, err
				}
				return qrCode(uri)
			}),
		query("settings", "GET /settings", AccessSetup, "List every configuration key and the source of its value", Services.Settings),
		command("setSetting", "PUT /settings/{key}", AccessSetup,
			"Change a setting that is marked as editable\nGET /settings tells whether it waits for a restart.", Services.SetSetting),
		command("restart", "POST /restart", AccessOwner, "Restart the server in the same process", Services.Restart),
		Restore,
		command("setAccount", "PUT [/consoles/{host}]/credential/account", AccessSetup,
			"Store a credential by PSN account id for a console", Services.SetAccount),
		command("signIn", "PUT [/consoles/{host}]/credential/psn", AccessSetup,
			"Store a credential by signing in to PSN for a console", Services.SignIn),
		command("capture", "POST [/consoles/{host}]/credential/capture", AccessSetup,
			"Store a credential captured from the phone app for a console\n"+
				"Answers once the PS4 Second Screen app has sent it, within five minutes. Needs UDP port 987 (port_rights, port_taken).",
			Services.Capture),
	)
}

// psnSignIn is the answer of GET /psn.
type psnSignIn struct {
	AuthorizeURL string `json:"authorize_url"`
}

// accountOperations are about the people and scripts that use the page, and not
// available on the socket.
func accountOperations() []*operation {
	return rows(
		query("session", "GET /session", AccessRead, "Describe the server and the session", Services.Session),
		command("setPassword", "PUT /password", AccessOwner, "Change the password of the page", Services.ChangePassword),
		query("tokens", "GET /tokens", AccessOwner, "List the tokens", Services.Tokens),
		query("makeToken", "POST /tokens", AccessOwner, "Make a token", Services.MakeToken),
		command("revokeToken", "DELETE /tokens/{id}", AccessOwner, "Revoke a token", Services.RevokeToken),
	)
}

package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// asked is one use of an operation, with what arrives at the Backend and what it
// answers; do returns the answer of the client, or nil for a command.
type asked struct {
	want   call
	result any
	do     func(ctx context.Context, c *api.Client) (any, error)
}

func queried[In, Out any](method string, q api.Query[In, Out], in In, out Out) asked {
	return asked{call{method, in}, out, func(ctx context.Context, c *api.Client) (any, error) { return q.Do(ctx, c, in) }}
}

func commanded[In any](method string, o api.Command[In], in In) asked {
	return asked{call{method, in}, nil, func(ctx context.Context, c *api.Client) (any, error) { return nil, o.Do(ctx, c, in) }}
}

var (
	den    = api.Console{Address: "127.0.0.5:9987", HostID: "A0B1C2D3E4F5", Name: "Den", State: api.StateAwake, RequestPort: 997, TitleID: "CUSA00129", TitleName: "Netflix: ünïcode <&>"}
	played = api.Title{ID: "CUSA00129", Name: "Netflix", Identifier: 3, Pinned: true, LastPlayed: time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)}
	paired = api.Accessory{Name: "Den", Port: 20001, SetupCode: "518-08-582", Controllers: []api.Controller{{ID: "x", Admin: true}}}
	psn    = api.User{Credential: strings.Repeat("5a", 32), Passcode: "1234", AccountID: "9019256736915509894"}
	link   = api.LinkRequest{Host: "Den", PIN: "12345678", RemotePlay: true, AccountID: "9019256736915509894"}

	registration = api.RegistrationRequest{
		HostID: "0123456789AB", HostType: "PS5", Nickname: "Den", AccountID: "9019256736915509894",
		RegistKey: "d1e2f3a4", RPKey: "00112233445566778899aabbccddeeff", KeyType: "2",
	}
	imports = []api.ImportTitle{
		{ID: "CUSA00129", Name: "Netflix", ImageURL: "https://image.api.playstation.com/x.png", LastPlayed: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)},
		{ID: "EP0000-CUSA00207_00-X"},
	}
	text = "π\n\x00\"🎮"
)

func everyMethod() []asked {
	den, no := []api.Console{den}, api.None{}
	return []asked{
		queried("Search", api.Search, api.SearchRequest{Wait: "1.500000007s"}, den),
		queried("Consoles", api.Consoles, no, append(den, api.Console{Name: "B"})),
		queried("Status", api.Status, api.HostRequest{Host: "127.0.0.5:9987"}, den[0]),
		queried("Status", api.Status, api.HostRequest{}, den[0]),
		queried("AddConsole", api.AddConsole, api.AddConsoleRequest{Address: "den.lan"}, den[0]),
		commanded("ForgetConsole", api.ForgetConsole, api.HostRequest{Host: "127.0.0.5:9987"}),
		commanded("Power", api.Power, api.PowerRequest{Host: "Den", State: api.StateAwake, Wait: true}),
		commanded("Power", api.Power, api.PowerRequest{Host: "Den", State: api.StateAwake}),
		commanded("Power", api.Power, api.PowerRequest{State: api.StateStandby}),
		commanded("Start", api.Start, api.StartRequest{Host: "Den", Title: "CUSA00129", NoQuit: true}),
		commanded("Start", api.Start, api.StartRequest{Host: "Den", Title: "Net/flix"}),
		commanded("Keys", api.Keys, api.KeysRequest{Host: "Den", Keys: []string{"up", "ps:2000"}}),
		queried("Keyboard", api.GetKeyboard, api.HostRequest{Host: "Den"}, api.Keyboard{Text: text, MaxLength: 100}),
		commanded("SetText", api.SetText, api.TextRequest{Host: "Den", Text: &text}),
		commanded("SetText", api.SetText, api.TextRequest{Host: "Den", Text: new("")}),
		commanded("Submit", api.Submit, api.SubmitRequest{Host: "Den"}),
		commanded("Submit", api.Submit, api.SubmitRequest{Host: "Den", Text: &text}),
		commanded("Submit", api.Submit, api.SubmitRequest{Host: "Den", Text: new("")}),
		commanded("CloseKeyboard", api.CloseKeyboard, api.HostRequest{Host: "Den"}),
		commanded("Link", api.Link, link),
		commanded("SetRegistration", api.SetRegistration, registration),
		commanded("SetCredential", api.SetCredential, api.CredentialRequest{Host: "Den", User: psn}),
		commanded("SetCredential", api.SetCredential, api.CredentialRequest{Host: "-x", User: psn}),
		commanded("SetCredential", api.SetCredential, api.CredentialRequest{User: psn}),
		queried("Credential", api.Credential, api.HostRequest{Host: "Den"}, psn),
		queried("Credential", api.Credential, api.HostRequest{}, psn),
		queried("Titles", api.Titles, api.HostRequest{Host: "Den"}, []api.Title{played, {ID: "HOME"}}),
		commanded("AddTitle", api.AddTitle, api.AddTitleRequest{Host: "Den", ID: "CUSA00129", Name: "N"}),
		queried("ImportTitles", api.ImportTitles, api.ImportTitlesRequest{Host: "Den", Titles: imports, DryRun: true},
			api.Imported{Added: []string{"CUSA00129"}, Known: []string{}, NoSlot: []string{"X"}}),
		commanded("ChangeTitle", api.ChangeTitle, api.ChangeTitleRequest{Host: "Den", ID: "CUSA00129", Name: new("")}),
		commanded("ChangeTitle", api.ChangeTitle, api.ChangeTitleRequest{Host: "Den", ID: "CUSA00129", Hidden: new(false)}),
		commanded("ChangeTitle", api.ChangeTitle, api.ChangeTitleRequest{Host: "Den", Pinned: new(true)}),
		commanded("ForgetTitle", api.ForgetTitle, api.TitleRequest{Host: "Den", ID: "a/b"}),
		queried("Homekit", api.Homekit, no, []api.Accessory{paired}),
		commanded("ResetHomekit", api.ResetHomekit, api.HostRequest{Host: "Den"}),
		queried("Backup", api.Backup, no, bytes.Repeat([]byte{0x1f, 0x8b, 0}, 1<<20)),
		queried("WebPassword", api.WebPassword, no, api.Password{Password: "k7mq-2xhd-5fwa"}),
		queried("RenewWebPassword", api.RenewWebPassword, no, api.Password{Password: "k7mq-2xhd-5fwa"}),
	}
}

// TestEveryMethodTravels compares client, table and Backend, over the socket and
// in the process; it fails for methods that everyMethod lacks.
func TestEveryMethodTravels(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, tt := range everyMethod() {
		seen[tt.want.method] = true
		for way, client := range map[string]func(t *testing.T, b api.Backend) *api.Client{
			"socket": connect,
			"local": func(_ *testing.T, b api.Backend) *api.Client {
				return api.Local(api.Services{Backend: b})
			},
		} {
			t.Run(fmt.Sprint(way, tt.want.method, i), func(t *testing.T) {
				t.Parallel()
				b := &backend{result: tt.result}
				got, err := tt.do(t.Context(), client(t, b))
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, tt.result) {
					t.Errorf("the client returns %+v, want %+v", got, tt.result)
				}
				if calls := b.recorded(); len(calls) != 1 || !reflect.DeepEqual(calls[0], tt.want) {
					t.Errorf("the Backend got %+v, want %+v once", calls, tt.want)
				}
			})
		}
	}
	methods := reflect.TypeFor[api.Backend]()
	for i := range methods.NumMethod() {
		if name := methods.Method(i).Name; !seen[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// TestRefusalsAreTheSameWithoutAServer compares the errors of both clients.
func TestRefusalsAreTheSameWithoutAServer(t *testing.T) {
	t.Parallel()
	b := &backend{err: fmt.Errorf("the outer text: %w", &api.Error{Code: "unreachable", Result: 7, Message: "m", Hint: "H.", Err: fs.ErrPermission})}
	for want, do := range map[api.Error]func(*api.Client) error{
		{Code: "bad_request", Message: "keys is missing"}: func(c *api.Client) error {
			return api.Keys.Do(t.Context(), c, api.KeysRequest{Host: "Den"})
		},
		{Code: "bad_request", Message: `state must be "awake" or "standby"`}: func(c *api.Client) error {
			return api.Power.Do(t.Context(), c, api.PowerRequest{State: "off"})
		},
		{Code: "unreachable", Result: 7, Message: "the outer text: m", Hint: "H."}: func(c *api.Client) error {
			_, err := api.Consoles.Do(t.Context(), c, api.None{})
			return err
		},
	} {
		for way, client := range map[string]*api.Client{"socket": connect(t, b), "local": api.Local(api.Services{Backend: b})} {
			if got, ok := errors.AsType[*api.Error](do(client)); !ok || *got != want {
				t.Errorf("%s: %+v, want %+v", way, got, want)
			}
		}
	}
}

// TestRestoreTravels covers the one method of the client that a Page answers.
func TestRestoreTravels(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.result = api.Restored{Files: []string{"consoles.json"}}
	client := api.Local(api.Services{Backend: &backend{}, Page: p})
	got, err := api.Restore.Do(t.Context(), client, []byte("backup"))
	if err != nil || !reflect.DeepEqual(got, p.result) {
		t.Errorf("%+v, %v", got, err)
	}
	if calls := p.recorded(); len(calls) != 1 || !reflect.DeepEqual(calls[0], call{"Restore", api.Archive("backup")}) {
		t.Errorf("%+v", calls)
	}
}

func TestNoConsolesAreAnEmptyList(t *testing.T) {
	t.Parallel()
	client := connect(t, &backend{})
	if list, err := api.Consoles.Do(t.Context(), client, api.None{}); err != nil || list == nil || len(list) != 0 {
		t.Errorf("got %#v, %v, want an empty list that is not nil", list, err)
	}
}

// FuzzSegments: whatever a console or a title is called, exactly that arrives, at
// the method that was called. "-" names nothing: it stands for no name.
func FuzzSegments(f *testing.F) {
	for _, host := range []string{"", "-", "--", ".", "..", "...", "%2D", "%", "a/b", "/", "//", "../titles", "?x=1", "#", "Den", "ü", "🎮",
		"127.0.0.5:987", "[::1]:987", " ", "a b+c", "\x00", "\xff", "{host}", "\r\nX: y", ";"} {
		f.Add(host, "CUSA00129")
		f.Add("Den", host)
		f.Add(host, host)
	}
	f.Fuzz(func(t *testing.T, host, id string) {
		b := &backend{}
		client := api.NewClient(direct{api.Handler(api.Services{Backend: b})})
		err := api.ForgetTitle.Do(t.Context(), client, api.TitleRequest{Host: host, ID: id})
		if host == "-" || id == "-" {
			if api.AsError(err).Code != "not_found" || len(b.recorded()) != 0 {
				t.Errorf("%v, %v", err, b.recorded())
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := api.ResetHomekit.Do(t.Context(), client, api.HostRequest{Host: host}); err != nil {
			t.Fatal(err)
		}
		want := []call{{"ForgetTitle", api.TitleRequest{Host: host, ID: id}}, {"ResetHomekit", api.HostRequest{Host: host}}}
		if got := b.recorded(); !reflect.DeepEqual(got, want) {
			t.Errorf("arrived as %q, want %q", got, want)
		}
	})
}

// TestNoticesReachTheClient, whatever they contain, with a result or an error.
func TestNoticesReachTheClient(t *testing.T) {
	t.Parallel()
	const text = "the console is π 🎮\r\nX: y (100 %) now"
	for _, refusal := range []error{nil, &api.Error{Code: "unreachable", Message: "m"}} {
		b := &backend{err: refusal, during: func(ctx context.Context) error {
			api.Notice(ctx, text)
			api.Notice(ctx, "another")
			return nil
		}}
		for way, client := range map[string]*api.Client{"socket": connect(t, b), "local": api.Local(api.Services{Backend: b})} {
			var got []string
			client.OnNotice = func(text string) { got = append(got, text) }
			if err := api.Power.Do(t.Context(), client, api.PowerRequest{Host: "Den", State: api.StateAwake}); (err == nil) != (refusal == nil) {
				t.Errorf("%s: %v", way, err)
			}
			if !slices.Equal(got, []string{text, "another"}) {
				t.Errorf("%s: %q", way, got)
			}
		}
	}
	api.Notice(t.Context(), "nobody hears it")
}

package api_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// asked is one use of every method, with what arrives at the Backend and what it
// answers; do returns the answer of the client, or nil for a method without one.
type asked struct {
	want   call
	result any
	do     func(ctx context.Context, b api.Backend) (any, error)
}

func told(err error) (any, error) { return nil, err }

var (
	den    = api.Console{Address: "127.0.0.5:9987", HostID: "A0B1C2D3E4F5", Name: "Den", State: api.StateAwake, RequestPort: 997, TitleID: "CUSA00129", TitleName: "Netflix: ünïcode <&>"}
	played = api.Title{ID: "CUSA00129", Name: "Netflix", Identifier: 3, Pinned: true, LastPlayed: time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)}
	paired = api.Accessory{Name: "Den", Port: 20001, SetupCode: "518-08-582", Controllers: []api.Controller{{ID: "x", Admin: true}}}
	psn    = api.User{Credential: strings.Repeat("5a", 32), Passcode: "1234", AccountID: "9019256736915509894"}
	link   = api.Link{PIN: "12345678", RemotePlay: true, AccountID: "9019256736915509894"}

	registration = api.Registration{
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
	return []asked{
		{call{"Search", []any{1500*time.Millisecond + 7}}, []api.Console{den}, func(ctx context.Context, b api.Backend) (any, error) {
			return b.Search(ctx, 1500*time.Millisecond+7)
		}},
		{call{"Consoles", nil}, []api.Console{den, {Name: "B"}}, func(ctx context.Context, b api.Backend) (any, error) {
			return b.Consoles(ctx)
		}},
		{call{"Status", []any{"127.0.0.5:9987"}}, den, func(ctx context.Context, b api.Backend) (any, error) {
			return b.Status(ctx, "127.0.0.5:9987")
		}},
		{call{"Status", []any{""}}, den, func(ctx context.Context, b api.Backend) (any, error) { return b.Status(ctx, "") }},
		{call{"AddConsole", []any{"den.lan"}}, den, func(ctx context.Context, b api.Backend) (any, error) { return b.AddConsole(ctx, "den.lan") }},
		{call{"ForgetConsole", []any{"127.0.0.5:9987"}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.ForgetConsole(ctx, "127.0.0.5:9987"))
		}},
		{call{"Wake", []any{"Den", true}}, nil, func(ctx context.Context, b api.Backend) (any, error) { return told(b.Wake(ctx, "Den", true)) }},
		{call{"Wake", []any{"Den", false}}, nil, func(ctx context.Context, b api.Backend) (any, error) { return told(b.Wake(ctx, "Den", false)) }},
		{call{"Standby", []any{""}}, nil, func(ctx context.Context, b api.Backend) (any, error) { return told(b.Standby(ctx, "")) }},
		{call{"Start", []any{"Den", "CUSA00129", true}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.Start(ctx, "Den", "CUSA00129", true))
		}},
		{call{"Start", []any{"Den", "Net/flix", false}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.Start(ctx, "Den", "Net/flix", false))
		}},
		{call{"Keys", []any{"Den", []string{"up", "ps:2000"}}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.Keys(ctx, "Den", []string{"up", "ps:2000"}))
		}},
		{call{"Keyboard", []any{"Den"}}, api.Keyboard{Text: text, MaxLength: 100}, func(ctx context.Context, b api.Backend) (any, error) {
			return b.Keyboard(ctx, "Den")
		}},
		{call{"SetText", []any{"Den", text}}, nil, func(ctx context.Context, b api.Backend) (any, error) { return told(b.SetText(ctx, "Den", text)) }},
		{call{"SetText", []any{"Den", ""}}, nil, func(ctx context.Context, b api.Backend) (any, error) { return told(b.SetText(ctx, "Den", "")) }},
		{call{"Submit", []any{"Den", (*string)(nil)}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.Submit(ctx, "Den", nil))
		}},
		{call{"Submit", []any{"Den", &text}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.Submit(ctx, "Den", &text))
		}},
		{call{"Submit", []any{"Den", new(string)}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.Submit(ctx, "Den", new(string)))
		}},
		{call{"CloseKeyboard", []any{"Den"}}, nil, func(ctx context.Context, b api.Backend) (any, error) { return told(b.CloseKeyboard(ctx, "Den")) }},
		{call{"Link", []any{"Den", link}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.Link(ctx, "Den", link))
		}},
		{call{"SetRegistration", []any{"", registration}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.SetRegistration(ctx, "", registration))
		}},
		{call{"SetCredential", []any{"Den", psn}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.SetCredential(ctx, "Den", psn))
		}},
		{call{"SetCredential", []any{"", psn}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.SetCredential(ctx, "", psn))
		}},
		{call{"Credential", []any{"Den"}}, psn, func(ctx context.Context, b api.Backend) (any, error) { return b.Credential(ctx, "Den") }},
		{call{"Credential", []any{""}}, psn, func(ctx context.Context, b api.Backend) (any, error) { return b.Credential(ctx, "") }},
		{call{"Titles", []any{"Den"}}, []api.Title{played, {ID: "HOME"}}, func(ctx context.Context, b api.Backend) (any, error) {
			return b.Titles(ctx, "Den")
		}},
		{call{"AddTitle", []any{"Den", "CUSA00129", "N"}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.AddTitle(ctx, "Den", "CUSA00129", "N"))
		}},
		{call{"ImportTitles", []any{"Den", imports, true}}, api.Imported{Added: []string{"CUSA00129"}, Known: []string{}, NoSlot: []string{"X"}}, func(ctx context.Context, b api.Backend) (any, error) {
			return b.ImportTitles(ctx, "Den", imports, true)
		}},
		{call{"RenameTitle", []any{"Den", "CUSA00129", ""}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.RenameTitle(ctx, "Den", "CUSA00129", ""))
		}},
		{call{"HideTitle", []any{"Den", "CUSA00129", false}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.HideTitle(ctx, "Den", "CUSA00129", false))
		}},
		{call{"PinTitle", []any{"Den", "", true}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.PinTitle(ctx, "Den", "", true))
		}},
		{call{"ForgetTitle", []any{"Den", "a/b"}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.ForgetTitle(ctx, "Den", "a/b"))
		}},
		{call{"Homekit", nil}, []api.Accessory{paired}, func(ctx context.Context, b api.Backend) (any, error) { return b.Homekit(ctx) }},
		{call{"ResetHomekit", []any{"Den"}}, nil, func(ctx context.Context, b api.Backend) (any, error) {
			return told(b.ResetHomekit(ctx, "Den"))
		}},
		{call{"Backup", nil}, bytes.Repeat([]byte{0x1f, 0x8b, 0}, 1<<20), func(ctx context.Context, b api.Backend) (any, error) { return b.Backup(ctx) }},
		{call{"WebPassword", nil}, api.Password{Password: "k7mq-2xhd-5fwa"}, func(ctx context.Context, b api.Backend) (any, error) { return b.WebPassword(ctx) }},
		{call{"RenewWebPassword", nil}, api.Password{Password: "k7mq-2xhd-5fwa"}, func(ctx context.Context, b api.Backend) (any, error) {
			return b.RenewWebPassword(ctx)
		}},
	}
}

// TestEveryMethodTravels compares client, table and Backend, over the socket and
// in the process; it fails for methods that everyMethod lacks.
func TestEveryMethodTravels(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, tt := range everyMethod() {
		seen[tt.want.method] = true
		for way, client := range map[string]func(t *testing.T, b api.Backend) *api.Client{
			"socket": connect,
			"local": func(_ *testing.T, b api.Backend) *api.Client {
				return api.Local(api.Handler(api.Services{Backend: b}))
			},
		} {
			t.Run(fmt.Sprint(way, tt.want.method, tt.want.args), func(t *testing.T) {
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

// TestRestoreTravels covers the one method of the client that a Page answers.
func TestRestoreTravels(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.result = api.Restored{Files: []string{"consoles.json"}}
	got, err := api.Local(api.Handler(api.Services{Backend: &backend{}, Page: p})).Restore(t.Context(), []byte("backup"))
	if err != nil || !reflect.DeepEqual(got, p.result) {
		t.Errorf("%+v, %v", got, err)
	}
	if calls := p.recorded(); len(calls) != 1 || !reflect.DeepEqual(calls[0], call{"Restore", []any{"backup"}}) {
		t.Errorf("%+v", calls)
	}
}

func TestNoConsolesAreAnEmptyList(t *testing.T) {
	t.Parallel()
	client := connect(t, &backend{})
	if list, err := client.Consoles(t.Context()); err != nil || list == nil || len(list) != 0 {
		t.Errorf("got %#v, %v, want an empty list that is not nil", list, err)
	}
}

// FuzzSegments: whatever a console or a title is called, exactly that arrives, at
// the method that was called.
func FuzzSegments(f *testing.F) {
	for _, host := range []string{"", "-", "--", ".", "..", "...", "%2D", "%", "a/b", "//", "../titles", "?x=1", "#", "Den", "ü", "🎮",
		"127.0.0.5:987", "[::1]:987", " ", "a b+c", "\x00", "\xff", "{host}", "\r\nX: y", ";"} {
		f.Add(host, "CUSA00129")
		f.Add("Den", host)
		f.Add(host, host)
	}
	f.Fuzz(func(t *testing.T, host, id string) {
		if host == "/" || id == "/" {
			t.Skip("net/http takes it for a trailing slash")
		}
		b := &backend{}
		client := api.NewClient(direct{api.Handler(api.Services{Backend: b})})
		if err := client.ForgetTitle(t.Context(), host, id); err != nil {
			t.Fatal(err)
		}
		if err := client.ResetHomekit(t.Context(), host); err != nil {
			t.Fatal(err)
		}
		want := []call{{"ForgetTitle", []any{host, id}}, {"ResetHomekit", []any{host}}}
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
		for way, client := range map[string]*api.Client{"socket": connect(t, b), "local": api.Local(api.Handler(api.Services{Backend: b}))} {
			var got []string
			client.OnNotice = func(text string) { got = append(got, text) }
			if err := client.Wake(t.Context(), "Den", false); (err == nil) != (refusal == nil) {
				t.Errorf("%s: %v", way, err)
			}
			if !slices.Equal(got, []string{text, "another"}) {
				t.Errorf("%s: %q", way, got)
			}
		}
	}
	api.Notice(t.Context(), "nobody hears it")
}

package tui_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

var (
	den = api.Console{Address: "192.168.1.20", HostID: "A0B1C2D3E4F5", HostType: "PS4", Name: "Den",
		State: api.StateAwake, TitleID: "CUSA00129", TitleName: "Netflix"}
	attic = api.Console{Address: "192.168.1.21", HostID: "A0B1C2D3E4F6", HostType: "PS4", Name: "Attic",
		State: api.StateStandby}
)

// fake is a backend that takes notes. What it answers with may be changed under mu.
type fake struct {
	api.Backend // nil: the screen calls nothing else

	mu    sync.Mutex
	calls []string // that act on a console, in the order in which they began

	known, found []api.Console
	titles       []api.Title
	keyboard     api.Keyboard
	fails        map[string]error         // by the first word of a call
	takes        map[string]time.Duration // by the first word of a call
	lingers      time.Duration            // before a call that is cancelled returns

	asked, asking, mostAsking int  // questions for the state
	limited                   bool // a question had a deadline
	acting, mostActing        int  // calls under way that act on a console
	cancelled                 []string
}

func newFake(known ...api.Console) *fake {
	return &fake{known: known, fails: map[string]error{}, takes: map[string]time.Duration{}}
}

// act does a call that acts on a console.
func (f *fake) act(ctx context.Context, host, call string) error {
	word, _, _ := strings.Cut(call, " ")
	f.mu.Lock()
	if host != den.HostID {
		call += " on " + host
	}
	f.calls = append(f.calls, call)
	f.acting++
	f.mostActing = max(f.mostActing, f.acting)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.acting--
		f.mu.Unlock()
	}()
	return f.answer(ctx, word)
}

// answer takes the time that a call takes and fails if it shall.
func (f *fake) answer(ctx context.Context, word string) error {
	f.mu.Lock()
	takes := f.takes[word]
	f.mu.Unlock()
	timer := time.NewTimer(takes)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		<-time.After(f.lingers)
		f.mu.Lock()
		f.cancelled = append(f.cancelled, word)
		f.mu.Unlock()
		return fmt.Errorf("%s: %w", word, ctx.Err())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fails[word]
}

// did returns the calls so far and forgets them.
func (f *fake) did() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

// polls returns the status requests so far, and how many ran at once.
func (f *fake) polls() (asked, mostAsking int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked, f.mostAsking
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// clientOf returns a client of a backend.
func clientOf(b api.Backend) *api.Client { return api.Local(api.Services{Backend: b}) }

func (f *fake) Search(ctx context.Context, in api.SearchRequest) ([]api.Console, error) {
	wait, err := time.ParseDuration(in.Wait)
	if err != nil {
		return nil, err
	}
	f.set(func() { f.takes["search"] = wait })
	err = f.answer(ctx, "search")
	return f.found, err
}

func (f *fake) Consoles(ctx context.Context, _ api.None) ([]api.Console, error) {
	err := f.answer(ctx, "consoles")
	return f.known, err
}

func (f *fake) Status(ctx context.Context, in api.HostRequest) (api.Console, error) {
	_, limited := ctx.Deadline()
	f.set(func() {
		f.limited = f.limited || limited
		f.asked++
		f.asking++
		f.mostAsking = max(f.mostAsking, f.asking)
	})
	defer f.set(func() { f.asking-- })
	if err := f.answer(ctx, "status"); err != nil {
		return api.Console{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range slices.Concat(f.known, f.found) {
		if in.Host == c.HostID || in.Host == c.Address {
			return c, nil
		}
	}
	return api.Console{}, &api.Error{Code: "not_found", Message: "no console is known as " + in.Host}
}

func (f *fake) Power(ctx context.Context, in api.PowerRequest) error {
	if in.State == api.StateStandby {
		return f.act(ctx, in.Host, "standby")
	}
	return f.act(ctx, in.Host, fmt.Sprintf("wake %v", in.Wait))
}

func (f *fake) Start(ctx context.Context, in api.StartRequest) error {
	return f.act(ctx, in.Host, fmt.Sprintf("start %s %v", in.Title, in.NoQuit))
}

func (f *fake) Keys(ctx context.Context, in api.KeysRequest) error {
	return f.act(ctx, in.Host, "keys "+strings.Join(in.Keys, " "))
}

func (f *fake) Keyboard(ctx context.Context, in api.HostRequest) (api.Keyboard, error) {
	err := f.act(ctx, in.Host, "keyboard")
	return f.keyboard, err
}

func (f *fake) SetText(ctx context.Context, in api.TextRequest) error {
	return f.act(ctx, in.Host, "set "+*in.Text)
}

func (f *fake) Submit(ctx context.Context, in api.SubmitRequest) error {
	return f.act(ctx, in.Host, "submit "+*in.Text)
}

func (f *fake) CloseKeyboard(ctx context.Context, in api.HostRequest) error {
	return f.act(ctx, in.Host, "close")
}

func (f *fake) Titles(ctx context.Context, _ api.HostRequest) ([]api.Title, error) {
	err := f.answer(ctx, "titles")
	return f.titles, err
}

package accessory_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// Instance ids (graph.go).
const (
	infoName = 8
	active   = 33
	activeID = 34
	tvName   = 35
	key      = 37
	order    = 38
	tvMenu   = 39
)

// Characteristics of an input.
const (
	inputName    = 2
	isConfigured = 5
	current      = 6
	target       = 7
)

func input(k, n int) uint64 { return uint64(256 + 16*(k-1) + n) }

// rig is a running television in a synctest bubble, with a controller called A.
type rig struct {
	t       *testing.T
	tv      *accessory.Television
	console *fakeConsole
	events  *events
	store   *memory
	by      *http.Request
	stop    func()

	mu       sync.Mutex
	logged   []string
	changes  int
	onChange func() // called outside mu; may be nil
}

// inRig runs a test with a television whose console is in a state.
func inRig(t *testing.T, state ps4.State, c accessory.Config, do func(r *rig)) {
	t.Helper()
	inRigWith(t, newFakeConsole(state), c, do)
}

func inRigWith(t *testing.T, console *fakeConsole, c accessory.Config, do func(r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		console.changed = make(chan struct{}, 1) // of this bubble
		r := &rig{t: t, console: console, events: &events{}, by: &http.Request{RemoteAddr: "A"}}
		c.Log = rigLog{r}
		c.OnChange = func() {
			r.mu.Lock()
			r.changes++
			onChange := r.onChange
			r.mu.Unlock()
			if onChange != nil {
				onChange()
			}
		}
		if c.Store == nil {
			r.store = &memory{}
			c.Store = r.store
		}
		c.HostID, c.Name = "A0B1C2D3E4F5", "Den"
		tv, err := accessory.New(c, console)
		if err != nil {
			t.Fatal(err)
		}
		r.tv = tv
		tv.Attach(r.events)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- tv.Run(ctx) }()
		r.stop = sync.OnceFunc(func() {
			began := time.Now()
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("Run took %v to stop", took)
			}
			if console.session != nil {
				t.Error("the session was left open")
			}
		})
		synctest.Wait()
		r.events.take()
		do(r)
		r.stop()
	})
}

// rigLog keeps the lines of a rig's log.
type rigLog struct{ *rig }

func (l rigLog) Debugf(format string, args ...any) { l.add("debug: "+format, args) }
func (l rigLog) Infof(format string, args ...any)  { l.add("info: "+format, args) }
func (l rigLog) Warnf(format string, args ...any)  { l.add("warn: "+format, args) }
func (l rigLog) Errorf(format string, args ...any) { l.add("error: "+format, args) }

func (l rigLog) add(format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logged = append(l.logged, fmt.Sprintf(format, args...))
}

func (r *rig) takeLog() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	log := r.logged
	r.logged = nil
	return log
}

func (r *rig) c(iid uint64) *characteristic.C {
	for _, s := range r.tv.Accessory().Ss {
		for _, c := range s.Cs {
			if c.Id == iid {
				return c
			}
		}
	}
	r.t.Fatalf("no characteristic %d", iid)
	return nil
}

// write writes as controller A, and checks that the answer comes at once.
func (r *rig) write(iid uint64, v any) {
	r.t.Helper()
	if status := r.writeStatus(iid, v); status != 0 {
		r.t.Errorf("write of %v to %d: status %d", v, iid, status)
	}
}

func (r *rig) writeStatus(iid uint64, v any) int {
	r.t.Helper()
	began := time.Now()
	_, status := r.c(iid).SetValueRequestFunc(v, r.by)
	if took := time.Since(began); took > 0 {
		r.t.Errorf("write of %v to %d took %v", v, iid, took)
	}
	return status
}

// after lets time pass.
func (r *rig) after(d time.Duration) {
	time.Sleep(d) // in a synctest bubble: no real time
	synctest.Wait()
}

func (r *rig) value(iid uint64) any { return r.c(iid).Value() }

func (r *rig) wantValue(iid uint64, want any) {
	r.t.Helper()
	if got := r.value(iid); got != want {
		r.t.Errorf("characteristic %d is %v, want %v", iid, got, want)
	}
}

func (r *rig) wantEvents(want ...string) {
	r.t.Helper()
	if got := r.events.take(); !slices.Equal(got, want) {
		r.t.Errorf("events\n got %q\nwant %q", got, want)
	}
}

func (r *rig) wantConsole(want ...string) {
	r.t.Helper()
	if got := r.console.takeLog(); !slices.Equal(got, want) {
		r.t.Errorf("console\n got %q\nwant %q", got, want)
	}
}

// wantLog wants one log line for each part.
func (r *rig) wantLog(parts ...string) {
	r.t.Helper()
	got := r.takeLog()
	ok := len(got) == len(parts)
	for i := range parts {
		ok = ok && strings.Contains(got[i], parts[i])
	}
	if !ok {
		r.t.Errorf("log\n got %q\nwant %q", got, parts)
	}
}

func netflix() accessory.Config {
	return accessory.Config{Titles: []accessory.Title{{ID: "CUSA00129", Name: "Netflix"}, {ID: "CUSA01780", Name: "Spotify"}}}
}

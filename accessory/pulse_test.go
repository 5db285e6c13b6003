package accessory_test

import (
	"context"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// wantHung wants that loop to hang, none for the empty name.
func (r *rig) wantHung(loop string) {
	r.t.Helper()
	if got := r.tv.Hung(); got != loop {
		r.t.Errorf("the loop that hangs is %q, want %q", got, loop)
	}
}

// TestPollHangs: a poll that does not end although its context did is told, until it ends after all.
func TestPollHangs(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		stuck := make(chan struct{})
		r.console.set(func(c *fakeConsole) { c.stuck = stuck })
		r.after(15 * time.Second)
		r.wantHung("")
		r.after(30 * time.Second)
		r.wantHung("polling")
		r.console.set(func(c *fakeConsole) { c.stuck = nil })
		close(stuck)
		r.after(time.Second)
		r.wantHung("")
	})
}

// TestCommandHangs: a command may take as long as somebody waits for it, and hangs when it goes on after that.
func TestCommandHangs(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		release, done := make(chan struct{}), make(chan error, 1)
		ctx, cancel := context.WithCancel(r.t.Context())
		defer cancel()
		go func() {
			done <- r.tv.WithSession(ctx, func(context.Context, accessory.Session) error { <-release; return nil })
		}()
		r.after(10 * time.Minute)
		r.wantHung("")
		cancel()
		r.after(10 * time.Second)
		r.wantHung("")
		r.after(time.Minute)
		r.wantHung("commands")
		close(release)
		<-done
		r.after(time.Second)
		r.wantHung("")
	})
}

// TestIdleIsAlive: a console that does not answer, with nothing to do, is no hang.
func TestIdleIsAlive(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.silent = true })
		for range 20 {
			r.after(time.Minute)
			r.wantHung("")
		}
	})
}

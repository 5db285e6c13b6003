package accessory_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// A console that is known by its address alone shows its own name once it has answered, and the same at the next start.
func TestNamelessConsoleTakesItsOwnName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		r := &rig{t: t, console: newFakeConsole(ps4.StateStandby), events: &events{}}
		begin := func() {
			tv, err := accessory.New(accessory.Config{HostID: "A0B1C2D3E4F5", Store: store}, r.console)
			if err != nil {
				t.Fatal(err)
			}
			r.tv = tv
			tv.Attach(r.events)
		}
		begin()
		r.wantValue(tvName, "PlayStation 4")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.tv.Run(ctx) }()
		synctest.Wait()
		r.wantValue(tvName, "PS4-007")
		r.wantValue(infoName, "PS4-007")
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		begin()
		r.wantValue(tvName, "PS4-007")
	})
}

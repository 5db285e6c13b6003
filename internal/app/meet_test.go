package app_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// A command that meets a console of the configuration before the server does must not keep it from HomeKit.
func TestConsoleThatACommandMeetsFirstIsOffered(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{Name: "Loft", Timing: ps4test.FastTiming()})
	console.SetSilent()
	const never = "10m" // the server asks no second time
	r := serve(t, shortDir(t), fmt.Sprintf(`
discovery: {enabled: false}
poll: {interval: %s}
consoles: [{address: "%s"}]
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
`, never, console.Addr()), 0)
	console.SetAwake()
	var commands sync.WaitGroup
	for range 4 { // at once: the console gets one unit all the same
		commands.Go(func() {
			if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{}); err != nil || c.HostID != console.HostID() {
				t.Errorf("status: %+v, %v", c, err)
			}
		})
	}
	commands.Wait()
	if list, err := api.Homekit.Do(t.Context(), r.api, api.None{}); err != nil || len(list) != 1 || list[0].HostID != console.HostID() {
		t.Errorf("HomeKit has %+v, %v", list, err)
	}
	if status, body := get(t, r, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

func TestConsoleThatIsOnlyTriedChangesNothing(t *testing.T) {
	t.Parallel()
	five := ps4test.Start(t, ps4test.Config{Name: "Five", HostType: ps4.TypePS5, Timing: ps4test.FastTiming()})
	r := serve(t, shortDir(t), loopback, 1)
	if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: app.FormatAddress(five.Addr())}); err != nil || c.HostType != ps4.TypePS5 {
		t.Fatalf("status: %+v, %v", c, err)
	}
	if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{}); err != nil || c.HostType != ps4.TypePS4 {
		t.Errorf("the only PS4: %+v, %v", c, err)
	}
	if list, err := api.Homekit.Do(t.Context(), r.api, api.None{}); err != nil || len(list) != 1 {
		t.Errorf("HomeKit has %+v, %v", list, err)
	}
	if status, body := get(t, r, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

const withCompanion = "companion: {enabled: true, titles: [CUSA00129]}\n"

// bridgeOf returns the companion bridge of a list, which has to be there.
func bridgeOf(t *testing.T, list []api.Accessory) api.Accessory {
	t.Helper()
	i := slices.IndexFunc(list, func(a api.Accessory) bool { return a.HostID == state.Companion })
	if i < 0 {
		t.Fatalf("there is no companion bridge in %d accessories", len(list))
	}
	return list[i]
}

// TestCompanionComesBackAsItWas: it has an identity and a port of its own, and keeps both.
func TestCompanionComesBackAsItWas(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	r := serve(t, dir, loopback+withCompanion, 2)
	if len(r.list) != 3 {
		t.Fatalf("%d accessories instead of 3", len(r.list))
	}
	first := bridgeOf(t, r.list)
	if first.SetupCode == "" || first.Paired || first.Port == 0 || first.Address != "127.0.0.1" {
		t.Errorf("%s on %s:%d, paired %v", first.Name, first.Address, first.Port, first.Paired)
	}
	if code, body := get(t, r, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz: %d %s", code, body)
	}
	r.stop()
	second := serve(t, dir, loopback+withCompanion, 2)
	again := bridgeOf(t, second.list)
	if again.Port != first.Port || again.DeviceID != first.DeviceID || again.SetupCode != first.SetupCode {
		t.Errorf("port %d and device %s became %d and %s", first.Port, first.DeviceID, again.Port, again.DeviceID)
	}
	for _, a := range second.list {
		checkGraph(t, a)
	}
}

// TestCompanionTakesInALateConsole: the bridge is served anew, with the same identity and port, when a console comes.
func TestCompanionTakesInALateConsole(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	console.SetFaults(ps4test.Faults{LoseRequests: ps4test.Always})
	r := serve(t, shortDir(t), yaml+withCompanion, 0)
	before := bridgeOf(t, r.list)
	if len(r.list) != 1 {
		t.Fatalf("%d accessories before the console answers", len(r.list))
	}
	console.SetFaults(ps4test.Faults{})
	waitUntil(t, "the bridge carries the console", func() bool { return strings.Contains(r.log.String(), "now has other consoles") })
	list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	if after := bridgeOf(t, list); len(list) != 2 || after.Port != before.Port || after.DeviceID != before.DeviceID {
		t.Errorf("port %d and device %s became %d and %s", before.Port, before.DeviceID, after.Port, after.DeviceID)
	}
}

// TestCompanionIsOffByDefault: then it has nothing to reset.
func TestCompanionIsOffByDefault(t *testing.T) {
	t.Parallel()
	store := open(t, shortDir(t))
	t.Cleanup(func() { _ = store.Close() })
	_, yaml := den(t)
	l := local(t, store, yaml, app.Override{})
	if err := api.ResetHomekit.Do(t.Context(), l.Client, api.HostRequest{Host: state.Companion}); code(err) != "not_offered" {
		t.Errorf("reset: %v", err)
	}
}

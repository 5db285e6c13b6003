package config_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/config"
)

// The tests in this file set variables, so they can't run in parallel.

func setenv(t *testing.T, variables map[string]string) {
	t.Helper()
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

func TestEnvironmentWins(t *testing.T) {
	setenv(t, map[string]string{
		"PS4KIT_WEB_LISTEN":           ":8080",
		"PS4KIT_POLL_INTERVAL":        "2s",
		"PS4KIT_POLL_MISSES":          "", // counts as unset
		"PS4KIT_HOMEKIT_INTERFACES":   "eth0, wlan0,",
		"PS4KIT_HOMEKIT_SLOTS":        " 50 ",
		"PS4KIT_METRICS_ENABLED":      "false",
		"PS4KIT_DISCOVERY_BROADCAST":  `["192.168.1.255", "10.0.0.255:987"]`,
		"PS4KIT_COMPANION_SETUP_CODE": "03145154",
	})
	c := mustLoad(t, "web: {listen: \":80\"}\npoll: {interval: 7s, misses: 4}\nhomekit: {interfaces: [usb0], port: 21063}\n")
	checks := map[string][2]any{
		"web.listen":         {c.Web.Listen, ":8080"},
		"poll":               {c.Poll, config.Poll{Interval: 2 * time.Second, Misses: 4}},
		"homekit.interfaces": {c.HomeKit.Interfaces, []string{"eth0", "wlan0"}},
		"homekit.slots":      {c.HomeKit.Slots, 50},
		"homekit.port":       {c.HomeKit.Port, uint16(21063)}, // only in the file
		"session.idle":       {c.Session.Idle, time.Minute},   // the default
		"metrics.enabled":    {c.Metrics.Enabled, false},
		"broadcast":          {c.Discovery.Broadcast[1].String() + c.Discovery.Broadcast[0].String(), "10.0.0.255:987192.168.1.255:987"},
		"setup_code":         {c.Companion.SetupCode.Reveal(), "031-45-154"},
	}
	for name, check := range checks {
		if !reflect.DeepEqual(check[0], check[1]) {
			t.Errorf("%s: got %v, want %v", name, check[0], check[1])
		}
	}
}

// TestEveryKeyHasAVariable sets each key to its own default in the environment.
func TestEveryKeyHasAVariable(t *testing.T) {
	defaults := mustLoad(t, "").Settings()
	if len(defaults) < 35 {
		t.Fatalf("%d keys", len(defaults))
	}
	for _, s := range defaults {
		t.Setenv(s.Env, s.Value)
	}
	for i, s := range mustLoad(t, "").Settings() {
		want := defaults[i]
		if s.Value != "" { // an empty variable counts as unset
			want.Source = s.Env
		}
		if s != want {
			t.Errorf("got %+v, want %+v", s, want)
		}
	}
}

func TestConsolesFromEnvironment(t *testing.T) {
	for name, text := range map[string]string{
		"JSON": `[{"host_id":"A0B1C2D3E4F5","name":"Den","titles":[{"id":"CUSA00129"}]}]`,
		"YAML": "- host_id: A0B1C2D3E4F5\n  name: Den\n  titles: [{id: CUSA00129}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PS4KIT_CONSOLES", text)
			c := mustLoad(t, "consoles: [{address: 10.0.0.1}, {address: 10.0.0.2}]")
			want := []config.Console{{
				HostID: "A0B1C2D3E4F5", Name: "Den", Category: config.CategoryTelevision, Titles: []config.Title{{ID: "CUSA00129"}},
				Protocol: config.ProtocolAuto,
			}}
			if !reflect.DeepEqual(c.Consoles, want) {
				t.Errorf("got %+v", c.Consoles)
			}
		})
	}
}

func TestBadEnvironment(t *testing.T) {
	setenv(t, map[string]string{
		"PS4KIT_POLL_INTERVAL":   "5",
		"PS4KIT_HOMEKIT_SLOTS":   "many",
		"PS4KIT_METRICS_ENABLED": "[",
		"PS4KIT_CONSOLES":        "- host_id: A0B1C2D3E4F5\n- host_id: A0B1C2D3E4F5\n  nane: Den\n",
	})
	_, err := load(t, "pool: {}\n")
	var all *config.Error
	if !errors.As(err, &all) {
		t.Fatalf("%T %v", err, err)
	}
	var got []string
	for _, p := range all.Problems {
		got = append(got, p.String())
	}
	slices.SortFunc(got, func(a, b string) int { return strings.Compare(b, a) })
	want := []string{
		`PS4KIT_POLL_INTERVAL: poll.interval: "5" is not a duration: write a number and a unit, such as 500ms, 30s or 5m`,
		`PS4KIT_METRICS_ENABLED: metrics.enabled: "[" is neither true nor false`,
		`PS4KIT_HOMEKIT_SLOTS: homekit.slots: "many" is not a whole number from 3 to 90`,
		`PS4KIT_CONSOLES:3: consoles[1]: unknown key "nane", did you mean name?`,
		`PS4KIT_CONSOLES:2: consoles[1].host_id: repeats that of consoles[0]: remove one of them`,
	}
	if len(got) != 6 || !slices.Equal(got[:5], want) || !strings.HasSuffix(got[5], `config.yaml:1: unknown key "pool", did you mean poll?`) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestUnknownVariable(t *testing.T) {
	for name, want := range map[string]string{
		"PS4KIT_POL_INTERVAL": "PS4KIT_POL_INTERVAL: no key has this variable, did you mean PS4KIT_POLL_INTERVAL?",
		"PS4KIT_WEB":          "PS4KIT_WEB: no key has this variable", // a section, whose keys keep their values
		"PS4KIT_CREDENTIAL":   "PS4KIT_CREDENTIAL: no key has this variable",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "secret")
			if _, err := load(t, ""); err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

// TestOtherVariables has variables that are not keys and must not be refused:
// those of this repository's tests, those that Kubernetes sets for a service
// called ps4kit, and an empty one.
func TestOtherVariables(t *testing.T) {
	for _, name := range []string{
		"PS4KIT_BIN", "PS4KIT_REQUIRE_ALL", "PS4KIT_SCREENSHOTS", "PS4KIT_UPDATE_DOCS", "PS4KIT_SOAK_DIR",
		"PS4KIT_TEST_CONSOLE", "PS4KIT_TEST_CREDENTIAL", "PS4KIT_TEST_NAMESPACE", "PS4KIT_TEST_IN_NAMESPACE",
		"PS4KIT_STATE_TEST_ROLE", "PS4KIT_BENCH_KEY", "PS4KIT_BENCH_NAMESPACE",
		"PS4KIT_PORT", "PS4KIT_PORT_8990_TCP_ADDR", "PS4KIT_SERVICE_HOST", "PS4KIT_SERVICE_PORT",
	} {
		t.Setenv(name, "1")
	}
	t.Setenv("PS4KIT_NO_SUCH_KEY", "")
	mustLoad(t, "")
}

// TestDefault does not depend on the environment, not even on a bad one.
func TestDefault(t *testing.T) {
	t.Setenv("PS4KIT_POLL_INTERVAL", "fast")
	if c := config.Default(); c.Poll.Interval != time.Second || c.Web.Listen != ":8990" || c.File != "" {
		t.Errorf("%+v", c)
	}
}

package config_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/config"
)

func TestEnvironmentWins(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "web: {listen: \":80\"}\npoll: {interval: 7s, misses: 4}\nhomekit: {interfaces: [usb0]}\n", map[string]string{
		"PS4KIT_WEB_LISTEN":           ":8080",
		"PS4KIT_POLL_INTERVAL":        "2s",
		"PS4KIT_POLL_MISSES":          "", // counts as unset
		"PS4KIT_HOMEKIT_INTERFACES":   "eth0, wlan0,",
		"PS4KIT_HOMEKIT_SLOTS":        " 50 ",
		"PS4KIT_METRICS_ENABLED":      "false",
		"PS4KIT_DISCOVERY_BROADCAST":  `["192.168.1.255", "10.0.0.255:987"]`,
		"PS4KIT_COMPANION_SETUP_CODE": "03145154",
	})
	checks := map[string][2]any{
		"web.listen":         {c.Web.Listen, ":8080"},
		"poll":               {c.Poll, config.Poll{Interval: 2 * time.Second, Misses: 4}},
		"homekit.interfaces": {c.HomeKit.Interfaces, []string{"eth0", "wlan0"}},
		"homekit.slots":      {c.HomeKit.Slots, 50},
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

// TestEveryKeyHasAVariable sets each key to its own default through the environment.
func TestEveryKeyHasAVariable(t *testing.T) {
	t.Parallel()
	defaults := mustLoad(t, "", nil).Settings()
	variables := map[string]string{}
	for _, s := range defaults {
		variables[s.Env] = s.Value
	}
	if len(variables) != len(defaults) || len(variables) < 35 {
		t.Fatalf("%d variables for %d keys", len(variables), len(defaults))
	}
	c, err := config.Load(filepath.Join("testdata", "empty.yaml"), env(variables))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range c.Settings() {
		wantSource := s.Env
		if s.Value == "" || s.Key == "consoles" { // an empty variable is none; an empty list has no items to tell
			wantSource = s.Source
		}
		if s.Key != defaults[i].Key || s.Value != defaults[i].Value || s.Source != wantSource {
			t.Errorf("%+v, want the value of %+v from %s", s, defaults[i], wantSource)
		}
	}
}

func TestConsolesFromEnvironment(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"JSON": `[{"host_id":"A0B1C2D3E4F5","name":"Den","titles":[{"id":"CUSA00129"}]}]`,
		"YAML": "- host_id: A0B1C2D3E4F5\n  name: Den\n  titles: [{id: CUSA00129}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustLoad(t, "consoles: [{address: 10.0.0.1}, {address: 10.0.0.2}]", map[string]string{"PS4KIT_CONSOLES": text})
			want := []config.Console{{
				HostID: "A0B1C2D3E4F5", Name: "Den", Category: config.CategoryTelevision, Titles: []config.Title{{ID: "CUSA00129"}},
			}}
			if !reflect.DeepEqual(c.Consoles, want) {
				t.Errorf("got %+v", c.Consoles)
			}
		})
	}
}

func TestBadEnvironment(t *testing.T) {
	t.Parallel()
	_, err := load(t, "pool: {}\n", map[string]string{
		"PS4KIT_POLL_INTERVAL":   "5",
		"PS4KIT_HOMEKIT_SLOTS":   "many",
		"PS4KIT_LOG_LEVEL":       "loud",
		"PS4KIT_METRICS_ENABLED": "[",
		"PS4KIT_CONSOLES":        "- host_id: A0B1C2D3E4F5\n- host_id: A0B1C2D3E4F5\n  nane: Den\n",
		"PS4KIT_ART_MAX_MB":      "-5",
	})
	problems, ok := err.(*config.Error) //nolint:errorlint // Load says that it is one
	if !ok {
		t.Fatalf("%T %v", err, err)
	}
	var got []string
	for _, p := range problems.Problems[1:] { // the first one is the file's
		got = append(got, p.String())
	}
	want := []string{
		"PS4KIT_ART_MAX_MB: art.max_mb: -5 is out of range: use 1 to 100000",
		"PS4KIT_CONSOLES:2: consoles[1].host_id: is that of consoles[0] (line 1), too: a console has one entry",
		"PS4KIT_CONSOLES:3: consoles[1].nane: unknown key, did you mean consoles[1].name?",
		"PS4KIT_HOMEKIT_SLOTS: homekit.slots: must be a whole number, not text",
		"PS4KIT_LOG_LEVEL: log.level: \"loud\" is not known: use trace, debug, info, warn, error",
		"PS4KIT_METRICS_ENABLED: metrics.enabled: must be true or false, not text",
		"PS4KIT_POLL_INTERVAL: poll.interval: \"5\" is not a duration: write a number and a unit, such as 500ms, 30s or 5m",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if first := problems.Problems[0]; first.Key != "pool" || first.Line != 1 {
		t.Errorf("the file's problem comes first, got %v", first)
	}
}

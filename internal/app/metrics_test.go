package app_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// scraped is one answer of /metrics.
type scraped struct {
	text     string
	families map[string]*dto.MetricFamily
}

func scrape(t *testing.T, r *running) scraped {
	t.Helper()
	code, text := get(t, r, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: %d\n%s", code, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return scraped{text, families}
}

// has wants lines of the answer.
func (s scraped) has(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(s.text, "\nps4kit_"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, own(s.text))
		}
	}
}

// own are the lines that are not of Go or the process.
func own(text string) string {
	return strings.Join(regexp.MustCompile(`(?m)^ps4kit_.*$`).FindAllString(text, -1), "\n")
}

func TestMetricsTellOfTraffic(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	console.SetStandby()
	r := serve(t, shortDir(t), yaml, 0)
	const host = `host_id="A0B1C2D3E4F5"`
	waitUntil(t, "the console is seen", func() bool {
		return strings.Contains(scrape(t, r).text, `ps4kit_console_state{`+host+`,state="standby"} 1`)
	})
	if err := api.Power.Do(t.Context(), r.api, api.PowerRequest{State: api.StateAwake, Wait: true}); err != nil {
		t.Fatal(err)
	}
	if err := api.Keys.Do(t.Context(), r.api, api.KeysRequest{Keys: []string{"up", "enter"}}); err != nil {
		t.Fatal(err)
	}
	if err := api.Start.Do(t.Context(), r.api, api.StartRequest{Title: "CUSA00999"}); err == nil { // the console has no such title
		t.Error("a title that is not there was started")
	}
	s := scrape(t, r)
	s.has(t,
		`ready 1`,
		`console_state{`+host+`,state="awake"} 1`, `console_state{`+host+`,state="standby"} 0`,
		`console_info{`+host+`,name="Den",system_version="09508011"} 1`,
		`console_session_open{`+host+`} 1`, `console_playing{`+host+`} 0`, `sessions_total{`+host+`} 1`,
		`commands_total{command="wake",`+host+`,outcome="done"} 1`,
		`commands_total{command="keys",`+host+`,outcome="done"} 1`,
		`commands_total{command="start",`+host+`,outcome="failed"} 1`, `commands_total{command="start",`+host+`,outcome="done"} 0`,
		`command_duration_seconds_count{command="keys",`+host+`} 1`, `command_duration_seconds_bucket{command="keys",`+host+`,le="90"} 1`,
		`command_duration_seconds_count{command="start",`+host+`} 0`,
		`hap_offered{`+host+`} 1`, `hap_pairings{`+host+`} 0`, `hap_setup_locked{`+host+`} 0`,
	)
	for name, value := range map[string]float64{
		"polls":     s.families["ps4kit_polls_total"].GetMetric()[0].GetCounter().GetValue(),
		"datagrams": s.families["ps4kit_datagrams_total"].GetMetric()[1].GetCounter().GetValue(), // dropped, received, sent
		"last seen": s.families["ps4kit_console_last_seen_timestamp_seconds"].GetMetric()[0].GetGauge().GetValue(),
	} {
		if value == 0 {
			t.Errorf("%s: 0", name)
		}
	}
	list, err := api.Homekit.Do(t.Context(), r.api, api.None{}) // not r.list: the console may answer after the start
	if err != nil || len(list) != 1 {
		t.Fatalf("accessories: %+v, %v", list, err)
	}
	for _, secret := range []string{credential, list[0].SetupCode, list[0].SetupID, list[0].DeviceID, "Netflix", "CUSA", console.Addr().String(), r.state} {
		if strings.Contains(own(s.text), secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}
}

func TestMetricsOfTheCompanionAndOfWhatIsNotOffered(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	r := serve(t, dir, withCompanionAndArt(), 2)
	s := scrape(t, r)
	s.has(t, `hap_offered{host_id="companion"} 1`, `art_lookups_total{result="hit"} 0`, `art_requests_total{outcome="failed"} 0`)
	r.stop()
	damaged := r.list[1].HostID
	damage(t, dir+"/homekit/"+damaged+".json", "{")
	scrape(t, serve(t, dir, loopback, 2)).has(t, `hap_offered{host_id="`+damaged+`"} 0`, `ready 0`)
}

// TestMetricsWithConsoleThatHomeKitDoesNotHave scrapes after `status --name` on
// a PS5, which gets a unit without a HAP server.
func TestMetricsWithConsoleThatHomeKitDoesNotHave(t *testing.T) {
	t.Parallel()
	five := ps4test.Start(t, ps4test.Config{Name: "Five", HostType: ps4.TypePS5, Timing: ps4test.FastTiming()})
	r := serve(t, shortDir(t), fmt.Sprintf(`
discovery: {enabled: false, local_port: 0, broadcast: ["%s"]}
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
`, five.Addr()), 1)
	if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: "Five"}); err != nil || c.HostID != five.HostID() {
		t.Fatalf("status: %+v, %v", c, err)
	}
	s := scrape(t, r)
	s.has(t,
		`console_info{host_id="`+five.HostID()+`",name="Five",system_version="13600007"} 1`,
		`hap_offered{host_id="`+r.list[0].HostID+`"} 1`,
	)
	for _, m := range s.families["ps4kit_hap_offered"].GetMetric() { // the alert Ps4kitNotOffered must not fire
		if m.GetLabel()[0].GetValue() == five.HostID() {
			t.Errorf("hap_offered of the PS5 is %v, want no series", m.GetGauge().GetValue())
		}
	}
}

func TestMetricsCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback+"metrics: {enabled: false}\n", 0)
	if code, _ := get(t, r, "/metrics"); code != http.StatusNotFound {
		t.Errorf("/metrics: %d", code)
	}
}

// TestMetricsAreAsDocumented holds docs/metrics.md, the dashboard and the
// alerts against a scrape that has every metric.
func TestMetricsAreAsDocumented(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), withCompanionAndArt(), 1)
	var s scraped
	waitUntil(t, "the console is seen", func() bool {
		s = scrape(t, r)
		return strings.Contains(s.text, "ps4kit_console_last_seen_timestamp_seconds{")
	})
	doc, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(ps4kit_\\w+)` \\| (\\w+) \\| ([^|]*) \\| ([^|]*) \\|$").FindAllStringSubmatch(string(doc), -1) {
		name := row[1]
		documented[name] = true
		f := s.families[name]
		if f == nil {
			t.Errorf("%s is documented and not told", name)
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		if kind := strings.ToLower(f.GetType().String()); row[2] != kind || row[3] != strings.Join(labels, ", ") || row[4] == "" {
			t.Errorf("docs/metrics.md has\n%s, not\n| `%s` | %s | %s | …", row[0], name, kind, strings.Join(labels, ", "))
		}
	}
	for name := range s.families {
		if strings.HasPrefix(name, "ps4kit_") && !documented[name] {
			t.Errorf("%s is not documented", name)
		}
	}
	for _, file := range []string{"../../deploy/grafana/ps4kit.json", "../../deploy/prometheus/ps4kit.rules.yml"} {
		s.hasAll(t, file)
	}
}

// hasAll wants every metric that a file names.
func (s scraped) hasAll(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\b(ps4kit|go|process)_[a-z_]+\b`).FindAllString(string(text), -1)
	if len(names) < 8 {
		t.Errorf("%s names only %d metrics", file, len(names))
	}
	for _, name := range names {
		f := s.families[name]
		if base, isBucket := strings.CutSuffix(name, "_bucket"); isBucket {
			f = s.families[base]
		}
		if f == nil {
			t.Errorf("%s names %s, which is not told", file, name)
		}
	}
}

func withCompanionAndArt() string {
	return strings.Replace(loopback, "art: {enabled: false}", "art: {enabled: true}", 1) + withCompanion
}

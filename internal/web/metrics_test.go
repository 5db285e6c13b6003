package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ps4kit/ps4kit/internal/web"
)

func scrape(t *testing.T, measure func(*web.Meter)) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	web.Metrics(measure).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return w.Code, w.Body.String()
}

// TestMetricsOfAnyName: what a console calls itself is a label, whatever it is.
func TestMetricsOfAnyName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Den": "Den", "": "", `a"} 1 # \` + "\n": `a"} 1 # \` + "\n", "L\xe9on": "L\uFFFDon", "<b>é\x00": "<b>é\x00",
	} {
		code, body := scrape(t, func(m *web.Meter) { m.Is("console_info", true, "A0B1C2D3E4F5", name, "09508011") })
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(body))
		if code != http.StatusOK || err != nil {
			t.Errorf("%q: %d, %v\n%s", name, code, err, body)
			continue
		}
		got := families["ps4kit_console_info"].GetMetric()[0].GetLabel()[1]
		if got.GetName() != "name" || got.GetValue() != want {
			t.Errorf("%q is told as %s=%q", name, got.GetName(), got.GetValue())
		}
	}
}

// TestMetricsThatAreNone: a metric that the table does not have, or not so, fails the scrape instead of being told wrongly.
func TestMetricsThatAreNone(t *testing.T) {
	t.Parallel()
	for what, measure := range map[string]func(*web.Meter){
		"unknown":         func(m *web.Meter) { m.Set("no_such_thing", 1) },
		"unknown, spread": func(m *web.Meter) { m.Distribution("no_such_thing", 1, 1, nil) },
		"labels":          func(m *web.Meter) { m.Is("console_active", true) },
		"labels, spread":  func(m *web.Meter) { m.Distribution("command_duration_seconds", 1, 1, nil, "A0B1C2D3E4F5") },
		"twice":           func(m *web.Meter) { m.Is("ready", true); m.Is("ready", true) },
	} {
		if code, body := scrape(t, measure); code != http.StatusInternalServerError {
			t.Errorf("%s: %d\n%s", what, code, body)
		}
	}
}

func TestMetricsOfGoAndTheProcess(t *testing.T) {
	t.Parallel()
	code, body := scrape(t, func(*web.Meter) {})
	if code != http.StatusOK || !strings.Contains(body, "\ngo_goroutines ") || !strings.Contains(body, "\nprocess_resident_memory_bytes ") {
		t.Errorf("%d\n%s", code, body)
	}
	if problems, err := promlint.New(strings.NewReader(body)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ps4kit/ps4kit/internal/web"
)

func scrape(t *testing.T, measure func(*web.Meter)) (code int, body, log string) {
	t.Helper()
	w := httptest.NewRecorder()
	logf := func(format string, args ...any) { log += fmt.Sprintf(format, args...) }
	web.Metrics(measure, logf).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return w.Code, w.Body.String(), log
}

// TestMetricsOfAnyName: a console may call itself anything.
func TestMetricsOfAnyName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Den": "Den", "": "", `a"} 1 # \` + "\n": `a"} 1 # \` + "\n", "L\xe9on": "L\uFFFDon", "<b>é\x00": "<b>é\x00",
	} {
		code, body, _ := scrape(t, func(m *web.Meter) { m.Bool("console_info", true, "host_id", "A0B1C2D3E4F5", "name", name) })
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(body))
		if code != http.StatusOK || err != nil {
			t.Errorf("%q: %d, %v\n%s", name, code, err, body)
			continue
		}
		got := families["ps4kit_console_info"].GetMetric()[0].GetLabel()[1]
		if got.GetName() != "name" || got.GetValue() != want {
			t.Errorf("%q became %s=%q", name, got.GetName(), got.GetValue())
		}
	}
}

// TestMetricsFailInPart breaks parts of a scrape: the others are served, and
// the log names the fault.
func TestMetricsFailInPart(t *testing.T) {
	t.Parallel()
	for fault, measure := range map[string]func(*web.Meter){
		"nil pointer":       func(m *web.Meter) { var missing *web.Meter; missing.Bool("hap_offered", true) },
		"not a name":        func(m *web.Meter) { m.Bool("hap offered", true) },
		"a label too few":   func(m *web.Meter) { m.Bool("hap_offered", true, "host_id") },
		"two types":         func(m *web.Meter) { m.Bool("hap_offered", true); m.Counter("hap_offered", 1) },
		"the handler's own": nil,
	} {
		code, body, log := scrape(t, func(m *web.Meter) {
			m.Bool("ready", true)
			if measure == nil {
				panic("measure failed")
			}
			m.Part(func() { measure(m) })
			m.Counter("polls_total", 3, "host_id", "A0B1C2D3E4F5")
		})
		if code != http.StatusOK || !strings.Contains(body, "\nps4kit_ready 1\n") || !strings.Contains(log, "/metrics") {
			t.Errorf("%s: %d, log %q\n%s", fault, code, log, body)
		}
		if measure != nil && !strings.Contains(body, "\nps4kit_polls_total{host_id=\"A0B1C2D3E4F5\"} 3\n") {
			t.Errorf("%s: the samples after it are missing\n%s", fault, body)
		}
	}
}

// TestMetricsParse reads a scrape of every type with Prometheus' own parser.
func TestMetricsParse(t *testing.T) {
	t.Parallel()
	code, body, _ := scrape(t, func(m *web.Meter) {
		m.Gauge("hap_pairings", 2, "host_id", "A")
		m.Counter("polls_total", 1<<63, "host_id", "A")
		for _, host := range []string{"A", "B"} {
			m.Histogram("command_duration_seconds", []web.Bucket{{0.25, 1}, {90, 2}}, 3, 100.5, "host_id", host)
		}
	})
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if code != http.StatusOK || err != nil {
		t.Fatalf("%d, %v\n%s", code, err, body)
	}
	for name, want := range map[string]string{
		"ps4kit_hap_pairings": "GAUGE", "ps4kit_polls_total": "COUNTER", "ps4kit_command_duration_seconds": "HISTOGRAM",
		"go_goroutines": "GAUGE", "go_memstats_heap_inuse_bytes": "GAUGE",
	} {
		if got := families[name].GetType().String(); families[name] == nil || got != want {
			t.Errorf("%s is a %s, want %s", name, got, want)
		}
	}
	if runtime.GOOS == "linux" && (families["process_resident_memory_bytes"] == nil || families["process_open_fds"] == nil) {
		t.Errorf("no process metrics in\n%s", body)
	}
	histograms := families["ps4kit_command_duration_seconds"].GetMetric()
	if len(histograms) != 2 {
		t.Fatalf("%d histograms, want 2\n%s", len(histograms), body)
	}
	h := histograms[1].GetHistogram()
	if b := h.GetBucket(); h.GetSampleCount() != 3 || h.GetSampleSum() != 100.5 || len(b) != 3 || b[1].GetCumulativeCount() != 2 || b[1].GetUpperBound() != 90 {
		t.Errorf("histogram: %v", h)
	}
}

// TestMetricsAtOnce holds scrapes back until too many are under way.
func TestMetricsAtOnce(t *testing.T) {
	t.Parallel()
	const most = 4
	began, release := make(chan struct{}), make(chan struct{})
	h := web.Metrics(func(*web.Meter) { began <- struct{}{}; <-release }, t.Logf)
	codes := make(chan int)
	get := func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		codes <- w.Code
	}
	for range most {
		go get()
		<-began
	}
	go get()
	if code := <-codes; code != http.StatusServiceUnavailable {
		t.Errorf("scrape %d at once: %d", most+1, code)
	}
	close(release)
	for range most {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one of %d scrapes: %d", most, code)
		}
	}
}

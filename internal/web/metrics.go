package web

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

const (
	metricPrefix = "ps4kit_"
	maxScrapes   = 4 // at once, as /metrics needs no sign-in
)

// Metrics serves /metrics in the text format of Prometheus. measure adds the
// samples of one scrape to a Meter; it must be safe for concurrent use. logf
// reports samples that could not be taken.
func Metrics(measure func(*Meter), logf func(format string, args ...any)) http.Handler {
	metrics.ExposeMetadata(true)
	busy := make(chan struct{}, maxScrapes)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
		default:
			http.Error(w, "too many scrapes at once", http.StatusServiceUnavailable)
			return
		}
		m := &Meter{set: metrics.NewSet(), histograms: map[string]string{}, logf: logf}
		m.Part(func() { measure(m) })
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.set.WritePrometheus(w)
		for _, name := range slices.Sorted(maps.Keys(m.histograms)) {
			metrics.WriteMetadataIfNeeded(w, metricPrefix+name, "histogram")
			_, _ = io.WriteString(w, m.histograms[name])
		}
		metrics.WriteProcessMetrics(w)
		metrics.WriteFDMetrics(w)
	})
}

// Meter holds the samples of one scrape. Its methods take the name of a metric
// without the prefix, as docs/metrics.md has it, and its labels as pairs of
// name and value, sorted by name.
type Meter struct {
	set        *metrics.Set
	histograms map[string]string // sample lines by name, as a Set cannot hold counts made elsewhere
	logf       func(format string, args ...any)
}

// Part runs a part of a scrape. If it panics, the samples of all other parts
// are still served.
func (m *Meter) Part(measure func()) {
	defer func() {
		if r := recover(); r != nil {
			m.logf("part of a scrape of /metrics failed: %v\n%s", r, debug.Stack())
		}
	}()
	measure()
}

// Gauge adds a sample of a gauge.
func (m *Meter) Gauge(name string, value float64, labels ...string) {
	m.set.GetOrCreateGauge(series(name, labels), nil).Set(value)
}

// Bool adds a sample of a gauge that is 1 or 0.
func (m *Meter) Bool(name string, on bool, labels ...string) {
	value := 0.0
	if on {
		value = 1
	}
	m.Gauge(name, value, labels...)
}

// Counter adds a sample of a counter.
func (m *Meter) Counter(name string, n uint64, labels ...string) {
	m.set.GetOrCreateCounter(series(name, labels)).Set(n)
}

// Bucket counts the values of a histogram that are at most an upper bound.
type Bucket struct {
	Bound float64
	Count uint64
}

// Histogram adds a histogram of count values.
func (m *Meter) Histogram(name string, buckets []Bucket, count uint64, sum float64, labels ...string) {
	var lines strings.Builder
	for _, b := range buckets {
		le := append(slices.Clone(labels), "le", fmt.Sprint(b.Bound))
		fmt.Fprintln(&lines, series(name+"_bucket", le), b.Count)
	}
	fmt.Fprintln(&lines, series(name+"_bucket", append(slices.Clone(labels), "le", "+Inf")), count)
	fmt.Fprintln(&lines, series(name+"_sum", labels), sum)
	fmt.Fprintln(&lines, series(name+"_count", labels), count)
	m.histograms[name] += lines.String()
}

// series returns the name of a metric with its labels. Label values may come
// from the network: bytes that are not UTF-8 are replaced.
func series(name string, labels []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, pair[0]+`="`+escape.Replace(strings.ToValidUTF8(pair[1], "\uFFFD"))+`"`)
	}
	if pairs == nil {
		return metricPrefix + name
	}
	return metricPrefix + name + "{" + strings.Join(pairs, ",") + "}"
}

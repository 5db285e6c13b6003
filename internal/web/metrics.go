package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes is how many scrapes are answered at once: nobody needs to sign in for them.
const maxScrapes = 4

// Metrics answers /metrics, without a password and without a secret. It costs nothing
// while nobody asks: the counts are kept by those who count, and all the rest is made at
// the first scrape. measure tells the numbers of one scrape; several may go on at once.
func Metrics(measure func(*Meter)) http.Handler {
	scrapes := atFirst(func() http.Handler {
		own := prometheus.NewRegistry()
		own.MustRegister(newCollector(measure))
		// The library's own registry holds the metrics of Go and of the process, whether it is used or not.
		return promhttp.HandlerFor(prometheus.Gatherers{own, prometheus.DefaultGatherer}, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		scrapes.ServeHTTP(w, r)
	})
}

// collector reads what is measured when it is asked.
type collector struct {
	measure func(*Meter)
	metrics map[string]definition // by name, without the prefix
}

type definition struct {
	*prometheus.Desc
	kind prometheus.ValueType // Untyped: a histogram
}

func newCollector(measure func(*Meter)) *collector {
	c := &collector{measure: measure, metrics: map[string]definition{}}
	for _, m := range metrics() {
		c.metrics[m.name] = definition{prometheus.NewDesc(metricPrefix+m.name, m.help, m.labels, nil), m.kind}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		out <- m.Desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) { c.measure(&Meter{c.metrics, out}) }

// Meter takes the values of one scrape. Metrics are named without their prefix, as in
// docs/metrics.md; what is not in its table fails the scrape.
type Meter struct {
	metrics map[string]definition
	out     chan<- prometheus.Metric
}

// Set tells the value of a gauge, or where a counter stands. Labels are in the order of
// the table; what is not UTF-8 in them, as names on the network need not be, is replaced.
func (m *Meter) Set(name string, value float64, labels ...string) {
	d, ok := m.metrics[name]
	if !ok {
		m.unknown(name)
		return
	}
	m.tell(d, func() (prometheus.Metric, error) {
		return prometheus.NewConstMetric(d.Desc, d.kind, value, readable(labels)...)
	})
}

// Count is Set for a counter.
func (m *Meter) Count(name string, n uint64, labels ...string) { m.Set(name, float64(n), labels...) }

// Is is Set for a gauge that is 1 or 0.
func (m *Meter) Is(name string, yes bool, labels ...string) {
	value := 0.0
	if yes {
		value = 1
	}
	m.Set(name, value, labels...)
}

// Distribution tells a histogram: how many there were, their sum, and for each upper
// bound how many were not above it.
func (m *Meter) Distribution(name string, count uint64, sum float64, buckets map[float64]uint64, labels ...string) {
	d, ok := m.metrics[name]
	if !ok {
		m.unknown(name)
		return
	}
	m.tell(d, func() (prometheus.Metric, error) {
		return prometheus.NewConstHistogram(d.Desc, count, sum, buckets, readable(labels)...)
	})
}

func (m *Meter) tell(d definition, made func() (prometheus.Metric, error)) {
	metric, err := made()
	if err != nil {
		metric = prometheus.NewInvalidMetric(d.Desc, err)
	}
	m.out <- metric
}

func (m *Meter) unknown(name string) {
	err := fmt.Errorf("no metric is called %s", name)
	m.out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
}

func readable(labels []string) []string {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\uFFFD")
	}
	return labels
}

package web

import "github.com/prometheus/client_golang/prometheus"

const metricPrefix = "ps4kit_"

// metric is a line of docs/metrics.md.
type metric struct {
	name   string // without the prefix
	kind   prometheus.ValueType
	help   string
	labels []string
}

const (
	gauge     = prometheus.GaugeValue
	counter   = prometheus.CounterValue
	histogram = prometheus.UntypedValue // a Desc does not say so, a Distribution does
)

// metrics returns the table of all metrics. No label has more values than there are
// consoles, or than its metric lists.
func metrics() []metric {
	host := []string{"host_id"}
	with := func(more ...string) []string { return append([]string{"host_id"}, more...) }
	return []metric{
		{"build_info", gauge, "The version that runs; always 1.", []string{"version", "go_version"}},
		{"ready", gauge, "1 when /readyz says ready.", nil},
		{"wrong_passwords_total", counter, "Wrong passwords that the web page was shown; the log says from where.", nil},

		{"console_info", gauge, "What a console is called and which system it runs; always 1.", with("name", "system_version")},
		{"console_state", gauge, "1 for the state that the console is in: awake, standby or unreachable.", with("state")},
		{"console_active", gauge, "1 when HomeKit reads that the console is on.", host},
		{"console_playing", gauge, "1 when a title runs.", host},
		{"console_working", gauge, "1 while a command is under way.", host},
		{"console_session_open", gauge, "1 while ps4kit holds the session of the console.", host},
		{"console_last_seen_timestamp_seconds", gauge, "When the console last answered; missing until it has.", host},
		{"polls_total", counter, "Times that the console was asked for its state.", host},
		{"poll_misses_total", counter, "Times that it did not answer.", host},

		{"commands_total", counter, "Commands by how they ended.", with("command", "outcome")},
		{"command_duration_seconds", histogram, "How long commands took that were done.", with("command")},

		{"datagrams_total", counter, "Datagrams to and from the console: sent, received, or dropped because they made no sense.", with("kind")},
		{"search_datagrams_total", counter, "Datagrams of searches for consoles.", []string{"kind"}},
		{"sessions_total", counter, "Sessions that were opened.", host},
		{"session_resets_total", counter, "Connections that the console cut before a session was open.", host},
		{"sessions_lost_total", counter, "Sessions that ended without being closed.", host},
		{"session_heartbeats_total", counter, "Heartbeats that were answered.", host},
		{"session_packets_skipped_total", counter, "Packets of an unknown or unexpected type.", host},

		{"hap_offered", gauge, "1 while the HomeKit server of a known console listens.", host},
		{"hap_announced", gauge, "1 while it is announced on a network.", host},
		{"hap_requests_total", counter, "Requests of controllers by how they were answered.", with("request", "outcome")},
		{"hap_connections", gauge, "Connections that are open.", with("kind")},
		{"hap_connections_total", counter, "Connections that were taken.", host},
		{"hap_connections_refused_total", counter, "Connections that were closed or not taken because there were too many.", host},
		{"hap_events_total", counter, "Messages with events that controllers took.", host},
		{"hap_event_values_total", counter, "Values in these messages.", host},
		{"hap_pairings", gauge, "Controllers that are paired.", host},
		{"hap_setup_failures", gauge, "Wrong setup codes since the last pairing or reset.", host},
		{"hap_setup_locked", gauge, "1 when there were so many wrong setup codes that pairing is locked.", host},

		{"art_lookups_total", counter, "Names, covers and documents of titles that were asked for: hit or miss.", []string{"result"}},
		{"art_requests_total", counter, "Requests to the sources of names and covers by how they ended.", []string{"outcome"}},
	}
}

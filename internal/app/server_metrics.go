package app

import (
	"runtime"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/web"
	"github.com/ps4kit/ps4kit/ps4"
)

// measure adds the samples of one scrape. They name consoles by host id, and
// never tell who uses a console or what is played.
func (s *server) measure(m *web.Meter) {
	m.Bool("build_info", true, "go_version", runtime.Version(), "version", s.Version)
	m.Bool("ready", len(s.unready()) == 0)
	m.Counter("wrong_passwords_total", s.wrongPasswords.Load())
	measureDatagrams(m, "search_datagrams_total", s.registry.options.Counters)
	for _, u := range s.registry.list() {
		m.Part(func() { measureUnit(m, u) })
	}
	for hostID := range s.registry.refusals() {
		m.Bool("hap_offered", false, "host_id", hostID)
	}
	if c := s.homekit.companion.Load(); c != nil {
		m.Part(func() { measureHAP(m, state.Companion, c.hap) })
	} else if s.config.Companion.Enabled {
		m.Bool("hap_offered", false, "host_id", state.Companion)
	}
	if s.art.cache != nil {
		stats := s.art.cache.Stats()
		m.Counter("art_lookups_total", stats.Hits, "result", "hit")
		m.Counter("art_lookups_total", stats.Misses, "result", "miss")
		m.Counter("art_requests_total", stats.Fetched, "outcome", "fetched")
		m.Counter("art_requests_total", stats.Absent, "outcome", "absent")
		m.Counter("art_requests_total", stats.Failed, "outcome", "failed")
	}
}

func measureUnit(m *web.Meter, u *unit) {
	host := []string{"host_id", u.hostID}
	now := u.tv.Snapshot()
	m.Bool("console_info", true, "host_id", u.hostID, "name", now.Name, "system_version", now.SystemVersion)
	for _, state := range []ps4.State{ps4.StateAwake, ps4.StateStandby, ps4.StateUnreachable} {
		m.Bool("console_state", now.State == state, "host_id", u.hostID, "state", state.String())
	}
	m.Bool("console_active", now.Active, host...)
	m.Bool("console_playing", now.TitleID != "", host...)
	m.Bool("console_working", now.Working, host...)
	m.Bool("console_session_open", now.SessionOpen, host...)
	if !now.LastSeen.IsZero() {
		m.Gauge("console_last_seen_timestamp_seconds", float64(now.LastSeen.UnixMilli())/1000, host...)
	}
	stats := u.tv.Stats()
	m.Counter("polls_total", stats.Polls, host...)
	m.Counter("poll_misses_total", stats.Missed, host...)
	for _, c := range stats.Commands {
		for outcome, n := range map[string]uint64{"done": c.Done, "failed": c.Failed, "cancelled": c.Cancelled, "dropped": c.Dropped} {
			m.Counter("commands_total", n, "command", c.Name, "host_id", u.hostID, "outcome", outcome)
		}
		var buckets []web.Bucket
		for i, bound := range accessory.Bounds() {
			buckets = append(buckets, web.Bucket{Bound: bound.Seconds(), Count: c.Took.Buckets[i]})
		}
		m.Histogram("command_duration_seconds", buckets, c.Done, c.Took.Sum.Seconds(), "command", c.Name, "host_id", u.hostID)
	}
	measureDatagrams(m, "datagrams_total", &u.counters, host...)
	m.Counter("sessions_total", u.counters.Sessions.Load(), host...)
	m.Counter("session_resets_total", u.counters.Resets.Load(), host...)
	m.Counter("sessions_lost_total", u.counters.Lost.Load(), host...)
	m.Counter("session_heartbeats_total", u.counters.Heartbeats.Load(), host...)
	m.Counter("session_packets_skipped_total", u.counters.Skipped.Load(), host...)
	if u.hap != nil {
		measureHAP(m, u.hostID, u.hap)
	}
}

func measureDatagrams(m *web.Meter, name string, c *ps4.Counters, host ...string) {
	for kind, n := range map[string]uint64{
		"sent": c.DDPSent.Load(), "received": c.DDPReceived.Load(), "dropped": c.DDPDropped.Load(),
	} {
		m.Counter(name, n, append(host[:len(host):len(host)], "kind", kind)...)
	}
}

func measureHAP(m *web.Meter, hostID string, s *hapServer) {
	stats := s.Stats()
	host := []string{"host_id", hostID}
	m.Bool("hap_offered", s.listening.Load(), host...)
	m.Bool("hap_announced", stats.Announced, host...)
	for _, r := range stats.Requests {
		for outcome, n := range map[string]uint64{"ok": r.OK, "refused": r.Refused, "failed": r.Failed} {
			m.Counter("hap_requests_total", n, "host_id", hostID, "outcome", outcome, "request", r.Name)
		}
	}
	m.Gauge("hap_connections", float64(stats.Verified), "host_id", hostID, "kind", "verified")
	m.Gauge("hap_connections", float64(stats.Connections-stats.Verified), "host_id", hostID, "kind", "unverified")
	m.Counter("hap_connections_total", stats.Opened, host...)
	m.Counter("hap_connections_refused_total", stats.Refused, host...)
	m.Counter("hap_events_total", stats.Events, host...)
	m.Counter("hap_event_values_total", stats.EventValues, host...)
	m.Gauge("hap_pairings", float64(stats.Pairings), host...)
	m.Gauge("hap_setup_failures", float64(stats.SetupFailures), host...)
	m.Bool("hap_setup_locked", stats.SetupLocked, host...)
}

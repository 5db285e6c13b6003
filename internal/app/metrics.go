package app

import (
	"net/http"
	"runtime"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/web"
	"github.com/ps4kit/ps4kit/ps4"
)

// metrics answers /metrics, nil when they are not wanted.
func (s *server) metrics() http.Handler {
	if !s.Config.Metrics.Enabled {
		return nil
	}
	return web.Metrics(s.measure)
}

// measure tells the numbers of this moment, for one scrape. Consoles go by their host
// ids; nothing tells who uses them, or what they play.
func (s *server) measure(m *web.Meter) {
	m.Is("build_info", true, s.Version, runtime.Version())
	m.Is("ready", len(s.unready()) == 0)
	m.Count("wrong_passwords_total", s.wrongPasswords.Load())
	measureDatagrams(m, "search_datagrams_total", &s.searches)
	for _, u := range s.list() {
		measureConsole(m, u)
		measureCommands(m, u)
		measureSessions(m, u)
		if u.hap != nil {
			measureHAP(m, u.hostID, u.hap, u.listening.Load())
		}
	}
	for _, hostID := range s.refusals() {
		m.Is("hap_offered", false, hostID)
	}
	if c := s.companion.Load(); c != nil {
		measureHAP(m, state.Companion, c.hap, c.listening.Load())
	} else if s.Config.Companion.Enabled {
		m.Is("hap_offered", false, state.Companion)
	}
	s.measureArt(m)
}

func measureConsole(m *web.Meter, u *unit) {
	now := u.tv.Snapshot()
	m.Is("console_info", true, u.hostID, now.Name, now.SystemVersion)
	for _, state := range []ps4.State{ps4.StateAwake, ps4.StateStandby, ps4.StateUnreachable} {
		m.Is("console_state", now.State == state, u.hostID, state.String())
	}
	m.Is("console_active", now.Active, u.hostID)
	m.Is("console_playing", now.TitleID != "", u.hostID)
	m.Is("console_working", now.Working, u.hostID)
	m.Is("console_session_open", now.SessionOpen, u.hostID)
	if !now.LastSeen.IsZero() {
		m.Set("console_last_seen_timestamp_seconds", float64(now.LastSeen.UnixMilli())/1000, u.hostID)
	}
}

func measureCommands(m *web.Meter, u *unit) {
	stats := u.tv.Stats()
	m.Count("polls_total", stats.Polls, u.hostID)
	m.Count("poll_misses_total", stats.Missed, u.hostID)
	for _, c := range stats.Commands {
		m.Count("commands_total", c.Done, u.hostID, c.Name, "done")
		m.Count("commands_total", c.Failed, u.hostID, c.Name, "failed")
		m.Count("commands_total", c.Cancelled, u.hostID, c.Name, "cancelled")
		m.Count("commands_total", c.Dropped, u.hostID, c.Name, "dropped")
		buckets := map[float64]uint64{}
		for i, bound := range accessory.Bounds() {
			buckets[bound.Seconds()] = c.Took.Buckets[i]
		}
		m.Distribution("command_duration_seconds", c.Done, c.Took.Sum.Seconds(), buckets, u.hostID, c.Name)
	}
}

func measureSessions(m *web.Meter, u *unit) {
	measureDatagrams(m, "datagrams_total", &u.network, u.hostID)
	m.Count("sessions_total", u.network.Sessions.Load(), u.hostID)
	m.Count("session_resets_total", u.network.Resets.Load(), u.hostID)
	m.Count("sessions_lost_total", u.network.Lost.Load(), u.hostID)
	m.Count("session_heartbeats_total", u.network.Heartbeats.Load(), u.hostID)
	m.Count("session_packets_skipped_total", u.network.Skipped.Load(), u.hostID)
}

func measureDatagrams(m *web.Meter, name string, c *ps4.Counters, labels ...string) {
	m.Count(name, c.DDPSent.Load(), append(labels, "sent")...)
	m.Count(name, c.DDPReceived.Load(), append(labels, "received")...)
	m.Count(name, c.DDPDropped.Load(), append(labels, "dropped")...)
}

func measureHAP(m *web.Meter, hostID string, hap *hapserver.Server, listening bool) {
	stats := hap.Stats()
	m.Is("hap_offered", listening, hostID)
	m.Is("hap_announced", stats.Announced, hostID)
	for _, r := range stats.Requests {
		m.Count("hap_requests_total", r.OK, hostID, r.Name, "ok")
		m.Count("hap_requests_total", r.Refused, hostID, r.Name, "refused")
		m.Count("hap_requests_total", r.Failed, hostID, r.Name, "failed")
	}
	m.Set("hap_connections", float64(stats.Verified), hostID, "verified")
	m.Set("hap_connections", float64(stats.Connections-stats.Verified), hostID, "unverified")
	m.Count("hap_connections_total", stats.Opened, hostID)
	m.Count("hap_connections_refused_total", stats.Refused, hostID)
	m.Count("hap_events_total", stats.Events, hostID)
	m.Count("hap_event_values_total", stats.EventValues, hostID)
	m.Set("hap_pairings", float64(stats.Pairings), hostID)
	m.Set("hap_setup_failures", float64(stats.SetupFailures), hostID)
	m.Is("hap_setup_locked", stats.SetupLocked, hostID)
}

func (s *server) measureArt(m *web.Meter) {
	if s.art == nil {
		return
	}
	stats := s.art.Stats()
	m.Count("art_lookups_total", stats.Hits, "hit")
	m.Count("art_lookups_total", stats.Misses, "miss")
	m.Count("art_requests_total", stats.Fetched, "fetched")
	m.Count("art_requests_total", stats.Absent, "absent")
	m.Count("art_requests_total", stats.Failed, "failed")
}

package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Page answers what only the web page and scripts ask of a running server, beside its
// Backend. Consoles are named, and errors made, as for a Backend.
type Page interface {
	// Overview shows every console, by name.
	Overview(ctx context.Context) (Overview, error)
	// Events are those of this server.
	Events() *Events
}

// Overview is all that the first page shows.
type Overview struct {
	Consoles []Card `json:"consoles"`
}

// Card is a console as the page shows it.
type Card struct {
	Console
	Active       bool      `json:"active"`   // what is wanted, until the console confirms or refuses
	Starting     string    `json:"starting"` // the title that was chosen and does not run yet; empty when there is none
	Working      bool      `json:"working"`  // a command is under way
	SessionOpen  bool      `json:"session_open"`
	KeyboardOpen bool      `json:"keyboard_open"` // known while a session is open
	LastSeen     time.Time `json:"last_seen,omitzero"`
	Identified   time.Time `json:"identified,omitzero"` // when Home asked which one this is
	LastError    *Error    `json:"last_error,omitempty"`
	LastErrorAt  time.Time `json:"last_error_at,omitzero"`
	Credential   bool      `json:"credential"` // one is known
	Offered      bool      `json:"offered"`    // to HomeKit
	Paired       bool      `json:"paired"`
	Cover        string    `json:"cover,omitempty"` // path of the running title's cover
	Simulated    bool      `json:"simulated"`
}

func pageRoutes(p Page, may Permission) []route {
	if p == nil {
		return nil
	}
	return slices.Concat(overviewRoutes(p, may))
}

func overviewRoutes(p Page, may Permission) []route {
	return []route{
		{pattern: "GET /overview", handler: answer(func(r *http.Request) (Overview, error) {
			return p.Overview(r.Context())
		})},
		{pattern: "GET /events", handler: streamHandler(p, may)},
		{pattern: "GET /log", handler: answer(func(r *http.Request) ([]LogLine, error) {
			return logLines(p.Events().log, r.URL.Query())
		}), access: AccessAdmin},
	}
}

// CoverPath is the path of a title's cover in a size.
func CoverPath(titleID string, size int) string {
	return prefix + "/titles/" + escape(titleID) + "/cover?size=" + strconv.Itoa(size)
}

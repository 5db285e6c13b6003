package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bodies of requests. A field that is left out is empty, and the Backend says what
// is wrong with that; where empty would do harm, it is a pointer and asked for.
type (
	searchRequest struct {
		Wait string `json:"wait"` // "1.5s"
	}
	powerRequest struct {
		State string `json:"state"`          // StateAwake, StateStandby
		Wait  bool   `json:"wait,omitempty"` // until it is awake
	}
	startRequest struct {
		Title  string `json:"title"`
		NoQuit bool   `json:"no_quit,omitempty"`
	}
	keysRequest struct {
		Keys []string `json:"keys"`
	}
	textRequest struct {
		Text *string `json:"text,omitempty"`
	}
	linkRequest struct {
		PIN string `json:"pin"`
	}
	titleRequest struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	titleChange struct {
		Name   *string `json:"name,omitempty"`
		Hidden *bool   `json:"hidden,omitempty"`
		Pinned *bool   `json:"pinned,omitempty"`
	}
)

func (s searchRequest) wait() (time.Duration, error) {
	d, err := time.ParseDuration(s.Wait)
	if err != nil || d < 0 {
		return 0, errBadRequest(`wait must be a duration like "2s"`)
	}
	return d, nil
}

// empty stands in a path for an empty segment, which HTTP would clean away. What is
// really called so travels as %2D.
const empty = "-"

// escape makes one segment of a path of anything but "/", which net/http takes for a
// trailing slash even when it is escaped: what is called so goes by its id.
func escape(s string) string {
	switch s {
	case "":
		return empty
	case empty, ".", "..": // the two others would be cleaned away, too
		return strings.NewReplacer("-", "%2D", ".", "%2E").Replace(s)
	}
	return url.PathEscape(s)
}

// segment undoes escape for a wildcard of the route's pattern; it is empty where the
// pattern has none of that name.
func segment(r *http.Request, name string) string {
	i := slices.Index(strings.Split(r.Pattern, "/"), "{"+name+"}")
	if i < 0 || strings.Split(r.URL.EscapedPath(), "/")[i] == empty {
		return ""
	}
	return r.PathValue(name)
}

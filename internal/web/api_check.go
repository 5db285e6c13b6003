package web

import "net/http"

// Finding is something that is not as docs/homekit.md has it.
type Finding struct {
	Accessory string `json:"accessory"` // its name
	HostID    string `json:"host_id"`
	Rule      string `json:"rule"`            // section and row: "§2 Television Active"
	Where     string `json:"where,omitempty"` // "aid 1, iid 33"
	What      string `json:"what"`
}

func checkRoutes(b Backend) []route {
	return []route{
		{pattern: "GET /homekit/{host}/check", handler: answer(func(r *http.Request) ([]Finding, error) {
			return some(b.CheckHomekit(r.Context(), segment(r, "host")))
		}), access: AccessAdmin},
	}
}

package web

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Bodies of requests of the page.
type (
	nameRequest struct {
		Name string `json:"name"`
	}
	orderRequest struct {
		IDs *[]string `json:"ids"`
	}
	accountRequest struct {
		AccountID string `json:"account_id"`
		Passcode  string `json:"passcode,omitempty"`
	}
	signInRequest struct {
		Address  string `json:"address"`
		Passcode string `json:"passcode,omitempty"`
	}
	captureRequest struct {
		Passcode string `json:"passcode,omitempty"`
	}
)

// signInPage is where a person signs in to PSN.
type signInPage struct {
	AuthorizeURL string `json:"authorize_url"`
}

func pageRoutes(p Page, may Permission) []route {
	if p == nil {
		return nil
	}
	return slices.Concat(overviewRoutes(p, may), editRoutes(p), psnRoutes(p), setupRoutes(p))
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

func editRoutes(p Page) []route {
	return []route{
		{pattern: "PUT /consoles/{host}/name", handler: obey(func(r *http.Request, in nameRequest) error {
			return p.RenameConsole(r.Context(), segment(r, "host"), in.Name)
		})},
		{pattern: "PUT /consoles/{host}/titles/order", handler: obey(func(r *http.Request, in orderRequest) error {
			if in.IDs == nil {
				return errBadRequest("ids is missing")
			}
			return p.OrderTitles(r.Context(), segment(r, "host"), *in.IDs)
		})},
		{pattern: "GET /consoles/{host}/covers", handler: answer(func(r *http.Request) ([]string, error) {
			return some(p.Covers(r.Context(), segment(r, "host")))
		})},
		{pattern: "GET /titles/{id}/cover", handler: coverHandler(p)},
	}
}

// psnRoutes get a credential, of a console or the default one.
func psnRoutes(p Page) (list []route) {
	account := obey(func(r *http.Request, in accountRequest) error {
		return p.SetAccount(r.Context(), segment(r, "host"), in.AccountID, in.Passcode)
	})
	signIn := obey(func(r *http.Request, in signInRequest) error {
		return p.SignIn(r.Context(), segment(r, "host"), in.Address, in.Passcode)
	})
	capture := obey(func(r *http.Request, in captureRequest) error {
		return p.Capture(r.Context(), segment(r, "host"), in.Passcode)
	})
	for _, of := range []string{"", "/consoles/{host}"} {
		list = append(list,
			route{pattern: "PUT " + of + "/credential/account", handler: account, access: AccessAdmin},
			route{pattern: "PUT " + of + "/credential/psn", handler: signIn, access: AccessAdmin},
			route{pattern: "POST " + of + "/credential/capture", handler: capture, access: AccessAdmin},
		)
	}
	return append(list,
		route{pattern: "GET /psn", handler: answer(func(*http.Request) (signInPage, error) {
			return signInPage{p.AuthorizeURL()}, nil
		}), access: AccessAdmin},
		route{pattern: "POST /consoles/{host}/test", handler: carryOut(func(r *http.Request) error {
			return p.Test(r.Context(), segment(r, "host"))
		}), access: AccessAdmin},
	)
}

func setupRoutes(p Page) []route {
	return []route{
		{pattern: "GET /homekit/{host}/qr", handler: answer(func(r *http.Request) (vector, error) {
			uri, err := p.SetupURI(r.Context(), segment(r, "host"))
			if err != nil {
				return nil, err
			}
			return qrCode(uri)
		}), access: AccessAdmin},
		{pattern: "GET /settings", handler: answer(func(*http.Request) ([]Setting, error) {
			return some(p.Settings(), nil)
		}), access: AccessAdmin},
		{pattern: "POST /restore", handler: restoreHandler(p), access: AccessOwner},
	}
}

// coverHandler answers GET /titles/{id}/cover?size=256. A browser keeps what it got,
// and asks whether it is still the same.
func coverHandler(p Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("size"), "0"))
		if err != nil {
			refuse(w, errBadRequest("size must be a number"))
			return
		}
		picture, err := p.Cover(r.Context(), segment(r, "id"), size)
		if err != nil {
			refuse(w, err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", picture.Type)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "private, no-cache")
		h.Set("ETag", picture.ETag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(picture.Data))
	})
}

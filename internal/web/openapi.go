package web

import (
	_ "embed" // the document is a file
	"net/http"
)

// openAPI describes every route; a test holds it against them.
//
//go:embed openapi.json
var openAPI []byte

func documentRoutes() []route {
	return []route{
		{pattern: "GET /openapi.json", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			write(w, http.StatusOK, "application/json", openAPI)
		})},
	}
}

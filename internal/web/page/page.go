// Package page holds the files of the web page. internal/web serves index.html at /,
// login.html at /login, and every other file at /assets/NAME.
package page

import "embed"

// FS holds the files, without folders.
//
//go:embed *.html *.css *.js *.svg
var FS embed.FS

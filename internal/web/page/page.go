// Package page holds the files of the web page. internal/web serves index.html
// at /, login.html at /login, guide.html around each page at /guide/, and every
// other file at /assets/NAME.
package page

import (
	"embed"
	"io/fs"
)

// FS holds the files. Those in vendor are third-party modules.
//
//go:embed *.html *.css *.js *.svg *.png *.webmanifest vendor/*
var FS embed.FS

// Names returns the paths of all files in FS.
func Names() []string {
	own, _ := fs.Glob(FS, "*.*") // the patterns are valid
	vendored, _ := fs.Glob(FS, "vendor/*.*")
	return append(own, vendored...)
}

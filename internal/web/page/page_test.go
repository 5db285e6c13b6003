package page_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/web/page"
)

// firstLoad is what all files may have together, before compression: a Pi serves them
// to a phone at once.
const firstLoad = 200_000

func TestSize(t *testing.T) {
	t.Parallel()
	total := 0
	for name, content := range files(t) {
		total += len(content)
		if lines := strings.Count(content, "\n"); lines > 400 {
			t.Errorf("%s has %d lines: what in it wants a file of its own?", name, lines)
		}
	}
	if total >= firstLoad {
		t.Errorf("the page has %d bytes, and may have less than %d", total, firstLoad)
	}
}

// TestOwnHostOnly demands that nothing is loaded from elsewhere: a Pi may be offline.
func TestOwnHostOnly(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}`)
	for name, content := range files(t) {
		for _, address := range elsewhere.FindAllString(content, -1) {
			if address != "http://www.w3.org" { // the namespace of SVG, which nobody asks for
				t.Errorf("%s names %s", name, address)
			}
		}
	}
}

// TestMarkup holds the files against the content security policy, and against markup
// that is made of names from the network.
func TestMarkup(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|<script(>| [^>]*[^>"]>)|\son[a-z]+=|javascript:`)
	unsafe := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function`)
	for name, content := range files(t) {
		forbidden := unsafe
		if strings.HasSuffix(name, ".html") {
			forbidden = inline
		}
		if found := forbidden.FindString(content); found != "" {
			t.Errorf("%s holds %q", name, found)
		}
	}
}

// TestNames demands that every file which another one names is there.
func TestNames(t *testing.T) {
	t.Parallel()
	all := files(t)
	named := regexp.MustCompile(`(?:/assets/|from '\./)([a-z0-9.]+)`)
	used := map[string]bool{"index.html": true, "login.html": true}
	for name, content := range all {
		for _, m := range named.FindAllStringSubmatch(content, -1) {
			if used[m[1]] = true; all[m[1]] == "" {
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
	}
	for name := range all {
		if !used[name] {
			t.Errorf("nothing names %s", name)
		}
	}
}

func files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(page.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := page.FS.ReadFile(name)
		all[name] = string(content)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d files: %v", len(all), err)
	}
	return all
}

package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// firstLoad limits the size of all files together, uncompressed.
const firstLoad = 200_000

func TestSize(t *testing.T) {
	t.Parallel()
	total := 0
	for _, content := range pageFiles(t) {
		total += len(content)
	}
	if total >= firstLoad {
		t.Errorf("the page has %d bytes, want less than %d", total, firstLoad)
	}
}

// TestVendored checks that third-party modules are the published files.
func TestVendored(t *testing.T) {
	t.Parallel()
	all := pageFiles(t)
	sum := sha256.Sum256([]byte(all["vendor/preact.js"]))
	if !strings.Contains(all["vendor/LICENSES.txt"], hex.EncodeToString(sum[:])) {
		t.Errorf("vendor/LICENSES.txt lacks the sum of preact.js, %x", sum)
	}
}

// TestOwnHostOnly checks that nothing is loaded from another host: a Pi may be
// offline.
func TestOwnHostOnly(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}`)
	for name, content := range pageFiles(t) {
		if name == "vendor/LICENSES.txt" {
			continue
		}
		for _, address := range elsewhere.FindAllString(content, -1) {
			if address != "http://www.w3.org" { // a namespace, which is never loaded
				t.Errorf("%s names %s", name, address)
			}
		}
	}
}

// TestMarkup checks the files against the content security policy, and that no
// markup is made of names from the network.
func TestMarkup(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|<script(>| [^>]*[^>"]>)|\son[a-z]+=|javascript:`)
	unsafe := regexp.MustCompile(`innerHTML|dangerouslySetInnerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function`)
	for name, content := range pageFiles(t) {
		if strings.HasPrefix(name, "vendor/") {
			continue // only the page could make it do this
		}
		forbidden := unsafe
		if strings.HasSuffix(name, ".html") {
			forbidden = inline
		}
		if found := forbidden.FindString(content); found != "" {
			t.Errorf("%s holds %q", name, found)
		}
	}
}

// TestNames checks that every file that another one names exists.
func TestNames(t *testing.T) {
	t.Parallel()
	all := pageFiles(t)
	named := regexp.MustCompile(`(?:/assets/|from '\./)([A-Za-z0-9./]+)`)
	used := map[string]bool{"index.html": true, "login.html": true, "guide.html": true}
	for name, content := range all {
		for _, m := range named.FindAllStringSubmatch(content, -1) {
			if used[m[1]] = true; all[m[1]] == "" {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
	}
	for name := range all {
		if !used[name] {
			t.Errorf("no file names %s", name)
		}
	}
}

// pageFiles returns the files of the page by name.
func pageFiles(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	page := os.DirFS("page")
	err := fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(page, name)
		all[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

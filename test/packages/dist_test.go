package packages_test

import (
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReproducible checks that another directory and another umask give the
// same bytes.
func TestReproducible(t *testing.T) {
	needs(t, "git", "tar", "gzip")
	t.Parallel()
	first := sums(t, dist(t, newVersion))
	again := t.TempDir()
	build(t, again, newVersion, "umask 077")
	second := sums(t, filepath.Join(again, "dist"))
	if len(first) != len(second) || len(first) < 6+6+6+3+1 { // binaries, archives, SBOMs, packages, SHA256SUMS
		t.Errorf("%d files, then %d", len(first), len(second))
	}
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s is not the same twice", name)
		}
	}
	run(t, nil, "sh", "-c", `cd "$0" && sha256sum --check --quiet SHA256SUMS`, dist(t, newVersion))
}

func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	all := map[string][32]byte{}
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = sha256.Sum256(content)
		return err
	}))
	return all
}

// TestSBOM checks that every module in go.mod that the program needs is listed,
// with the program's own version.
func TestSBOM(t *testing.T) {
	needs(t)
	t.Parallel()
	content, err := os.ReadFile(one(t, dist(t, newVersion), "*_linux_arm64.cdx.json"))
	must(t, err)
	var bom struct {
		BOMFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version string }
	}
	must(t, json.Unmarshal(content, &bom))
	if bom.BOMFormat != "CycloneDX" || bom.Metadata.Component.Version != newVersion {
		t.Errorf("%s of %+v", bom.BOMFormat, bom.Metadata.Component)
	}
	listed := map[string]bool{}
	for _, c := range bom.Components {
		listed[c.Name] = c.Version != ""
	}
	for _, name := range []string{"std", "github.com/brutella/hap", "github.com/spf13/cobra", "golang.org/x/crypto"} {
		if !listed[name] {
			t.Errorf("%s is not listed", name)
		}
	}
}

// TestShippedText checks that every text in the package and in an archive
// refers only to files that are in it, and that the manual page fits a terminal.
func TestShippedText(t *testing.T) {
	needs(t, "dpkg-deb", "tar", "man")
	t.Parallel()
	deb, archive := t.TempDir(), t.TempDir()
	run(t, nil, "dpkg-deb", "-x", one(t, dist(t, newVersion), "*_amd64.deb"), deb)
	run(t, nil, "tar", "-C", archive, "--strip-components=1", "-xzf", one(t, dist(t, newVersion), "*_linux_amd64.tar.gz"))
	doc := filepath.Join(deb, "usr/share/doc/ps4kit")
	for _, page := range []string{"README.md", "deploy/README.md", "docs/cli.md", "docs/credentials.md", "docs/guide/README.md", "docs/guide/install.md"} {
		if _, err := os.Stat(filepath.Join(doc, page)); err != nil {
			t.Error(err)
		}
	}
	checkReferences(t, doc, doc)
	checkReferences(t, filepath.Join(deb, "etc"), doc)
	checkReferences(t, filepath.Join(deb, "usr/lib/systemd"), doc)
	checkReferences(t, archive, archive)
	manual := run(t, []string{"MANWIDTH=80", "LC_ALL=C.UTF-8"}, "sh", "-c", `exec man --warnings -l "$0" 2>&1`, filepath.Join(deb, "usr/share/man/man1/ps4kit.1.gz"))
	if !strings.Contains(manual, "SYNOPSIS") || strings.Contains(manual, "warning") || strings.Contains(manual, "<!--") {
		t.Errorf("the manual page:\n%s", manual)
	}
}

// checkReferences checks the links and the paths of documents in the texts below
// a directory. Paths are relative to docs, links to their page.
func checkReferences(t *testing.T, dir, docs string) {
	t.Helper()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	path := regexp.MustCompile(`(^|[ "(])((docs|deploy)/[\w/.-]+\.\w+)`)
	must(t, filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !slices.Contains([]string{".md", ".yaml", ".example", ".service", ".plist"}, filepath.Ext(name)) {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, m := range path.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(docs, m[2])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		return err
	}))
}

// TestVersion checks that the version of these sources looks like one, and that
// Debian sorts it before the release.
func TestVersion(t *testing.T) {
	needs(t, "git", "dpkg")
	t.Parallel()
	version := strings.TrimSpace(run(t, nil, "../../deploy/version.sh"))
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+(-[\w.-]+)?$`).MatchString(version) {
		t.Errorf("version %q", version)
	}
	_, file, _ := strings.Cut(filepath.Base(one(t, dist(t, newVersion), "*_amd64.deb")), "_")
	deb, _, _ := strings.Cut(file, "_")
	run(t, nil, "dpkg", "--compare-versions", deb, "lt", strings.TrimPrefix(strings.TrimSuffix(newVersion, "-rc1"), "v"))
}

// TestStatic checks that the programs need no shared library.
func TestStatic(t *testing.T) {
	needs(t, "file")
	t.Parallel()
	for _, arch := range []string{"armv6", "armv7", "arm64", "amd64"} {
		if said := run(t, nil, "file", filepath.Join(dist(t, newVersion), "bin", "ps4kit_linux_"+arch)); !strings.Contains(said, "statically linked") {
			t.Error(said)
		}
	}
}

// TestLaunchd checks that the property list is XML. No Mac was at hand to load
// it.
func TestLaunchd(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../deploy/com.github.ps4kit.plist")
	must(t, err)
	defer f.Close()
	for d := xml.NewDecoder(f); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
	}
}

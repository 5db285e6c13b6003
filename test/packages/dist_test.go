package packages_test

import (
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
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

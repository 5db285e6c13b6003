// Package layering tests which packages import which.
package layering

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ps4kit/ps4kit"

// Groups of third-party imports that the rules name.
const (
	anyLibrary = "*"
	cobra      = "github.com/spf13/cobra"
	bubbletea  = "charm.land/bubbletea/v2"
	viper      = "github.com/spf13/viper"
	hapModel   = "github.com/brutella/hap"
	xcrypto    = "golang.org/x/crypto"
	metrics    = "github.com/VictoriaMetrics/metrics"
)

// rule says what the non-test files of a directory may import: packages of this
// module, and libraries by path prefix. anyLibrary is all but those in owners.
type rule struct {
	folder    string // exact, or with everything below it when it ends in /...
	module    []string
	libraries []string
}

// rules are those of docs/ARCHITECTURE.md. A directory without a rule is an
// error.
var rules = []rule{
	{"internal/text", nil, nil},
	{"ps4", []string{"ps4/internal/ddp", "ps4/internal/wire", "internal/text"}, nil},
	{"ps4/remoteplay", []string{"ps4", "ps4/internal/rp", "ps4/internal/takion", "ps4/remoteplay/internal/stream", "internal/text"}, nil},
	{"ps4/remoteplay/internal/stream", []string{"ps4/internal/takion"}, nil},
	{"ps4/internal/...", []string{"internal/text"}, nil},
	{"ps4/ps4test", []string{"ps4", "ps4/remoteplay", "ps4/internal/ddp", "ps4/internal/rp", "ps4/internal/takion", "ps4/internal/wire"}, nil},
	{"artcache/...", []string{"artcache", "internal/text"}, []string{"golang.org/x"}},
	{"internal/hapserver", []string{"internal/mdns"}, []string{hapModel, xcrypto}},
	{"internal/mdns", nil, []string{"github.com/miekg/dns", "golang.org/x/net"}},
	{"accessory", []string{"ps4", "ps4/remoteplay", "internal/text"}, []string{hapModel, "golang.org/x/text", "golang.org/x/sync"}},
	{"internal/config", []string{"ps4", "internal/hapserver", "internal/text"}, []string{viper, "github.com/go-viper/mapstructure", "go.yaml.in/yaml", xcrypto}},
	{"internal/state", []string{"internal/text"}, []string{"github.com/google/renameio", "golang.org/x/sys"}},
	{"internal/api", []string{"internal/text"}, []string{"rsc.io/qr"}},
	{"internal/web", []string{"internal/api", "internal/text"}, []string{anyLibrary, metrics}},
	{"internal/doctor", []string{"ps4", "internal/config", "internal/mdns", "internal/state", "internal/api", "internal/phone", "internal/text"}, []string{"github.com/miekg/dns", "golang.org/x/net"}},
	{"internal/psn", []string{"ps4", "internal/api", "internal/text"}, nil},
	{"internal/titles", []string{"ps4", "internal/api", "internal/text"}, []string{"golang.org/x/text"}},
	{"internal/phone", []string{"ps4", "internal/api", "internal/text"}, nil},
	{"internal/tui", []string{"internal/api", "internal/text"}, []string{bubbletea, "github.com/charmbracelet/x/ansi"}},
	{"internal/app", []string{"*"}, []string{anyLibrary}},
	{"cmd/...", []string{"*"}, []string{anyLibrary, cobra}},
	{"test/...", []string{"*"}, []string{anyLibrary}},
}

// owners are libraries that only the layers which name them may import, even
// where anyLibrary is allowed.
var owners = []string{cobra, viper, bubbletea, metrics}

// neverImported is hap's own server, which lets anyone pair without the code
// (docs/adr/0001-own-hap-session-layer.md). Only its model is used.
var neverImported = []string{hapModel}

func TestImportsKeepTheLayers(t *testing.T) {
	t.Parallel()
	checked := 0
	for file, imports := range productionImports(t, "../..") {
		folder := path.Dir(file)
		r := slices.IndexFunc(rules, func(r rule) bool { return r.matches(folder) })
		if r < 0 {
			t.Errorf("%s: folder %s has no rule in %s", file, folder, "test/layering")
			continue
		}
		for _, imp := range imports {
			checked++
			if why := rules[r].refuses(imp); why != "" {
				t.Errorf("%s imports %s: %s", file, imp, why)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d imports were checked: the walk is broken", checked)
	}
}

// TestRulesRefuse shows that each kind of rule can fail.
func TestRulesRefuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		folder, imp string
		allowed     bool
	}{
		{"ps4", "net/netip", true},
		{"ps4", "github.com/sirupsen/logrus", false},
		{"ps4", module + "/internal/state", false},
		{"accessory", module + "/ps4", true},
		{"accessory", module + "/ps4/ps4test", false},
		{"accessory", module + "/artcache", false},
		{"accessory", module + "/internal/hapserver", false},
		{"internal/hapserver", hapModel + "/accessory", true},
		{"internal/hapserver", hapModel, false},
		{"internal/hapserver", module + "/ps4", false},
		{"internal/hapserver", module + "/internal/mdns", true},
		{"internal/mdns", hapModel + "/accessory", false},
		{"internal/app", cobra, false},
		{"internal/app", viper, false},
		{"cmd/ps4kit", cobra, true},
		{"internal/api", module + "/ps4", false},
		{"internal/api", module + "/internal/web", false},
		{"internal/web", module + "/internal/api", true},
		{"internal/web", module + "/ps4", false},
		{"internal/web", metrics, true},
		{"internal/app", metrics, false},
		{"accessory", metrics, false},
		{"internal/tui", bubbletea, true},
		{"internal/tui", module + "/ps4", false},
		{"cmd/ps4kit", bubbletea, false},
	} {
		i := slices.IndexFunc(rules, func(r rule) bool { return r.matches(tt.folder) })
		if i < 0 {
			t.Fatalf("no rule for %s", tt.folder)
		}
		if why := rules[i].refuses(tt.imp); (why == "") != tt.allowed {
			t.Errorf("%s importing %s: refused with %q, allowed should be %v", tt.folder, tt.imp, why, tt.allowed)
		}
	}
}

func (r rule) matches(folder string) bool {
	if base, tree := strings.CutSuffix(r.folder, "/..."); tree {
		return folder == base || strings.HasPrefix(folder, base+"/")
	}
	return folder == r.folder
}

// refuses returns why an import breaks the rule, or nothing if it does not.
func (r rule) refuses(imp string) string {
	if slices.Contains(neverImported, imp) {
		return "hap's own server must not face a network"
	}
	if inside, ok := strings.CutPrefix(imp, module+"/"); ok {
		if slices.Contains(r.module, "*") || slices.Contains(r.module, inside) {
			return ""
		}
		return r.folder + " may import of this module only " + strings.Join(r.module, ", ")
	}
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	if matchesAny(imp, r.libraries) {
		return ""
	}
	if slices.Contains(r.libraries, anyLibrary) && !matchesAny(imp, owners) {
		return ""
	}
	return r.folder + " may not know this library"
}

func matchesAny(imp string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return imp == p || strings.HasPrefix(imp, p+"/")
	})
}

// productionImports returns the imports of every Go file below root that is not
// a test.
func productionImports(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[filepath.ToSlash(rel)] = append(found[filepath.ToSlash(rel)], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

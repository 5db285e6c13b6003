package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A command line makes the verb that it names and no other; whatever names none, or may
// have to tell of all, makes all.
func TestNewRootMakesWhatIsNamed(t *testing.T) {
	t.Parallel()
	all := len(verbs) + 1 // completion
	for line, want := range map[string]int{
		"serve":                              1,
		"serve --help":                       1,
		"--config status -v serve":           1,
		"-o=json serve --simulate 1":         1,
		"--state-dir=/x --debug serve extra": 1,
		"":                                   all,
		"help serve":                         all,
		"serv":                               all,
		"check":                              all, // an alias
		"__complete serve --sim":             all,
		"--bogus serve":                      all,
		"--config":                           all,
		"-h serve":                           all,
	} {
		list := newRoot(&program{}, strings.Fields(line)).Commands()
		if len(list) != want {
			t.Errorf("%q makes %d verbs, want %d", line, len(list), want)
		}
		if want == 1 && list[0].Name() != "serve" {
			t.Errorf("%q makes %q", line, list[0].Name())
		}
	}
}

// The table names each verb as the verb itself does.
func TestVerbsHaveTheirNames(t *testing.T) {
	t.Parallel()
	for name, verb := range verbs {
		if got := verb(&program{}).Name(); got != name {
			t.Errorf("%q makes %q", name, got)
		}
	}
}

// everyCommand returns the arguments that name each command.
func everyCommand(cmd *cobra.Command, path ...string) [][]string {
	list := [][]string{path}
	for _, sub := range cmd.Commands() {
		list = append(list, everyCommand(sub, append(slices.Clone(path), sub.Name())...)...)
	}
	return list
}

func TestVersionFlag(t *testing.T) {
	t.Parallel()
	for _, path := range everyCommand(newRoot(&program{}, nil)) {
		for form, want := range map[string]string{"text": "ps4kit unknown (go", "json": `"version":"unknown"`} {
			var stdout, stderr strings.Builder
			code := execute(append(path, "--version", "-o", form), nil, &stdout, &stderr)
			if code != 0 || !strings.Contains(stdout.String(), want) || stderr.Len() != 0 {
				t.Errorf("%q as %s: exit code %d, %q, %q", path, form, code, stdout.String(), stderr.String())
			}
		}
	}
}

// Flags may be spelled with underscores, as --ip_address was in earlier programs.
func TestUnderscoresInFlags(t *testing.T) {
	t.Parallel()
	found := 0
	for _, path := range everyCommand(newRoot(&program{}, nil)) {
		p := &program{}
		root := newRoot(p, path)
		cmd, _, err := root.Find(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.ParseFlags([]string{"--state_dir", "/x"}); err != nil || p.stateDir != "/x" {
			t.Errorf("%q: --state_dir: %q, %v", path, p.stateDir, err)
		}
		if cmd.Flags().Lookup("ip-address") == nil {
			continue
		}
		found++
		if err := cmd.ParseFlags([]string{"--ip_address", "192.0.2.5"}); err != nil || cmd.Flag("ip-address").Value.String() != "192.0.2.5" {
			t.Errorf("%q: --ip_address: %v", path, err)
		}
	}
	if found < 15 {
		t.Errorf("only %d verbs have --ip-address", found)
	}
	if list := newRoot(&program{}, []string{"--state_dir", "/x", "serve"}).Commands(); len(list) != 1 {
		t.Errorf("--state_dir before the verb makes %d verbs", len(list))
	}
}

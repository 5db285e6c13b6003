package main

import (
	"strings"
	"testing"
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

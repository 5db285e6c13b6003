package state_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
)

func TestDir(t *testing.T) {
	t.Parallel()
	all := map[string]string{"STATE_DIRECTORY": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"}
	for name, test := range map[string]struct {
		flag      string
		variables map[string]string
		uid       int
		want      string
	}{
		"flag wins":            {"/f", all, 0, "/f"},
		"systemd":              {"", all, 1000, "/s"},
		"systemd, root":        {"", all, 0, "/s"},
		"systemd, several":     {"", map[string]string{"STATE_DIRECTORY": "/s:/t"}, 0, "/s"},
		"XDG":                  {"", map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, 1000, "/x/ps4kit"},
		"XDG, root":            {"", map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/root"}, 0, "/x/ps4kit"},
		"XDG relative":         {"", map[string]string{"XDG_STATE_HOME": "x", "HOME": "/h"}, 1000, "/h/.local/state/ps4kit"},
		"home":                 {"", map[string]string{"HOME": "/h"}, 1000, "/h/.local/state/ps4kit"},
		"root":                 {"", map[string]string{"HOME": "/root"}, 0, "/var/lib/ps4kit"},
		"empty counts as none": {"", map[string]string{"STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "HOME": "/h"}, 1, "/h/.local/state/ps4kit"},
	} {
		got, err := state.Env{Variables: test.variables, UID: test.uid}.Dir(test.flag)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

func TestDirIsAbsolute(t *testing.T) {
	t.Parallel()
	got, err := state.Dir("state")
	if err != nil || !filepath.IsAbs(got) || filepath.Base(got) != "state" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDirWithoutHome(t *testing.T) {
	t.Parallel()
	if dir, err := (state.Env{UID: 1000}).Dir(""); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("%q, %v", dir, err)
	}
}

func TestFindGoesToTheServiceOfTheMachine(t *testing.T) {
	t.Parallel()
	const service, own = "/var/lib/ps4kit", "/h/.local/state/ps4kit"
	home := map[string]string{"HOME": "/h"}
	for name, test := range map[string]struct {
		flag      string
		variables map[string]string
		uid       int
		exist     []string
		want      string
	}{
		"a service, and nothing at home": {"", home, 1000, []string{service}, service},
		"a service, and no home":         {"", nil, 1000, []string{service}, service},
		"a service, and state at home":   {"", home, 1000, []string{service, own}, own},
		"no service":                     {"", home, 1000, nil, own},
		"another was named":              {"/f", home, 1000, []string{service}, "/f"},
		"another is set":                 {"", map[string]string{"XDG_STATE_HOME": "/x"}, 1000, []string{service}, "/x/ps4kit"},
		"root":                           {"", home, 0, nil, service},
	} {
		e := state.Env{Variables: test.variables, UID: test.uid, Exists: func(path string) bool { return slices.Contains(test.exist, path) }}
		if got, err := e.Find(test.flag); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

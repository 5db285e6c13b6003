package config_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
)

func TestSearchDirs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		variables map[string]string
		want      []string
	}{
		"all":          {map[string]string{"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, []string{".", "/x/ps4kit", "/h/.config/ps4kit", "/etc/ps4kit"}},
		"no home":      {nil, []string{".", "/etc/ps4kit"}},
		"relative XDG": {map[string]string{"XDG_CONFIG_HOME": "x", "HOME": "/h"}, []string{".", "/h/.config/ps4kit", "/etc/ps4kit"}},
	} {
		if got := config.SearchDirs(env(test.variables)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestSearchOrder removes one file after the other from the places of the search.
func TestSearchOrder(t *testing.T) { // not parallel: changes the working directory
	dir := t.TempDir()
	t.Chdir(dir)
	variables := env(map[string]string{"XDG_CONFIG_HOME": filepath.Join(dir, "xdg"), "HOME": filepath.Join(dir, "home")})
	places := []string{"config.yaml", filepath.Join(dir, "xdg/ps4kit/config.yaml"), filepath.Join(dir, "home/.config/ps4kit/config.yaml")}
	for i := range slices.Backward(places) {
		write(t, places[i], "log: {level: debug}\n")
		c, err := config.Load("", variables)
		if err != nil {
			t.Fatal(err)
		}
		if c.File != places[i] || c.Log.Level != "debug" {
			t.Errorf("read %q, want %q", c.File, places[i])
		}
	}
}

// TestSearchFindsNothing needs a machine without /etc/ps4kit.
func TestSearchFindsNothing(t *testing.T) { // not parallel: changes the working directory
	t.Chdir(t.TempDir())
	c, err := config.Load("", env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.File != "" && c.File != "/etc/ps4kit/config.yaml" {
		t.Errorf("read %q", c.File)
	}
}

// TestSearchStopsAtAnUnreadableFile: the owner believes that it counts.
func TestSearchStopsAtAnUnreadableFile(t *testing.T) { // not parallel: changes the working directory
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "config.yaml/inside", "")
	if c, err := config.Load("", env(nil)); err == nil {
		t.Errorf("a directory named config.yaml was passed over: read %q", c.File)
	}
}

package config_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
)

// The tests in this file set variables and the working directory, so they can't
// run in parallel.

func TestSearchDirs(t *testing.T) {
	for name, test := range map[string]struct {
		xdg, home string
		want      []string
	}{
		"all":          {"/x", "/h", []string{".", "/x/ps4kit", "/h/.config/ps4kit", "/etc/ps4kit"}},
		"no home":      {"", "", []string{".", "/etc/ps4kit"}},
		"relative XDG": {"x", "/h", []string{".", "/h/.config/ps4kit", "/etc/ps4kit"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_CONFIG_HOME", test.xdg)
			t.Setenv("HOME", test.home)
			if got := config.SearchDirs(); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestSearchOrder writes a file to one place after another, the last one first.
func TestSearchOrder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "xdg"))
	t.Setenv("HOME", filepath.Join(dir, "home"))
	places := []string{"config.yaml", filepath.Join(dir, "xdg/ps4kit/config.yaml"), filepath.Join(dir, "home/.config/ps4kit/config.yaml")}
	for _, place := range slices.Backward(places) {
		write(t, place, "log: {level: debug}\n")
		c, err := config.Load("")
		if err != nil {
			t.Fatal(err)
		}
		if c.File != place || c.Log.Level != "debug" {
			t.Errorf("read %q, want %q", c.File, place)
		}
	}
}

// TestSearchFindsNothing ignores files of other formats, and a home that is not
// a directory.
func TestSearchFindsNothing(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "config.json", "{}")
	write(t, "config.toml", "")
	t.Setenv("HOME", "/dev/null")
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if c.File != "" && c.File != "/etc/ps4kit/config.yaml" { // where ps4kit is installed
		t.Errorf("read %q", c.File)
	}
}

func TestSearchStopsAtAnUnreadableFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "config.yaml/inside", "")
	if c, err := config.Load(""); err == nil {
		t.Errorf("skipped a directory named config.yaml, and read %q", c.File)
	}
}

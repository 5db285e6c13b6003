package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
)

// FuzzLoad checks that Load returns either an *Error whose problems all name the
// file, or a valid configuration whose settings mean the same in variables.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, seed := range append(seeds, exampleFile) {
		text, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		if len(text) < 4096 || seed == exampleFile {
			f.Add(string(text))
		}
	}
	f.Add("consoles: [{host_id: 001122334455, passcode: 0123}]\nhomekit: &h {slots: 0x10}\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := load(t, text)
		if err != nil {
			checkError(t, err)
			return
		}
		checkConfig(t, c)
		for _, s := range plainSettings(c) {
			t.Setenv(s[0], s[1])
		}
		again := mustLoad(t, "")
		if before, after := plainSettings(c), plainSettings(again); !slices.Equal(before, after) {
			t.Fatalf("from the file\n%q\nfrom the environment\n%q", before, after)
		}
	})
}

func checkError(t *testing.T, err error) {
	var all *config.Error
	if !errors.As(err, &all) || len(all.Problems) == 0 {
		t.Fatalf("%T: %v", err, err)
	}
	for _, p := range all.Problems {
		if filepath.Base(p.Source) != "config.yaml" || p.Line < 0 || p.Message == "" {
			t.Fatalf("%+v", p)
		}
	}
}

// plainSettings returns variables that stand for a configuration. It leaves out
// secrets, which are redacted, the consoles, and paths, which are relative to
// another directory in a variable.
func plainSettings(c *config.Config) [][2]string {
	files := []string{"web.tls_cert", "web.tls_key", "console_key"}
	var values [][2]string
	for _, s := range c.Settings() {
		if strings.Contains(s.Value, "\x00") {
			continue // not in an environment
		}
		if s.Env != "" && s.Key != "consoles" && s.Value != "[redacted]" && !slices.Contains(files, s.Key) {
			values = append(values, [2]string{s.Env, s.Value})
		}
	}
	return values
}

// checkConfig checks what the comments of the types promise.
func checkConfig(t *testing.T, c *config.Config) {
	for _, console := range c.Consoles {
		if console.HostID == "" && !console.Address.IsValid() || console.Category == "" || len(console.Name) > 64 {
			t.Fatalf("%+v", console)
		}
		if n := len(console.Titles); n > c.HomeKit.Slots-2 {
			t.Fatalf("%d titles in %d slots", n, c.HomeKit.Slots)
		}
	}
	if c.Poll.Interval <= 0 || c.Discovery.Interval <= 0 || c.Session.Idle <= 0 || c.Session.KeysIdle <= 0 || c.HomeKit.Port > 32767 || c.Web.Listen == "" {
		t.Fatalf("%+v", c)
	}
}

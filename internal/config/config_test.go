package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// load reads a configuration from text.
func load(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, text)
	return config.Load(path)
}

func mustLoad(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write makes a file and the directories above it.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBadFiles loads each file in testdata/bad, which has one mistake, and
// compares the error with the one in its first line.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			want := file + strings.TrimPrefix(first, "# want")
			_, err = config.Load(file)
			var all *config.Error
			if !errors.As(err, &all) || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

// TestAllProblemsAtOnce has unknown keys and invalid values in one file.
func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Load("testdata/several.yaml")
	want := `testdata/several.yaml:2: poll.interval: "fast" is not a duration: write a number and a unit, such as 500ms, 30s or 5m
testdata/several.yaml:3: poll: unknown key "mises", did you mean misses?
testdata/several.yaml:5: consoles[0]: unknown key "hostid", did you mean host_id?
testdata/several.yaml:7: consoles[1].passcode: is not a passcode: write the 4 digits typed on the console
testdata/several.yaml:8: homekit.slots: "2" is not a whole number from 3 to 90
testdata/several.yaml:8: homekit.port: "-1" is not a whole number from 0 to 32767`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("missing: %v", err)
	}
	if _, err := config.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("directory: %v", err)
	}
}

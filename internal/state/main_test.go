package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
	"go.uber.org/goleak"
)

// roleVariable makes the test binary play another process.
const roleVariable = "PS4KIT_STATE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "writer":
		os.Exit(writeUntilKilled(os.Args[1]))
	case "filler":
		os.Exit(writeTooMuch(os.Args[1]))
	case "restorer":
		os.Exit(restoreUntilKilled(os.Args[1]))
	case "opener":
		os.Exit(openUnwritable(os.Args[1]))
	case "owner":
		os.Exit(ownUntilTold(os.Args[1]))
	}
	goleak.VerifyTestMain(m)
}

const hostID = "A0B1C2D3E4F5"

// record stands for what a session layer keeps.
type record struct {
	Device string   `json:"device"`
	Pairs  []string `json:"pairs"`
}

func open(t *testing.T, dir string) *state.Store {
	t.Helper()
	return openWith(t, dir, nil)
}

func openWith(t *testing.T, dir string, opts *state.Options) *state.Store {
	t.Helper()
	s, err := state.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func homekit(t *testing.T, s *state.Store) *state.File[record] {
	t.Helper()
	return state.HomeKit[record](s, hostID)
}

func document(s *state.Store, name string) *state.File[record] {
	return state.Document(s, name, state.DocumentOptions[record]{})
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, text string, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// names lists what a directory holds.
func names(t *testing.T, path ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

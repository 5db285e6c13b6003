// Package need skips the tests that need more than Go, always with a reason.
// When PS4KIT_REQUIRE_ALL is set, as it is in CI, they fail instead.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// variable turns every skip into a failure.
const variable = "PS4KIT_REQUIRE_ALL"

// All reports whether every test must run.
func All() bool { return os.Getenv(variable) != "" }

// Skip skips the test for a reason, or fails it if every test must run.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if All() {
		t.Fatalf("%s (%s is set)", reason, variable)
	}
	t.Skip(reason)
}

// Make skips a test that only the given make target runs.
func Make(t testing.TB, target string) {
	t.Helper()
	if !All() {
		t.Skip("run by make " + target)
	}
}

// Tools skips the test unless all the programs are on the PATH.
func Tools(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			Skip(t, "needs "+name+", which .ci/run installs")
		}
	}
}

// Root skips the test for any other user.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "needs root")
	}
}

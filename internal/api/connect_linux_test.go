package api_test

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// becomeStranger takes from root the right to open every file until the test ends.
// Only the test's own thread loses it, and no other goroutine gets that thread.
func becomeStranger(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread()
	if err := unix.Setfsuid(54321); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before the files of the test are removed
		if err := unix.Setfsuid(0); err != nil {
			t.Error(err)
		}
	})
}

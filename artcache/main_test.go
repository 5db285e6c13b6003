package artcache_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" { // the child of TestKill
		writeUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

package app

import (
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// Which process may ask the network: only a server with real consoles.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	for _, row := range []struct {
		simulated         int
		offline, loopback bool
	}{
		{0, false, false},
		{2, false, true},
		{0, true, false},
	} {
		e := env{config: &config.Config{}, files: f, simulated: make([]*ps4test.Console, row.simulated)}
		if o := e.artOptions(row.offline); o.Offline != row.offline || o.Loopback != row.loopback {
			t.Errorf("%+v: offline %v, loopback %v", row, o.Offline, o.Loopback)
		}
	}
}

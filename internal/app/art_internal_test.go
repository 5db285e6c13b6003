package app

import (
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
)

// Which process may ask the network: only a server with real consoles.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	store, err := state.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, row := range []struct {
		simulate                 int
		alone, offline, loopback bool
	}{
		{0, false, false, false},
		{2, false, false, true},
		{0, true, true, false},
	} {
		s := newServer(Options{Config: &config.Config{}, State: store, Log: logrus.New(), Simulate: row.simulate})
		s.alone = row.alone
		if o := s.artOptions(); o.Offline != row.offline || o.Loopback != row.loopback {
			t.Errorf("%+v: offline %v, loopback %v", row, o.Offline, o.Loopback)
		}
	}
}

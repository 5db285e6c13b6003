package app

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/sirupsen/logrus"
)

// TestReopenWaits: a command that found no server holds the state for a while.
func TestReopenWaits(t *testing.T) {
	t.Parallel()
	for held, good := range map[time.Duration]bool{90 * time.Second: true, 10 * time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			store, err := state.Open(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			release := time.AfterFunc(held, func() { _ = store.Close() })
			again, err := reopen(t.Context(), store.Dir(), logrus.New())
			if (err == nil) != good || err != nil && !errors.Is(err, state.ErrLocked) {
				t.Errorf("held for %v: %v", held, err)
			}
			if err == nil {
				err = again.Close()
			} else if release.Stop() {
				err = store.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPasswordCommand checks the command for each kind of installation.
func TestPasswordCommand(t *testing.T) {
	t.Parallel()
	service := map[string]string{"STATE_DIRECTORY": "/var/lib/ps4kit"}
	for want, tt := range map[string]struct {
		command string
		pid     int
		env     map[string]string
	}{
		"docker exec CONTAINER ps4kit web password": {"ps4kit", 1, service},
		"sudo ps4kit web password":                  {"ps4kit", 900, service},
		"ps4kit web password":                       {"ps4kit", 900, nil},
		"ps4kit --state-dir /srv web password":      {"ps4kit --state-dir /srv", 900, nil},
	} {
		if got := passwordCommand(tt.command, tt.pid, func(name string) string { return tt.env[name] }); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestPageAddresses checks that the page's address works on other machines,
// unless it listens on loopback.
func TestPageAddresses(t *testing.T) {
	t.Parallel()
	for listens, want := range map[string]Page{
		"127.0.0.1:8990":  {URL: "http://127.0.0.1:8990/", Local: true},
		"[::1]:8990":      {URL: "http://[::1]:8990/", Local: true},
		"192.0.2.77:8990": {URL: "http://192.0.2.77:8990/"},
	} {
		if got := pageAt(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(listens)), false); got.URL != want.URL || got.Local != want.Local {
			t.Errorf("%s: %s, local %v", listens, got.URL, got.Local)
		}
	}
	everywhere := pageAt(&net.TCPAddr{Port: 8990}, true)
	if everywhere.Local || !strings.HasPrefix(everywhere.URL, "https://") || strings.Contains(everywhere.URL, "[::]") {
		t.Errorf("everywhere: %s, local %v", everywhere.URL, everywhere.Local)
	}
}

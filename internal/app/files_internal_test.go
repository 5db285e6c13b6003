package app

import (
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/state"
)

// newFiles returns the files of a new state directory.
func newFiles(t *testing.T) files {
	t.Helper()
	store, err := state.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return files{store, logrus.New()}
}

// TestChangesAtOnce: what a command proves is kept if a search stores something
// about the same console meanwhile.
func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	const hostID = "A0B1C2D3E4F5"
	if err := f.store.Consoles().Save(state.Consoles{Consoles: []state.Console{{HostID: hostID}}}); err != nil {
		t.Fatal(err)
	}
	var changes sync.WaitGroup
	for _, change := range []func(*state.Console){
		func(c *state.Console) { c.Linked = true },
		func(c *state.Console) { c.Woken = true },
		func(c *state.Console) { c.Rested = time.Now() },
		func(c *state.Console) { c.Name = "PS4" },
	} {
		changes.Go(func() {
			if err := f.change(hostID, false, change); err != nil {
				t.Error(err)
			}
		})
	}
	changes.Wait()
	if c := f.console(hostID); !c.Linked || !c.Woken || c.Rested.IsZero() || c.Name == "" {
		t.Errorf("stored %+v", c)
	}
}

// TestEarlierRegistration: the Remote Play registrations of earlier versions, which
// named the console only by the key, stay valid.
func TestEarlierRegistration(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	const hostID = "A0B1C2D3E4F5"
	earlier := map[string]any{hostID: map[string]string{
		"host_type": "PS4", "account_id": "42", "regist_key": "0a1b2c3d", "rp_key": "00112233445566778899aabbccddeeff",
	}}
	if err := state.Document(f.store, "registrations", state.DocumentOptions[map[string]any]{}).Save(earlier); err != nil {
		t.Fatal(err)
	}
	r := f.registration(hostID)
	if r.HostID != hostID || r.AccountID != 42 || r.Reveal().RegistKey != "0a1b2c3d" {
		t.Errorf("loaded %v for %q", r.AccountID, r.HostID)
	}
	if err := f.setRegistration(r); err != nil {
		t.Fatal(err)
	}
	if again := f.registration(hostID); again.Reveal() != r.Reveal() {
		t.Errorf("stored %v for %q", again.AccountID, again.HostID)
	}
}

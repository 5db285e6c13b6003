package hapserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync"
	"sync/atomic"
)

// records is the record in use. Readers never wait for the disk: a change is saved as a copy, which then takes the
// place of the one before.
type records struct {
	store  Store
	saving sync.Mutex
	now    atomic.Pointer[Record]
}

// openRecords loads the record or makes a new one, and brings it up to date: a configured setup code replaces the stored
// one, another structure of the accessories raises c#.
func openRecords(store Store, code, structure string) (*records, error) {
	r, err := store.Load()
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh {
		r, err = newRecord(structure), nil
	} else if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, fmt.Errorf("the record of identity and pairings cannot be used: %w", err)
	}
	rs := &records{store: store}
	rs.now.Store(&r)
	if !fresh && r.Structure == structure && (code == "" || code == r.SetupCode) {
		return rs, nil
	}
	return rs, rs.update(func(r *Record) error {
		if code != "" {
			r.SetupCode = code
		}
		if r.Structure != structure {
			r.Structure, r.ConfigNumber = structure, nextConfigNumber(r.ConfigNumber)
		}
		return nil
	})
}

func newRecord(structure string) Record {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails, crypto/rand says
	return Record{
		DeviceID: newDeviceID(), Seed: seed, SetupCode: NewSetupCode(), SetupID: NewSetupID(),
		ConfigNumber: 1, Structure: structure,
	}
}

// nextConfigNumber counts 1 to 65535 and begins again at 1.
func nextConfigNumber(n uint16) uint16 {
	if n == math.MaxUint16 {
		return 1
	}
	return n + 1
}

func (rs *records) load() *Record { return rs.now.Load() }

// update changes the record on disk and then in memory. When change or the store fails, nothing has changed.
func (rs *records) update(change func(*Record) error) error {
	rs.saving.Lock()
	defer rs.saving.Unlock()
	next := rs.load().clone()
	if err := change(&next); err != nil {
		return err
	}
	if err := rs.save(&next); err != nil {
		return err
	}
	rs.now.Store(&next)
	return nil
}

// countFailure counts a wrong setup code, in memory even when the disk does not take it: a full disk must not give a stranger
// more guesses.
func (rs *records) countFailure() (failures int, err error) {
	rs.saving.Lock()
	defer rs.saving.Unlock()
	next := rs.load().clone()
	next.SetupFailures++
	err = rs.save(&next)
	rs.now.Store(&next)
	return next.SetupFailures, err
}

func (rs *records) save(r *Record) error {
	if err := rs.store.Save(r.clone()); err != nil {
		return fmt.Errorf("saving the record of identity and pairings: %w", err)
	}
	return nil
}

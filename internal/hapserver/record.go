package hapserver

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Store keeps one server's identity and pairings. Its methods return once their
// work is on disk.
type Store interface {
	// Load returns the last saved record, or an error that wraps fs.ErrNotExist
	// if there never was one, which makes a new identity. Any other error stops
	// New: a damaged file must not reopen pairing.
	Load() (Record, error)
	// Save replaces the stored record as a whole, or not at all.
	Save(Record) error
}

// Record is all that a server remembers. It is one unit, so that identity and
// pairings always agree. It contains secrets: it prints as [redacted], and only
// its owner may be able to read its file.
type Record struct {
	DeviceID      string    `json:"device_id"`          // "A3:FB:3D:4D:2E:AC"
	Seed          []byte    `json:"seed"`               // of the long-term ed25519 key, 32 bytes
	SetupCode     string    `json:"setup_code"`         // "518-08-582"
	SetupID       string    `json:"setup_id"`           // "7OSX"
	ConfigNumber  uint16    `json:"config_number"`      // c#: counts from 1 to 65535, then from 1 again
	Structure     string    `json:"structure"`          // hash of the accessories without values; a change raises c#
	SetupFailures int       `json:"setup_failures"`     // wrong codes since the last pairing or reset
	Pairings      []Pairing `json:"pairings,omitempty"` // none: open to pair-setup; else at least one admin
}

// Pairing is a controller that may verify itself.
type Pairing struct {
	ID        string `json:"id"`         // usually a UUID
	PublicKey []byte `json:"public_key"` // long-term ed25519 key, 32 bytes
	Admin     bool   `json:"admin"`      // may add, remove and list pairings
}

// Format hides the secrets.
func (r Record) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "hapserver.Record(%s)[redacted]", r.DeviceID)
}

// maxPairingID is the longest pairing identifier in bytes. Apple's have 36.
const maxPairingID = 64

func newRecord(structure string) Record {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails
	return Record{
		DeviceID: newDeviceID(), Seed: seed, SetupCode: newSetupCode(), SetupID: newSetupID(),
		ConfigNumber: 1, Structure: structure,
	}
}

// check returns an error for a record that no server wrote.
func (r *Record) check() error {
	code, err := FormatSetupCode(r.SetupCode)
	mac, macErr := net.ParseMAC(r.DeviceID)
	switch {
	case macErr != nil || len(mac) != 6 || strings.ToUpper(mac.String()) != r.DeviceID:
		return errors.New("no device id")
	case len(r.Seed) != ed25519.SeedSize:
		return errors.New("no identity key")
	case err != nil || code != r.SetupCode || len(r.SetupID) != setupIDLen || strings.Trim(r.SetupID, setupIDAlphabet) != "":
		return errors.New("no setup code or setup id")
	case r.ConfigNumber == 0 || r.SetupFailures < 0:
		return errors.New("a number is out of range")
	case len(r.Pairings) > 0 && !r.hasAdmin():
		return errors.New("pairings without an admin")
	}
	for i, p := range r.Pairings {
		if !validPairing(p.ID, p.PublicKey) || r.find(p.ID) != i {
			return errors.New("a pairing is damaged")
		}
	}
	return nil
}

func validPairing(id string, key []byte) bool {
	return id != "" && len(id) <= maxPairingID && utf8.ValidString(id) && len(key) == ed25519.PublicKeySize
}

func (r *Record) clone() Record {
	c := *r
	c.Pairings = slices.Clone(r.Pairings)
	return c
}

func (r *Record) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(r.Seed) }

func (r *Record) paired() bool { return len(r.Pairings) > 0 }

func (r *Record) setupLocked() bool { return r.SetupFailures >= maxSetupFailures }

func (r *Record) hasAdmin() bool {
	return slices.ContainsFunc(r.Pairings, func(p Pairing) bool { return p.Admin })
}

// find returns the index of a pairing, or -1.
func (r *Record) find(id string) int {
	return slices.IndexFunc(r.Pairings, func(p Pairing) bool { return p.ID == id })
}

// pairing returns the pairing of a controller.
func (r *Record) pairing(id string) (Pairing, bool) {
	if i := r.find(id); i >= 0 {
		return r.Pairings[i], true
	}
	return Pairing{}, false
}

// trusts reports whether this controller is still paired with the same key.
func (r *Record) trusts(p Pairing) bool {
	stored, ok := r.pairing(p.ID)
	return ok && bytes.Equal(stored.PublicKey, p.PublicKey)
}

// records holds the record in use. Readers never wait for the disk: a change is
// saved as a copy, which then replaces the record.
type records struct {
	store  Store
	saving sync.Mutex
	now    atomic.Pointer[Record]
}

// openRecords loads the record or makes a new one, and updates it: a configured
// setup code replaces the stored one, and a new structure raises c#.
func openRecords(store Store, code, structure string) (*records, error) {
	r, err := store.Load()
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh {
		r, err = newRecord(structure), nil
	} else if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, fmt.Errorf("load identity and pairings: %w", err)
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
			r.Structure = structure
			r.ConfigNumber = r.ConfigNumber%math.MaxUint16 + 1
		}
		return nil
	})
}

func (rs *records) load() *Record { return rs.now.Load() }

// update changes the record on disk and then in memory. If change or the store
// fails, the record stays as it was.
func (rs *records) update(change func(*Record) error) error {
	rs.saving.Lock()
	defer rs.saving.Unlock()
	next := rs.load().clone()
	if err := change(&next); err != nil {
		return err
	}
	if err := rs.store.Save(next); err != nil {
		return fmt.Errorf("save identity and pairings: %w", err)
	}
	rs.now.Store(&next)
	return nil
}

// countFailure counts a wrong setup code. If it cannot be saved, it counts in
// memory: a full disk must not give a stranger more guesses.
func (rs *records) countFailure() (failures int, err error) {
	rs.saving.Lock()
	defer rs.saving.Unlock()
	next := rs.load().clone()
	next.SetupFailures++
	rs.now.Store(&next)
	return next.SetupFailures, rs.store.Save(next)
}

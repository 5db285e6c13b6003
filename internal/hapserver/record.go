package hapserver

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode/utf8"
)

// Store keeps one server's identity and pairings. Each method returns only after its work is on disk.
type Store interface {
	// Load returns what was saved last. An error for which errors.Is(err, fs.ErrNotExist) holds means that there never was
	// anything: a new identity is made. Any other error stops New, for a damaged file must not reopen pairing.
	Load() (Record, error)
	// Save replaces what is stored, as a whole or not at all.
	Save(Record) error
}

// Record is all that a server remembers, one unit so that identity and pairings can never disagree.
// It holds secrets: it prints as [redacted] under every verb, and its file has to be readable by its owner only.
type Record struct {
	DeviceID      string    `json:"device_id"`          // "A3:FB:3D:4D:2E:AC"
	Seed          []byte    `json:"seed"`               // of the long-term ed25519 key, 32 bytes
	SetupCode     string    `json:"setup_code"`         // "518-08-582"
	SetupID       string    `json:"setup_id"`           // "7OSX"
	ConfigNumber  uint16    `json:"config_number"`      // c#: 1 to 65535, only upwards, then 1 again
	Structure     string    `json:"structure"`          // hash of the accessory database without values; a change raises c#
	SetupFailures int       `json:"setup_failures"`     // wrong codes since the last pairing or reset
	Pairings      []Pairing `json:"pairings,omitempty"` // none: open to pair-setup; else at least one admin
}

// Pairing is a controller that may verify itself.
type Pairing struct {
	ID        string `json:"id"`         // the controller's pairing identifier, usually a UUID
	PublicKey []byte `json:"public_key"` // its long-term ed25519 key, 32 bytes
	Admin     bool   `json:"admin"`      // may add, remove and list pairings
}

// Format keeps the secrets of a record out of logs and errors.
func (r Record) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "hapserver.Record(%s)[redacted]", r.DeviceID)
}

// maxPairingID bounds a pairing identifier in bytes; Apple's are UUIDs of 36.
const maxPairingID = 64

func validDeviceID(id string) bool {
	mac, err := net.ParseMAC(id)
	return err == nil && len(mac) == 6 && strings.ToUpper(mac.String()) == id
}

// check finds what cannot be in a record that a server wrote.
func (r *Record) check() error {
	switch {
	case !validDeviceID(r.DeviceID):
		return errors.New("no device id")
	case len(r.Seed) != ed25519.SeedSize:
		return errors.New("no identity key")
	case ValidSetupCode(r.SetupCode) != nil || len(r.SetupID) != 4:
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

func (r *Record) paired() bool { return len(r.Pairings) > 0 }

func (r *Record) hasAdmin() bool {
	return slices.ContainsFunc(r.Pairings, func(p Pairing) bool { return p.Admin })
}

// find returns the index of a pairing, -1 when there is none.
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

// trusts tells whether this very controller is still paired: the same key, not only the same name.
func (r *Record) trusts(p Pairing) bool {
	stored, ok := r.pairing(p.ID)
	return ok && bytes.Equal(stored.PublicKey, p.PublicKey)
}

func (r *Record) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(r.Seed) }

package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Console is what is remembered about a console.
type Console struct {
	HostID        string         `json:"host_id"` // 12 upper-case hexadecimal digits
	HostType      string         `json:"host_type"`
	Name          string         `json:"name"`
	Address       netip.AddrPort `json:"address"` // the last one, with the DDP port
	SystemVersion string         `json:"system_version"`
	RequestPort   uint16         `json:"request_port"`
	LastSeen      time.Time      `json:"last_seen,omitzero"`
	Rested        time.Time      `json:"rested,omitzero"` // when a command put it into rest mode: it is deaf for a while then
}

// Consoles is the content of consoles.json.
type Consoles struct {
	Consoles []Console `json:"consoles"`
}

// Consoles is the file of the known consoles. Each host id is there once.
func (s *Store) Consoles() *File[Consoles] {
	return document(s, "consoles.json", DocumentOptions[Consoles]{Check: checkConsoles})
}

func checkConsoles(all Consoles) error {
	seen := map[string]bool{}
	for _, c := range all.Consoles {
		if id, err := hostID(c.HostID); err != nil || id != c.HostID || seen[id] {
			return errors.New("a host id is wrong or listed twice")
		}
		seen[c.HostID] = true
	}
	return nil
}

// Companion stands for the companion bridge where HomeKit takes a host id (docs/homekit.md §1).
const Companion = "companion"

// HomeKit is the document of one HomeKit server, T being what its session layer keeps. A damaged one stays in place and
// fails every Load until File.Remove, which sets it aside; so pairing is never opened again by accident. check refuses
// data that cannot be true; nil accepts all.
func HomeKit[T any](s *Store, host string, check func(T) error) (*File[T], error) {
	id := host
	if host != Companion {
		var err error
		if id, err = hostID(host); err != nil {
			return nil, err
		}
	}
	return document(s, homekitDir+"/"+id+".json", DocumentOptions[T]{Secret: true, KeepDamaged: true, Check: check}), nil
}

// Inputs is the document with the inputs and names of one console.
func Inputs[T any](s *Store, host string) (*File[T], error) {
	id, err := hostID(host)
	if err != nil {
		return nil, err
	}
	return document(s, inputsDir+"/"+id+".json", DocumentOptions[T]{}), nil
}

// hostID checks a host id and puts it into upper case. It becomes part of a path: nothing but hexadecimal digits gets through.
func hostID(text string) (string, error) {
	if len(text) != 12 || strings.Trim(text, "0123456789abcdefABCDEF") != "" {
		return "", fmt.Errorf("state: %w", ErrHostID)
	}
	return strings.ToUpper(text), nil
}

// installation is the content of installation.json.
type installation struct {
	ID string `json:"id"`
}

// InstallationID returns 16 hexadecimal digits that were drawn at random when it was first asked for, and stay. They make the
// model name of this installation unique: a console would take two installations for one device (docs/protocol.md §5).
func (s *Store) InstallationID() (string, error) {
	file := document(s, "installation.json", DocumentOptions[installation]{Check: checkInstallation})
	in, err := file.LoadOr(func() (installation, error) {
		var id [8]byte
		rand.Read(id[:]) // never fails, crypto/rand says
		return installation{hex.EncodeToString(id[:])}, nil
	})
	return in.ID, err
}

func checkInstallation(in installation) error {
	if len(in.ID) != 16 || strings.Trim(in.ID, "0123456789abcdef") != "" {
		return errors.New("the id is not 16 hexadecimal digits")
	}
	return nil
}

package state

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Documents that this package knows the content of, besides those in homekitDir
// and inputsDir.
const (
	consolesName     = "consoles.json"
	credentialsName  = "credentials.json"
	settingsName     = "settings.json"
	installationName = "installation.json"
	simulatorName    = "simulator.pem"
	updatesName      = "updates.json" // only that it contains no secret
)

// anyFile is a File of any type.
type anyFile interface {
	content() ([]byte, error)
	check(content []byte) error
	perm() fs.FileMode
}

// fileOf returns the File of a document of any name, for use without the lock of
// the directory. Of the ones that this package doesn't know, it checks only the
// envelope, and takes them for secret.
func fileOf(dir, name string) anyFile {
	s := &Store{dir: dir}
	switch name {
	case consolesName:
		return s.Consoles()
	case credentialsName:
		return s.Credentials()
	case settingsName:
		return s.Settings()
	case installationName:
		return s.installation()
	case simulatorName:
		return s.simulatorKey()
	}
	public := name == updatesName || strings.HasPrefix(name, inputsDir+"/")
	return document(s, name, DocumentOptions[any]{Secret: !public})
}

// Console is what is remembered about a console.
type Console struct {
	HostID        string         `json:"host_id"` // 12 upper-case hexadecimal digits
	HostType      string         `json:"host_type"`
	Name          string         `json:"name"`
	Address       netip.AddrPort `json:"address"` // the last known one, with the DDP port
	SystemVersion string         `json:"system_version"`
	RequestPort   uint16         `json:"request_port"`
	LastSeen      time.Time      `json:"last_seen,omitzero"`
	Rested        time.Time      `json:"rested,omitzero"`  // when a command put it into rest mode: it doesn't answer for a while then
	Linked        bool           `json:"linked,omitempty"` // it accepted a PIN or a session
	Woken         bool           `json:"woken,omitempty"`  // a command turned it on from rest mode
	// Stranger is a console that was only found: the owner has not accepted it
	// by configuration, by name or by linking. Files of earlier versions have
	// no strangers.
	Stranger bool `json:"stranger,omitempty"`
	// Added is a console that the owner added by its address. It is served like
	// one of the configuration, also if discovery is off.
	Added bool `json:"added,omitempty"`
	// RemotePlayKeys permits pressing keys with Remote Play, unless config.yaml
	// decides.
	RemotePlayKeys bool `json:"remote_play_keys,omitempty"`
	// ConfigAddress is the address of the entry in config.yaml that means this
	// console, if it names no host id.
	ConfigAddress netip.AddrPort `json:"config_address,omitzero"`
}

// Consoles is the content of consoles.json.
type Consoles struct {
	Consoles []Console `json:"consoles"`
}

// Consoles returns the file of the known consoles. Host ids in it are unique.
func (s *Store) Consoles() *File[Consoles] {
	return document(s, consolesName, DocumentOptions[Consoles]{Check: func(all Consoles) error {
		seen := map[string]bool{}
		for _, c := range all.Consoles {
			if !isHostID(c.HostID) || seen[c.HostID] {
				return errors.New("a host id is wrong or listed twice")
			}
			seen[c.HostID] = true
		}
		return nil
	}})
}

// Settings returns the file of the settings made on the page: values by the keys
// of config.yaml.
func (s *Store) Settings() *File[map[string]string] {
	return document(s, settingsName, DocumentOptions[map[string]string]{})
}

// ReadSettings returns the content of Settings without the lock, for a process
// that only shows them. It returns nil if they can't be read.
func ReadSettings(dir string) map[string]string {
	values, _, _ := (&Store{dir: dir}).Settings().read()
	return values
}

// User is a PSN user as a console knows them. It prints and marshals as
// [redacted].
type User struct {
	Credential string `json:"credential"`           // 64 lower-case hexadecimal digits (docs/protocol.md §2)
	Passcode   string `json:"passcode,omitempty"`   // 4 digits, or empty
	AccountID  string `json:"account_id,omitempty"` // of PSN, in decimal, or empty
}

const redacted = "[redacted]"

// Format prints [redacted] for every verb.
func (u User) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns [redacted], for encoders and loggers. The file uses
// storedUser.
func (u User) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Credentials are the PSN users of the consoles.
type Credentials struct {
	Default *User           // for consoles without one of their own; may be nil
	Hosts   map[string]User // by host id, upper case
}

// For returns a console's own user or the default one.
func (c Credentials) For(host string) (User, bool) {
	if u, ok := c.Hosts[strings.ToUpper(host)]; ok {
		return u, true
	}
	if c.Default != nil {
		return *c.Default, true
	}
	return User{}, false
}

// storedCredentials and storedUser are the content of credentials.json. They
// hide nothing, so nothing else may use them.
type storedCredentials struct {
	Default *storedUser           `json:"default,omitempty"`
	Hosts   map[string]storedUser `json:"hosts"`
}

type storedUser User

// Credentials returns the file of the PSN users (0600).
func (s *Store) Credentials() *File[Credentials] {
	file := document(s, credentialsName, DocumentOptions[storedCredentials]{Secret: true, Check: storedCredentials.check})
	return &File[Credentials]{
		store: s, name: credentialsName, secret: true,
		encode: func(c Credentials) ([]byte, error) {
			stored := storedCredentials{Default: (*storedUser)(c.Default), Hosts: map[string]storedUser{}}
			for id, u := range c.Hosts {
				stored.Hosts[id] = storedUser(u)
			}
			return file.encode(stored)
		},
		decode: func(data []byte) (Credentials, error) {
			stored, err := file.decode(data)
			c := Credentials{Default: (*User)(stored.Default), Hosts: map[string]User{}}
			for id, u := range stored.Hosts {
				c.Hosts[id] = User(u)
			}
			return c, err
		},
	}
}

func (c storedCredentials) check() error {
	for id, u := range c.Hosts {
		if !isHostID(id) {
			return ErrHostID
		}
		if err := u.check(); err != nil {
			return err
		}
	}
	if c.Default != nil {
		return c.Default.check()
	}
	return nil
}

func (u storedUser) check() error {
	if !isHex(u.Credential, 64) {
		return errors.New("a credential has 64 lower-case hexadecimal digits")
	}
	if u.Passcode != "" && (len(u.Passcode) != 4 || strings.Trim(u.Passcode, "0123456789") != "") {
		return errors.New("a passcode has 4 digits")
	}
	if _, err := strconv.ParseUint(u.AccountID, 10, 64); u.AccountID != "" && err != nil {
		return errors.New("an account id is a number of 64 bits")
	}
	return nil
}

// Companion takes the place of a host id for the companion bridge
// (docs/homekit.md §1).
const Companion = "companion"

// HomeKit returns the document of one HomeKit server, where T is what its
// session layer keeps. A damaged one stays in place and fails every Load until
// File.Remove sets it aside, so that pairing never opens again by accident. Its
// methods fail with ErrHostID if host is neither a host id nor Companion.
func HomeKit[T any](s *Store, host string) *File[T] {
	o := DocumentOptions[T]{Secret: true, keepDamaged: true}
	if host == Companion {
		return document(s, homekitDir+"/"+Companion+".json", o)
	}
	return ofConsole(s, homekitDir, host, o)
}

// HomeKitHosts lists the host ids that have a HomeKit document, in order,
// without the companion bridge.
func (s *Store) HomeKitHosts() ([]string, error) {
	list, err := listDocuments(s.dir)
	var hosts []string
	for _, name := range list {
		id, isHomeKit := strings.CutPrefix(strings.TrimSuffix(name, ".json"), homekitDir+"/")
		if isHomeKit && isHostID(id) {
			hosts = append(hosts, id)
		}
	}
	return hosts, err
}

// Inputs returns the document with the inputs and names of one console. Its
// methods fail with ErrHostID if host is not a host id.
func Inputs[T any](s *Store, host string) *File[T] {
	return ofConsole(s, inputsDir, host, DocumentOptions[T]{})
}

// ofConsole returns a document of one console. The host id becomes part of a
// path, so it may contain only hexadecimal digits.
func ofConsole[T any](s *Store, dir, host string, o DocumentOptions[T]) *File[T] {
	id := strings.ToUpper(host)
	f := document(s, dir+"/"+id+".json", o)
	f.badHost = !isHostID(id)
	return f
}

func isHostID(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789ABCDEF") == "" }

func isHex(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == ""
}

// installation is the content of installation.json.
type installation struct {
	ID string `json:"id"`
}

// InstallationID returns 16 random hexadecimal digits that stay the same once
// drawn. They make the model name of this installation unique: a console would
// take two installations for one device (docs/protocol.md §5).
func (s *Store) InstallationID() (string, error) {
	in, err := s.installation().loadOr(func() (installation, error) {
		var id [8]byte
		rand.Read(id[:]) // never fails
		return installation{hex.EncodeToString(id[:])}, nil
	})
	return in.ID, err
}

func (s *Store) installation() *File[installation] {
	return document(s, installationName, DocumentOptions[installation]{Check: func(in installation) error {
		if !isHex(in.ID, 16) {
			return errors.New("the id is not 16 hexadecimal digits")
		}
		return nil
	}})
}

// simulatorKeyBits is the size of a console's key: the handshake has room for
// no other (docs/protocol.md §4).
const simulatorKeyBits = 2048

// SimulatorKey returns the private key of this installation's simulated
// consoles (simulator.pem, PKCS #8, 0600). The first call generates it, which
// takes a small computer a second or more.
func (s *Store) SimulatorKey() (*rsa.PrivateKey, error) {
	return s.simulatorKey().loadOr(func() (*rsa.PrivateKey, error) {
		return rsa.GenerateKey(rand.Reader, simulatorKeyBits)
	})
}

func (s *Store) simulatorKey() *File[*rsa.PrivateKey] {
	return &File[*rsa.PrivateKey]{
		store: s, name: simulatorName, secret: true, encode: encodeKey, decode: decodeKey,
	}
}

func encodeKey(key *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func decodeKey(data []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() != simulatorKeyBits {
		return nil, errors.New("it is not an RSA key of 2048 bits")
	}
	return key, nil
}

package state

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// User is a PSN user as a console knows them. It prints and marshals as [redacted].
type User struct {
	Credential string // 64 lower-case hexadecimal digits (docs/protocol.md §2)
	Passcode   string // 4 digits, or empty
}

const redacted = "[redacted]"

// String is [redacted].
func (u User) String() string { return redacted }

// Format prints [redacted] under every verb.
func (u User) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText is [redacted], for encoders and loggers. The file is written another way.
func (u User) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Credentials are the PSN users of the consoles.
type Credentials struct {
	Default *User           // for consoles without one of their own; nil: none
	Hosts   map[string]User // by host id, upper case
}

// For returns the user of a console: its own, or else the default.
func (c Credentials) For(host string) (User, bool) {
	if u, ok := c.Hosts[strings.ToUpper(host)]; ok {
		return u, true
	}
	if c.Default != nil {
		return *c.Default, true
	}
	return User{}, false
}

// Credentials is the file of the PSN users (0600).
func (s *Store) Credentials() *File[Credentials] {
	stored := jsonCodec(DocumentOptions[storedCredentials]{})
	return &File[Credentials]{store: s, name: "credentials.json", secret: true, codec: codec[Credentials]{
		encode: func(c Credentials) ([]byte, error) {
			if err := c.check(); err != nil {
				return nil, err
			}
			return stored.encode(c.toStored())
		},
		decode: func(data []byte) (Credentials, error) {
			sc, err := stored.decode(data)
			if err != nil {
				return Credentials{}, err
			}
			return sc.credentials(), sc.credentials().check()
		},
	}}
}

func (c Credentials) check() error {
	for id, u := range c.Hosts {
		if upper, err := hostID(id); err != nil || upper != id {
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

func (u User) check() error {
	if len(u.Credential) != 64 || strings.Trim(u.Credential, "0123456789abcdef") != "" {
		return errors.New("a credential has 64 lower-case hexadecimal digits")
	}
	if u.Passcode != "" && (len(u.Passcode) != 4 || strings.Trim(u.Passcode, "0123456789") != "") {
		return errors.New("a passcode has 4 digits")
	}
	return nil
}

// storedCredentials and storedUser are the content of credentials.json. Nothing else uses them: they do not hide anything.
type storedCredentials struct {
	Default *storedUser           `json:"default,omitempty"`
	Hosts   map[string]storedUser `json:"hosts"`
}

type storedUser struct {
	Credential string `json:"credential"`
	Passcode   string `json:"passcode,omitempty"`
}

func (c Credentials) toStored() storedCredentials {
	stored := storedCredentials{Hosts: map[string]storedUser{}}
	for id, u := range c.Hosts {
		stored.Hosts[id] = storedUser(u)
	}
	if c.Default != nil {
		stored.Default = (*storedUser)(c.Default)
	}
	return stored
}

func (sc storedCredentials) credentials() Credentials {
	c := Credentials{Hosts: map[string]User{}, Default: (*User)(sc.Default)}
	for id, u := range sc.Hosts {
		c.Hosts[id] = User(u)
	}
	return c
}

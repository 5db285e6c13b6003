package config

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/ps4"
)

const redacted = "[redacted]"

// Secret is text that prints, logs and marshals as [redacted], or as "" if it
// is empty.
type Secret struct{ text string }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.text == "" }

// String returns [redacted], or "" if the secret is empty.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return redacted
}

// Format prints String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText implements [encoding.TextMarshaler] with String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// credential accepts 64 hexadecimal digits, or the path of a file that holds
// them. No problem repeats the value: even a path may be a mistyped credential.
func (v *validator) credential(key, text string) ps4.Credential {
	if text == "" {
		return ps4.Credential{}
	}
	c, err := ps4.ParseCredential(text)
	if err != nil && !isHex(text) {
		held, readErr := os.ReadFile(v.path(key, text))
		if path := new(fs.PathError); errors.As(readErr, &path) {
			v.add(key, "is neither 64 hexadecimal digits nor a readable file: %v", path.Err)
			return ps4.Credential{}
		}
		c, err = ps4.ParseCredential(string(held))
	}
	if err != nil {
		v.add(key, "is not just 64 hexadecimal digits: `ps4kit credential` gets them")
	}
	return c
}

func (v *validator) passcode(key, text string) ps4.Passcode {
	if text == "" {
		return ps4.Passcode{}
	}
	passcode, err := ps4.ParsePasscode(text)
	if err != nil {
		v.add(key, "is not a passcode: write the 4 digits typed on the console")
	}
	return passcode
}

func (v *validator) setupCode(key, text string) Secret {
	if text == "" {
		return Secret{}
	}
	code, err := hapserver.FormatSetupCode(text)
	if err != nil {
		v.add(key, "%v; leave it out to get a random one", err)
	}
	return Secret{code}
}

func (v *validator) passwordHash(key, text string) Secret {
	const maxCost = 15 // takes a small computer several seconds
	if text == "" {
		return Secret{}
	}
	cost, err := bcrypt.Cost([]byte(text))
	switch {
	case err != nil || len(text) != 60:
		v.add(key, "is not a bcrypt hash: leave it out, and `ps4kit web password` shows the first password")
	case cost > maxCost:
		v.add(key, "has the bcrypt cost %d: use at most %d", cost, maxCost)
	}
	return Secret{text}
}

// keyPair checks that a certificate and its key are both there and fit.
func (v *validator) keyPair(w Web) {
	if (w.TLSCert == "") != (w.TLSKey == "") {
		v.add("web", "tls_cert and tls_key need each other: set both or none")
	} else if w.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(w.TLSCert, w.TLSKey); err != nil {
			v.add("web.tls_cert", "can't be used with web.tls_key: %v", err)
		}
	}
}

// publicKey parses the key of simulated consoles: PEM, or the path of a file
// that holds it.
func (v *validator) publicKey(key, text string) *rsa.PublicKey {
	if text == "" {
		return nil
	}
	data := []byte(text)
	if !strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN") {
		var err error
		if data, err = os.ReadFile(v.path(key, text)); err != nil {
			v.add(key, "%v", err)
			return nil
		}
	}
	public, err := ps4.ParseServerKey(data)
	if err != nil {
		v.add(key, "is not the PEM of an RSA public key of 2048 bits: use the file that `ps4kit simulate` writes")
	}
	return public
}

package config

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

const (
	credentialDigits = 64       // docs/protocol.md §2
	consoleKeyBits   = 2048     // the handshake has room for no other: docs/protocol.md §4
	maxSecretFile    = 64 << 10 // bytes
	maxBcryptCost    = 15       // takes a small computer several seconds for each sign-in
)

// credential accepts 64 hexadecimal digits, or the path of a file that holds them. No problem repeats the value: even what
// is no path may be a mistyped credential.
func (c *checker) credential(path, text string) Secret {
	switch {
	case text == "":
		return Secret{}
	case isCredential(text):
		return Secret{strings.ToLower(text)}
	case isHex(text):
		c.add(path, "has %d hexadecimal digits, a credential has %d: `ps4kit credential` gets one", len(text), credentialDigits)
		return Secret{}
	}
	data, err := readLimited(c.path(path, text), maxSecretFile)
	if err != nil {
		c.add(path, "is neither %d hexadecimal digits nor a file that can be read (%s)", credentialDigits, reason(err))
		return Secret{}
	}
	held := strings.TrimSpace(string(data))
	if !isCredential(held) {
		c.add(path, "names a file that does not hold %d hexadecimal digits and nothing else: `ps4kit credential` gets a credential",
			credentialDigits)
		return Secret{}
	}
	return Secret{strings.ToLower(held)}
}

func isCredential(text string) bool {
	return len(text) == credentialDigits && isHex(text)
}

// reason tells why a file cannot be read, without its path.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return "input/output error"
}

func (c *checker) passcode(path, text string) Secret {
	if text != "" && (len(text) != 4 || strings.Trim(text, "0123456789") != "") {
		c.add(path, "is not a passcode: it has 4 digits, as typed on the console")
		return Secret{}
	}
	return Secret{text}
}

var setupCodeForm = regexp.MustCompile(`^([0-9]{3})-?([0-9]{2})-?([0-9]{3})$`)

// setupCode accepts 518-08-582 and 51808582, unless it is too easy to guess (docs/homekit.md §3).
func (c *checker) setupCode(path, text string) Secret {
	if text == "" {
		return Secret{}
	}
	m := setupCodeForm.FindStringSubmatch(text)
	if m == nil {
		c.add(path, "is not a setup code: it has 8 digits, written 000-00-000; leave it out to get a random one")
		return Secret{}
	}
	digits := m[1] + m[2] + m[3]
	if digits == "12345678" || digits == "87654321" || strings.Count(digits, digits[:1]) == len(digits) {
		c.add(path, "is too easy to guess, HomeKit refuses it: choose another, or leave it out to get a random one")
		return Secret{}
	}
	return Secret{m[1] + "-" + m[2] + "-" + m[3]}
}

func (c *checker) passwordHash(path, text string) Secret {
	if text == "" {
		return Secret{}
	}
	m := regexp.MustCompile(`^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$`).FindStringSubmatch(text)
	if m == nil {
		c.add(path, "is not a bcrypt hash: leave it out, and `ps4kit web password` shows the first password")
		return Secret{}
	}
	if cost, _ := strconv.Atoi(m[1]); cost < 4 || cost > maxBcryptCost {
		c.add(path, "has the bcrypt cost %d: use 4 to %d", cost, maxBcryptCost)
		return Secret{}
	}
	return Secret{text}
}

// keyPair checks that a certificate and its key are both there, readable, and fit.
func (c *checker) keyPair(certPath, cert, keyPath, key string) {
	switch {
	case cert == "" && key == "":
	case key == "":
		c.add(certPath, "needs %s, too", keyPath)
	case cert == "":
		c.add(keyPath, "needs %s, too", certPath)
	default:
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			c.add(certPath, "cannot be used together with %s: %v", keyPath, err)
		}
	}
}

// publicKey parses the key of simulated consoles: PEM, or the path of a PEM file.
func (c *checker) publicKey(path, text string) *rsa.PublicKey {
	if text == "" {
		return nil
	}
	data := []byte(text)
	if !strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN") {
		var err error
		if data, err = readLimited(c.path(path, text), maxSecretFile); err != nil {
			c.add(path, "cannot be read: %v", err)
			return nil
		}
	}
	key, problem := parsePublicKey(data)
	if problem != "" {
		c.add(path, "%s", problem)
	}
	return key
}

// parsePublicKey returns the key, or what is wrong with it.
func parsePublicKey(data []byte) (*rsa.PublicKey, string) {
	block, _ := pem.Decode(data)
	switch {
	case block == nil:
		return nil, "is not PEM: `ps4kit simulate` writes the file that belongs here"
	case strings.Contains(block.Type, "PRIVATE"):
		return nil, "holds a private key: only the public one belongs here"
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	}
	key, isRSA := parsed.(*rsa.PublicKey)
	if err != nil || !isRSA || key.N.BitLen() != consoleKeyBits {
		return nil, "is not an RSA public key of " + strconv.Itoa(consoleKeyBits) + " bits"
	}
	return key, ""
}

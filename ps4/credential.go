package ps4

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// credentialLen is the length of a credential in hex digits.
const credentialLen = 2 * sha256.Size

// Credential is what a console knows a PSN user by: 64 hex digits. It is a
// secret, prints as [redacted] and compares with ==. The zero value is none.
type Credential struct{ secret }

// ParseCredential takes 64 hex digits, in any case and with blanks around
// them. It fails with [ErrCredentialFormat].
func ParseCredential(hex64 string) (Credential, error) {
	text := strings.ToLower(strings.TrimSpace(hex64))
	if _, err := hex.DecodeString(text); err != nil || len(text) != credentialLen {
		return Credential{}, ErrCredentialFormat // the cause would quote the secret
	}
	return Credential{newSecret(text)}, nil
}

// CredentialFromAccountID computes the credential of a PSN account from its
// id, in decimal or in the base64 form of its 8 bytes, little endian, that
// Remote Play tools store. It is the hex of SHA-256 over the id in decimal
// (docs/protocol.md §2). It fails with [ErrAccountIDFormat].
//
// Some consoles are said to refuse it: accounts activated offline need
// [CaptureCredential].
func CredentialFromAccountID(id string) (Credential, error) {
	number, err := parseAccountID(strings.TrimSpace(id))
	if err != nil {
		return Credential{}, err
	}
	sum := sha256.Sum256([]byte(strconv.FormatUint(number, 10)))
	return Credential{newSecret(hex.EncodeToString(sum[:]))}, nil
}

// parseAccountID tells the forms apart by their letters: the base64 of 8 bytes
// has 11 characters (12 with its "="), and one made of digits alone is read as
// the decimal number that it is far more likely to be.
func parseAccountID(id string) (uint64, error) {
	if number, err := strconv.ParseUint(id, 10, 64); err == nil && number != 0 {
		return number, nil
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(id, "="))
	if err != nil {
		raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(id, "="))
	}
	if err != nil || len(raw) != 8 {
		return 0, ErrAccountIDFormat
	}
	number := binary.LittleEndian.Uint64(raw)
	if number == 0 {
		return 0, ErrAccountIDFormat
	}
	return number, nil
}

// Reveal returns the 64 hex digits in lower case, or "" for none.
func (c Credential) Reveal() string { return c.reveal() }

// Equal reports whether both are the same credential.
func (c Credential) Equal(other Credential) bool { return c == other }

// pinLen and passcodeLen count digits (docs/protocol.md §5).
const (
	pinLen      = 8
	passcodeLen = 4
)

// PIN is the number that a console shows under Settings > Mobile App
// Connection Settings > Add Device. It is a secret and prints as [redacted].
type PIN struct{ secret }

// ParsePIN takes 8 digits; blanks and hyphens between them are skipped. It
// fails with [ErrPINFormat].
func ParsePIN(digits string) (PIN, error) {
	text := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(digits))
	if !isDigits(text, pinLen) {
		return PIN{}, ErrPINFormat
	}
	return PIN{newSecret(text)}, nil
}

// Reveal returns the 8 digits, or "" for none.
func (p PIN) Reveal() string { return p.reveal() }

// Passcode is the 4 digits with which a user of the console may have locked
// his profile. It is a secret and prints as [redacted]. The zero value is none.
type Passcode struct{ secret }

// ParsePasscode takes 4 digits. It fails with [ErrPasscodeFormat].
func ParsePasscode(digits string) (Passcode, error) {
	text := strings.TrimSpace(digits)
	if !isDigits(text, passcodeLen) {
		return Passcode{}, ErrPasscodeFormat
	}
	return Passcode{newSecret(text)}, nil
}

// Reveal returns the 4 digits, or "" for none.
func (p Passcode) Reveal() string { return p.reveal() }

func isDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

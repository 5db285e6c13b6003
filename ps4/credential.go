package ps4

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unique"
)

// A Credential identifies a PSN user to a console: 64 hex digits
// (docs/protocol.md §2). It is a secret, prints as [redacted] and can be
// compared with ==. The zero value is no credential.
type Credential struct{ secret }

// ParseCredential parses 64 hex digits, in any case and with blanks around
// them. It fails with [ErrCredentialFormat].
func ParseCredential(hex64 string) (Credential, error) {
	text := strings.ToLower(strings.TrimSpace(hex64))
	if _, err := hex.DecodeString(text); err != nil || len(text) != 2*sha256.Size {
		return Credential{}, ErrCredentialFormat // the cause would quote the secret
	}
	return Credential{newSecret(text)}, nil
}

// CredentialFromAccountID computes the credential of a PSN account, which is
// the hex form of SHA-256 over its id in decimal (docs/protocol.md §2). The id
// may be in decimal, or in the base64 of its 8 bytes, little endian, that
// Remote Play tools store. CredentialFromAccountID fails with
// [ErrAccountIDFormat].
//
// Consoles are reported to refuse it for an account that was activated offline:
// use [CaptureCredential] there.
func CredentialFromAccountID(id string) (Credential, error) {
	number, err := ParseAccountID(id)
	if err != nil {
		return Credential{}, err
	}
	sum := sha256.Sum256([]byte(strconv.FormatUint(number, 10)))
	return Credential{newSecret(hex.EncodeToString(sum[:]))}, nil
}

// ParseAccountID parses the id of a PSN account, in either form that
// [CredentialFromAccountID] accepts. It fails with [ErrAccountIDFormat].
func ParseAccountID(id string) (uint64, error) {
	id = strings.TrimSpace(id)
	// The base64 of 8 bytes has 11 characters, or 12 with its "="; one that
	// consists of digits is read as the decimal number that it is far more
	// likely to be. Strict decoding refuses three in four online ids that have
	// 11 characters.
	if number, err := strconv.ParseUint(id, 10, 64); err == nil && number != 0 {
		return number, nil
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(id, "="))
	if err != nil {
		raw, err = base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(id, "="))
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

// minTypedID has 13 digits, more than most phone numbers. Account ids are spread
// over 63 bits: about one in ten million is smaller.
const minTypedID = 1e12

// CheckTypedAccountID returns [ErrAccountIDFormat] if what a person typed can't be
// the id of a PSN account. An id that PSN sent needs no such check.
func CheckTypedAccountID(id string) error {
	number, err := ParseAccountID(id)
	if err == nil && number < minTypedID {
		return ErrAccountIDFormat
	}
	return err
}

// Equal reports whether both are the same credential.
func (c Credential) Equal(other Credential) bool { return c == other }

// A PIN is the number that a console shows under Settings > Mobile App
// Connection Settings > Add Device. It is a secret and prints as [redacted].
// The zero value is no PIN.
type PIN struct{ secret }

// ParsePIN parses 8 digits and skips blanks and hyphens among them. It fails
// with [ErrPINFormat].
func ParsePIN(digits string) (PIN, error) {
	text := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(digits))
	if !isDigits(text, 8) {
		return PIN{}, ErrPINFormat
	}
	return PIN{newSecret(text)}, nil
}

// A Passcode is the 4 digits that lock a user's profile on the console. It is a
// secret and prints as [redacted]. The zero value is no passcode.
type Passcode struct{ secret }

// ParsePasscode parses 4 digits, with blanks around them. It fails with
// [ErrPasscodeFormat].
func ParsePasscode(digits string) (Passcode, error) {
	text := strings.TrimSpace(digits)
	if !isDigits(text, 4) {
		return Passcode{}, ErrPasscodeFormat
	}
	return Passcode{newSecret(text)}, nil
}

func isDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

// redacted is printed in place of a secret.
const redacted = "[redacted]"

// secret keeps a string out of everything that prints. The text is behind a
// handle, so that even printing by reflection (an unexported field of another
// package's struct, %p) finds an address and no text.
type secret struct{ handle unique.Handle[string] }

func newSecret(s string) secret { return secret{unique.Make(s)} }

// Reveal returns the text of the secret, in lower case, or "" for the zero
// value.
func (s secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.handle.Value()
}

// IsZero reports whether there is no secret.
func (s secret) IsZero() bool { return s == secret{} }

// String implements [fmt.Stringer]: "[redacted]".
func (secret) String() string { return redacted }

// Format implements [fmt.Formatter]: "[redacted]" under every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler]: "[redacted]", for JSON and
// other encoders too.
func (secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer]: "[redacted]".
func (secret) LogValue() slog.Value { return slog.StringValue(redacted) }

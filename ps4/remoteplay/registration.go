package remoteplay

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"unique"

	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

// A Registration is what links this program with a console. It is valid until
// the user deletes it on the console. Its Keys print as [redacted]; to store
// it, use [Registration.Reveal]. It can be compared with ==, and the zero value
// is no registration. [Register] and [Stored.Registration] return one.
type Registration struct {
	HostID    string // of the console, 12 hex digits in upper case
	HostType  string // ps4.TypePS5 or ps4.TypePS4
	Nickname  string // the name of the console, as one line
	AccountID uint64 // of the PSN user; only another registration needs it, 0 if unknown
	Keys      Keys
}

// IsZero reports whether there is no registration.
func (r Registration) IsZero() bool { return r.Keys == Keys{} }

// Keys are the secrets of a registration. They print as [redacted]. The handle
// hides them even from printing by reflection, which finds only an address: of a
// string, because fmt may print the struct that a pointer points to.
type Keys struct{ handle unique.Handle[string] }

// keys are Keys in the clear.
type keys struct {
	registKey string // 8 hex digits; enough to wake the console
	rpKey     rp.Block
	kind      string // RP-KeyType
}

func (k keys) hide() Keys { return Keys{unique.Make(k.registKey + string(k.rpKey[:]) + k.kind)} }

// reveal returns the secrets, or none for the zero value.
func (k Keys) reveal() (clear keys) {
	if k == (Keys{}) {
		return keys{}
	}
	text := k.handle.Value()
	copy(clear.rpKey[:], text[rp.RegistKeyLen:])
	clear.registKey, clear.kind = text[:rp.RegistKeyLen], text[rp.RegistKeyLen+len(clear.rpKey):]
	return clear
}

// Format implements [fmt.Formatter]: "[redacted]" under every verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// MarshalText implements [encoding.TextMarshaler]: "[redacted]", for JSON and
// other encoders too.
func (Keys) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// LogValue implements [slog.LogValuer]: "[redacted]".
func (Keys) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Stored is a Registration with its secrets in the clear. Files that hold it
// must not be readable by others.
type Stored struct {
	HostID    string `json:"host_id"`
	HostType  string `json:"host_type"`
	Nickname  string `json:"nickname,omitempty"`
	AccountID uint64 `json:"account_id,string,omitempty"`
	RegistKey string `json:"regist_key"` // 8 hex digits
	RPKey     string `json:"rp_key"`     // 32 hex digits
	KeyType   string `json:"key_type,omitempty"`
}

// Reveal returns the registration with its secrets, to be stored.
func (r Registration) Reveal() Stored {
	k := r.Keys.reveal()
	return Stored{
		HostID: r.HostID, HostType: r.HostType, Nickname: r.Nickname, AccountID: r.AccountID,
		RegistKey: k.registKey, RPKey: hex.EncodeToString(k.rpKey[:]), KeyType: k.kind,
	}
}

// Registration returns the registration that was stored, or one of another
// program. It fails with [ErrRegistrationFormat].
func (s Stored) Registration() (Registration, error) {
	k := keys{registKey: strings.ToLower(s.RegistKey), kind: s.KeyType}
	if _, err := rp.WakeCredential(k.registKey); err != nil {
		return Registration{}, ErrRegistrationFormat // the cause might quote a secret
	}
	if err := k.rpKey.UnmarshalText([]byte(s.RPKey)); err != nil {
		return Registration{}, ErrRegistrationFormat
	}
	if s.HostType != ps4.TypePS4 && s.HostType != ps4.TypePS5 {
		return Registration{}, ErrRegistrationFormat
	}
	return Registration{
		HostID: strings.ToUpper(s.HostID), HostType: s.HostType, Nickname: text.Line(s.Nickname), AccountID: s.AccountID,
		Keys: k.hide(),
	}, nil
}

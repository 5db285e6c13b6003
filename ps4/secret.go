package ps4

import (
	"fmt"
	"log/slog"
	"unique"
)

// redacted is what a secret shows of itself.
const redacted = "[redacted]"

// secret keeps a string out of everything that prints. The text is behind a
// handle, so that even printing by reflection (an unexported field of somebody
// else's struct, %p) finds an address and no text.
type secret struct{ handle unique.Handle[string] }

func newSecret(s string) secret { return secret{unique.Make(s)} }

func (s secret) reveal() string {
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

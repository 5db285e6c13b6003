package psn

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

const (
	npssoLen = 64
	redacted = "[redacted]"
)

// NPSSO is the token of a browser that is signed in to PSN. It is as good as a
// password. It prints, logs and marshals as [redacted].
type NPSSO struct{ text string }

// ParseNPSSO parses an npsso token, or the JSON in which Sony shows it:
// {"npsso":"…"}. It fails with [ErrNPSSOFormat], and never quotes the text.
func ParseNPSSO(text string) (NPSSO, error) {
	text = strings.TrimSpace(text)
	var page struct {
		NPSSO string `json:"npsso"`
	}
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &page) == nil {
		text = page.NPSSO
	}
	text = strings.Trim(text, `"`)
	if len(text) != npssoLen || strings.ContainsFunc(text, notInToken) {
		return NPSSO{}, ErrNPSSOFormat
	}
	return NPSSO{text}, nil
}

func notInToken(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
}

// String returns [redacted].
func (NPSSO) String() string { return redacted }

// Format prints [redacted] for every verb.
func (NPSSO) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns [redacted].
func (NPSSO) MarshalText() ([]byte, error) { return []byte(redacted), nil }

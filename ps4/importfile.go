package ps4

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// maxImport bounds the file of another program, in bytes.
const maxImport = 1 << 20

// ErrImport means that a file holds no credential that this program can use.
var ErrImport error = &sentinel{
	"bad_import", "the file holds no PSN user that can be used",
	"give the credential file of ps4-waker, playactor, pyps4-2ndscreen or pyremoteplay, or one with 64 hex digits",
}

// Imported is a PSN user that another program had stored.
type Imported struct {
	// Name tells several users apart: the PSN online id in a file of
	// pyremoteplay, the console's id in one of playactor, else "". It is what
	// the file says, control characters included.
	Name       string
	Program    string // who wrote the file: "ps4-waker"; "" for bare hex digits
	Credential Credential
}

// ImportCredentials finds the PSN users in a file of ps4-waker, playactor,
// pyps4-2ndscreen or pyremoteplay, which it knows by their content, or in one
// that holds 64 hex digits and nothing else (docs/protocol.md §2). Entries
// without a usable credential are skipped; the rest is sorted by name.
//
// It reads 1 MiB at most and fails with [ErrImport], never quoting the file.
func ImportCredentials(r io.Reader) ([]Imported, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if len(data) > maxImport {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrImport, maxImport)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if credential, err := ParseCredential(string(data)); err == nil {
		return []Imported{{Credential: credential}}, nil
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(data, &entries) != nil { // the cause would quote a piece of it
		return nil, fmt.Errorf("%w: it is not a JSON object", ErrImport)
	}
	users := importOne(entries)
	if users == nil {
		users = importMany(entries)
	}
	if users == nil {
		return nil, ErrImport
	}
	return users, nil
}

// importOne reads the files that hold one user.
func importOne(entries map[string]json.RawMessage) []Imported {
	for _, file := range []struct{ program, key string }{
		{"ps4-waker", "user-credential"},
		{"pyps4-2ndscreen", "credentials"},
	} {
		var text string
		if entries[file.key] == nil || json.Unmarshal(entries[file.key], &text) != nil {
			continue
		}
		if credential, err := ParseCredential(text); err == nil {
			return []Imported{{Program: file.program, Credential: credential}}
		}
	}
	return nil
}

// importMany reads the files that hold users by name.
func importMany(entries map[string]json.RawMessage) []Imported {
	var users []Imported
	for name, raw := range entries {
		var e importEntry
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		if user, err := e.user(); err == nil {
			user.Name = name
			users = append(users, user)
		}
	}
	slices.SortFunc(users, func(a, b Imported) int { return cmp.Compare(a.Name, b.Name) })
	return users
}

// importEntry is a console in a file of playactor, or a user in one of
// pyremoteplay, which knows no more than ID.
type importEntry struct {
	AuthType   string `json:"auth-type"`
	Credential string `json:"user-credential"`
	AccountID  string `json:"accountId"` // base64
	ID         string `json:"id"`        // base64
}

// user finds the credential. That of an entry with auth-type R is a Remote Play
// number, good for nothing here; the account id beside it is.
func (e importEntry) user() (Imported, error) {
	var credential Credential
	var err error
	switch {
	case e.AuthType == "R":
		credential, err = CredentialFromAccountID(e.AccountID)
	case e.Credential != "":
		credential, err = ParseCredential(e.Credential)
	default:
		credential, err = CredentialFromAccountID(e.ID)
		return Imported{Program: "pyremoteplay", Credential: credential}, err
	}
	return Imported{Program: "playactor", Credential: credential}, err
}

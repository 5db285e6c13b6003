package ps4

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

const maxImport = 4 << 20 // bytes; Home Assistant keeps everything in one file

// ErrImport means that a file contains no usable credential. It is an [Error].
var ErrImport error = &sentinel{
	"bad_import", "the file contains no usable credential",
	"use a file of ps4-waker, playactor, pyps4-2ndscreen or pyremoteplay, Home Assistant's core.config_entries, or 64 hex digits",
}

// Imported is a PSN user that another program stored.
type Imported struct {
	// Name distinguishes several users: it is the PSN online id in a file of
	// pyremoteplay, the console's id in one of playactor, the console's name in
	// that of Home Assistant, and otherwise empty.
	// It comes from the file unchanged and may contain control characters.
	Name       string
	Program    string // the program that wrote the file; empty for bare hex digits
	Credential Credential
}

// ImportCredentials returns the PSN users in a file of ps4-waker, playactor,
// pyps4-2ndscreen or pyremoteplay or in Home Assistant's core.config_entries,
// which it recognizes by their content, or in one that consists of 64 hex digits
// (docs/protocol.md §2). It skips entries without a usable credential and sorts
// the others by name.
//
// It reads at most 4 MiB. It fails with [ErrImport] or the error of the reader,
// and never quotes the file.
func ImportCredentials(r io.Reader) ([]Imported, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if len(data) > maxImport {
		return nil, fmt.Errorf("%w: it is larger than %d bytes", ErrImport, maxImport)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if credential, err := ParseCredential(string(data)); err == nil {
		return []Imported{{Credential: credential}}, nil
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(data, &entries) != nil { // the cause would quote a piece of it
		return nil, fmt.Errorf("%w: it is not a JSON object", ErrImport)
	}
	// A file of one user:
	for _, file := range []struct{ program, key string }{
		{"ps4-waker", "user-credential"},
		{"pyps4-2ndscreen", "credentials"},
	} {
		var text string
		if json.Unmarshal(entries[file.key], &text) != nil {
			continue
		}
		if credential, err := ParseCredential(text); err == nil {
			return []Imported{{Program: file.program, Credential: credential}}, nil
		}
	}
	// Files of several users:
	users := homeAssistantUsers(entries["data"])
	for name, raw := range entries {
		var e struct {
			AuthType   string `json:"auth-type"`
			Credential string `json:"user-credential"`
			AccountID  string `json:"accountId"` // base64
			ID         string `json:"id"`        // base64; pyremoteplay stores nothing else
		}
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		user := Imported{Name: name, Program: "playactor"}
		switch {
		case e.AuthType == "R": // the credential is a number for Remote Play
			user.Credential, err = CredentialFromAccountID(e.AccountID)
		case e.Credential != "":
			user.Credential, err = ParseCredential(e.Credential)
		default:
			user.Program = "pyremoteplay"
			user.Credential, err = CredentialFromAccountID(e.ID)
		}
		if err == nil {
			users = append(users, user)
		}
	}
	if users == nil {
		return nil, ErrImport
	}
	slices.SortFunc(users, func(a, b Imported) int { return cmp.Compare(a.Name, b.Name) })
	return users, nil
}

// homeAssistantUsers returns the users in the data of Home Assistant's
// core.config_entries, which has an entry for each integration:
//
//	{"entries":[{"domain":"ps4","data":{"token":"64 hex digits","devices":[{"name":"Den"}]}}]}
func homeAssistantUsers(data json.RawMessage) (users []Imported) {
	var file struct {
		Entries []struct {
			Domain string          `json:"domain"`
			Data   json.RawMessage `json:"data"` // its form depends on the domain
		} `json:"entries"`
	}
	if json.Unmarshal(data, &file) != nil {
		return nil
	}
	for _, e := range file.Entries {
		var user struct {
			Token   string `json:"token"`
			Devices []struct {
				Name string `json:"name"`
			} `json:"devices"`
		}
		if e.Domain != "ps4" || json.Unmarshal(e.Data, &user) != nil {
			continue
		}
		credential, err := ParseCredential(user.Token)
		if err != nil {
			continue
		}
		imported := Imported{Program: "Home Assistant", Credential: credential}
		if len(user.Devices) > 0 {
			imported.Name = user.Devices[0].Name
		}
		users = append(users, imported)
	}
	return users
}

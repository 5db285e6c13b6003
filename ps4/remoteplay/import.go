package remoteplay

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/ps4kit/ps4kit/ps4"
)

const maxImport = 1 << 20 // bytes

// ImportRegistrations returns the registrations in a file of playactor or
// pyremoteplay, sorted by host id. They need no PIN. It skips entries without a
// usable registration.
//
// It reads at most 1 MiB. It fails with [ps4.ErrImport] if there is none, or
// with the error of the reader, and never quotes the file.
func ImportRegistrations(r io.Reader) ([]Registration, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if len(data) > maxImport {
		return nil, fmt.Errorf("%w: it is larger than %d bytes", ps4.ErrImport, maxImport)
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &entries) != nil { // the cause would quote a piece of it
		return nil, fmt.Errorf("%w: it is not a JSON object", ps4.ErrImport)
	}
	var found []Registration
	for name, raw := range entries {
		var e importEntry
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		var stored []Stored
		for _, hostType := range []string{ps4.TypePS4, ps4.TypePS5} {
			if e.Registration[hostType+"-RegistKey"] != "" { // name is the host id
				stored = append(stored, importedLines(name, hostType, hostType+"-", e.AccountID, e.Registration))
			}
		}
		for host, h := range e.Hosts {
			stored = append(stored, importedLines(host, h.Type, "", e.ID, h.Data))
		}
		for _, s := range stored {
			if r, err := s.Registration(); err == nil {
				found = append(found, r)
			}
		}
	}
	if found == nil {
		return nil, ps4.ErrImport
	}
	slices.SortFunc(found, func(a, b Registration) int {
		return cmp.Or(cmp.Compare(a.HostID, b.HostID), cmp.Compare(a.AccountID, b.AccountID))
	})
	return found, nil
}

// importEntry is a console in a file of playactor, or a user with consoles in
// one of pyremoteplay. Both keep the lines of the console's answer
// (docs/protocol.md §11), but pyremoteplay drops the prefix "PS4-" or "PS5-".
type importEntry struct {
	AccountID    string            `json:"accountId"`
	Registration map[string]string `json:"registration"`

	ID    string `json:"id"`
	Hosts map[string]struct {
		Type string            `json:"type"`
		Data map[string]string `json:"data"`
	} `json:"hosts"`
}

// importedLines converts the lines of a console's answer.
func importedLines(hostID, hostType, prefix, accountID string, lines map[string]string) Stored {
	key, _ := hex.DecodeString(lines[prefix+"RegistKey"]) // Stored.Registration refuses an invalid one
	id, _ := ps4.ParseAccountID(accountID)                // 0: unknown
	return Stored{
		HostID: hostID, HostType: hostType, Nickname: lines[prefix+"Nickname"], AccountID: id,
		RegistKey: string(key), RPKey: lines["RP-Key"], KeyType: lines["RP-KeyType"],
	}
}

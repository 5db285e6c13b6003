package hapserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Status codes of HAP (HAP-R2 6.7.1.4).
const (
	statusPrivileges  = -70401
	statusUnreachable = -70402
	statusReadOnly    = -70404
	statusWriteOnly   = -70405
	statusNoEvents    = -70406
	statusNotFound    = -70409
	statusInvalid     = -70410
)

// statusJSON refuses a request as a whole.
type statusJSON struct {
	Status int `json:"status"`
}

// itemsJSON is the body of answers and events.
type itemsJSON struct {
	Items []item `json:"characteristics"`
}

// item is one characteristic in an answer or an event.
type item struct {
	AID    uint64          `json:"aid"`
	IID    uint64          `json:"iid"`
	Status *int            `json:"status,omitempty"`
	Value  json.RawMessage `json:"value,omitempty"`
	Type   string          `json:"type,omitempty"`
	Perms  []string        `json:"perms,omitempty"`
	Events *bool           `json:"ev,omitempty"`
	*metaJSON
}

func newItem(id cellID, status int) item { return item{AID: id.aid, IID: id.iid, Status: &status} }

// accessoriesJSON answers GET /accessories.
type accessoriesJSON struct {
	Accessories []accessoryJSON `json:"accessories"`
}

func (s *Server) getAccessories(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, s.accessories(r))
}

// AccessoriesJSON returns the answer to GET /accessories.
func (s *Server) AccessoriesJSON() ([]byte, error) {
	b, err := json.Marshal(s.accessories(nil))
	if err != nil {
		return nil, fmt.Errorf("encode the accessories: %w", err)
	}
	return b, nil
}

func (s *Server) accessories(r *http.Request) accessoriesJSON {
	return accessoriesJSON{s.db.withValues(func(ce *cell) json.RawMessage {
		if !ce.c.IsReadable() {
			return nil
		}
		value, status := s.read(ce, r)
		if status != 0 { // there is no place for a status: return the stored value
			value, _ = json.Marshal(s.stored(ce.c))
		}
		return value
	})}
}

// getCharacteristics answers ?id=aid.iid,... and adds what meta=1, perms=1,
// type=1 and ev=1 ask for.
func (s *Server) getCharacteristics(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	ids, ok := parseIDs(query.Get("id"))
	if !ok {
		writeJSON(w, http.StatusUnprocessableEntity, statusJSON{Status: statusInvalid})
		return
	}
	items, status := make([]item, 0, len(ids)), http.StatusOK
	for _, id := range ids {
		it := s.readItem(id, r)
		if *it.Status != 0 {
			status = http.StatusMultiStatus
		}
		if ce := s.db.byID[id]; ce != nil {
			describe(&it, ce, query.Get, peerOf(r))
		}
		items = append(items, it)
	}
	if status == http.StatusOK {
		for i := range items {
			items[i].Status = nil
		}
	}
	writeJSON(w, status, itemsJSON{items})
}

// parseIDs parses "1.2,1.3".
func parseIDs(s string) ([]cellID, bool) {
	var ids []cellID
	for part := range strings.SplitSeq(s, ",") {
		a, i, _ := strings.Cut(part, ".")
		aid, errA := strconv.ParseUint(a, 10, 64)
		iid, errI := strconv.ParseUint(i, 10, 64)
		if errA != nil || errI != nil {
			return nil, false
		}
		ids = append(ids, cellID{aid, iid})
	}
	return ids, true
}

func (s *Server) readItem(id cellID, r *http.Request) item {
	ce := s.db.byID[id]
	switch {
	case ce == nil:
		return newItem(id, statusNotFound)
	case !ce.c.IsReadable():
		return newItem(id, statusWriteOnly)
	}
	value, status := s.read(ce, r)
	it := newItem(id, status)
	it.Value = value
	return it
}

// read returns the JSON value of a readable characteristic, or a status.
func (s *Server) read(ce *cell, r *http.Request) (json.RawMessage, int) {
	v := s.stored(ce.c)
	if ce.c.ValueRequestFunc != nil {
		var status int
		if v, status = ce.c.ValueRequestFunc(r); status != 0 {
			return nil, status
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		s.log.Errorf("cannot encode the value of characteristic %d", ce.c.Id)
		return nil, statusUnreachable
	}
	return b, 0
}

// describe adds what the query asks for.
func describe(it *item, ce *cell, query func(string) string, p *peer) {
	if query("meta") == "1" {
		it.metaJSON = &ce.meta
	}
	if query("perms") == "1" {
		it.Perms = ce.c.Permissions
	}
	if query("type") == "1" {
		it.Type = ce.c.Type
	}
	if query("ev") == "1" {
		on := p.events.subscribed(ce)
		it.Events = &on
	}
}

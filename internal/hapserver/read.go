package hapserver

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Status codes of HAP (HAP-R2 6.7.1.4).
const (
	statusPrivileges = -70401
	statusReadOnly   = -70404
	statusWriteOnly  = -70405
	statusNoEvents   = -70406
	statusNotFound   = -70409
	statusInvalid    = -70410
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
	AID    uint64   `json:"aid"`
	IID    uint64   `json:"iid"`
	Status *int     `json:"status,omitempty"`
	Value  any      `json:"value,omitempty"`
	Type   string   `json:"type,omitempty"`
	Perms  []string `json:"perms,omitempty"`
	Events *bool    `json:"ev,omitempty"`
	*metaJSON
}

func newItem(id cellID, status int) item { return item{AID: id.aid, IID: id.iid, Status: &status} }

func (s *Server) getAccessories(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, accessoriesJSON{s.db.accessories})
}

// AccessoriesJSON returns the answer to GET /accessories.
func (s *Server) AccessoriesJSON() ([]byte, error) {
	return json.Marshal(accessoriesJSON{s.db.accessories})
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
	asked := func(key string) bool { return query.Get(key) == "1" }
	items, status := make([]item, 0, len(ids)), http.StatusOK
	for _, id := range ids {
		it := s.readItem(id)
		if *it.Status != 0 {
			status = http.StatusMultiStatus
		}
		if ce := s.db.byID[id]; ce != nil {
			describe(&it, ce, asked, peerOf(r))
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

func (s *Server) readItem(id cellID) item {
	ce := s.db.byID[id]
	switch {
	case ce == nil:
		return newItem(id, statusNotFound)
	case ce.Value == nil:
		return newItem(id, statusWriteOnly)
	}
	it := newItem(id, 0)
	it.Value = ce.Value
	return it
}

// describe adds what the query asks for.
func describe(it *item, ce *cell, asked func(key string) bool, p *peer) {
	if asked("meta") {
		it.metaJSON = &ce.metaJSON
	}
	if asked("perms") {
		it.Perms = ce.Permissions
	}
	if asked("type") {
		it.Type = ce.Type
	}
	if asked("ev") {
		it.Events = new(p.events.subscribed(ce))
	}
}

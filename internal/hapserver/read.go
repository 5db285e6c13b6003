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
	asked := func(key string) bool { return query.Get(key) == "1" }
	items, status := []item{}, http.StatusOK
	for part := range strings.SplitSeq(query.Get("id"), ",") {
		a, i, _ := strings.Cut(part, ".")
		aid, errA := strconv.ParseUint(a, 10, 64)
		iid, errI := strconv.ParseUint(i, 10, 64)
		if errA != nil || errI != nil {
			writeJSON(w, http.StatusUnprocessableEntity, statusJSON{Status: statusInvalid})
			return
		}
		it := s.readItem(cellID{aid, iid}, asked, peerOf(r))
		if *it.Status != 0 {
			status = http.StatusMultiStatus
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

func (s *Server) readItem(id cellID, asked func(key string) bool, p *peer) item {
	ce := s.db.byID[id]
	if ce == nil {
		return newItem(id, statusNotFound)
	}
	it := newItem(id, 0)
	it.Value = ce.Value
	if ce.Value == nil {
		*it.Status = statusWriteOnly
	}
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
	return it
}

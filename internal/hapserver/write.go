package hapserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// writeBody is the body of PUT /characteristics.
type writeBody struct {
	Items []writeItem `json:"characteristics"`
	PID   *uint64     `json:"pid"`
}

// writeItem is one write, one change of a subscription, or both.
type writeItem struct {
	AID      *uint64         `json:"aid"`
	IID      *uint64         `json:"iid"`
	Value    json.RawMessage `json:"value"`
	Events   *flag           `json:"ev"`
	Response flag            `json:"r"`
}

// flag is a JSON boolean, which some controllers write as 0 or 1.
type flag bool

func (f *flag) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true", "1":
		*f = true
	case "false", "0", "null":
		*f = false
	default:
		return errors.New("not a boolean")
	}
	return nil
}

// timedWrite is a prepared write: the next PUT with this pid, if it comes in time.
type timedWrite struct {
	pid   uint64
	until time.Time
}

// maxTimedWrite bounds how long a timed write may be prepared ahead.
const maxTimedWrite = time.Hour

// prepare begins a timed write.
func (s *Server) prepare(w http.ResponseWriter, r *http.Request) {
	var in struct{ TTL, PID *uint64 }
	if !decodeJSON(w, r, &in) {
		return
	}
	if in.TTL == nil || in.PID == nil {
		writeJSON(w, http.StatusUnprocessableEntity, statusJSON{Status: statusInvalid})
		return
	}
	ttl := time.Duration(min(*in.TTL, uint64(maxTimedWrite/time.Millisecond))) * time.Millisecond
	peerOf(r).timed = &timedWrite{pid: *in.PID, until: time.Now().Add(ttl)}
	writeJSON(w, http.StatusOK, statusJSON{})
}

// decodeJSON reads a body, or answers 400 when it is not what the request needs.
func decodeJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	b := body(r)
	if !text(b) || json.Unmarshal(b, v) != nil {
		writeJSON(w, http.StatusBadRequest, statusJSON{Status: statusInvalid})
		return false
	}
	return true
}

// putCharacteristics writes and subscribes. 204 when all went well and nothing is to be returned, else 207 with every item.
func (s *Server) putCharacteristics(w http.ResponseWriter, r *http.Request) {
	var in writeBody
	if !decodeJSON(w, r, &in) {
		return
	}
	if !in.complete() {
		writeJSON(w, http.StatusUnprocessableEntity, statusJSON{Status: statusInvalid})
		return
	}
	timed, refused := peerOf(r).takeTimed(in.PID)
	items, plain := make([]item, 0, len(in.Items)), true
	for _, wr := range in.Items {
		id := cellID{*wr.AID, *wr.IID}
		it := newItem(id, statusInvalid)
		if !refused {
			it = s.writeItem(id, wr, timed, r)
		}
		plain = plain && *it.Status == 0 && it.Value == nil
		items = append(items, it)
	}
	if plain {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeJSON(w, http.StatusMultiStatus, itemsJSON{items})
}

// complete tells whether there is something to write and each item says where.
func (b *writeBody) complete() bool {
	for _, it := range b.Items {
		if it.AID == nil || it.IID == nil {
			return false
		}
	}
	return len(b.Items) > 0
}

// takeTimed uses up the prepared write that pid names. A pid that was not prepared or is too late refuses the whole request.
func (p *peer) takeTimed(pid *uint64) (timed, refused bool) {
	if pid == nil {
		return false, false
	}
	t := p.timed
	p.timed = nil
	ok := t != nil && t.pid == *pid && time.Now().Before(t.until)
	return ok, !ok
}

func (s *Server) writeItem(id cellID, wr writeItem, timed bool, r *http.Request) item {
	ce := s.db.byID[id]
	if ce == nil {
		return newItem(id, statusNotFound)
	}
	status, response := 0, any(nil)
	switch {
	case wr.Events != nil && !ce.c.IsObservable():
		status = statusNoEvents
	case wr.Value == nil && wr.Events == nil:
		status = statusInvalid
	case wr.Value != nil:
		response, status = s.write(ce, wr.Value, timed, r)
	}
	if status == 0 && wr.Events != nil {
		peerOf(r).events.subscribe(ce, bool(*wr.Events))
	}
	it := newItem(id, status)
	if status == 0 && wr.Value != nil && bool(wr.Response) {
		it.Value = s.writeResponse(ce, response, r)
	}
	return it
}

// write checks a value and gives it to the handler, or stores it when there is none. Every valid value gets there,
// equal to the stored one or not.
func (s *Server) write(ce *cell, raw json.RawMessage, timed bool, r *http.Request) (response any, status int) {
	switch {
	case !ce.c.IsWritable():
		return nil, statusReadOnly
	case ce.c.RequiresTimedWrite() && !timed:
		return nil, statusInvalid
	}
	v, err := parseValue(ce.c, raw)
	if err != nil {
		return nil, statusInvalid
	}
	if ce.c.SetValueRequestFunc != nil {
		return ce.c.SetValueRequestFunc(v, r)
	}
	s.Set(ce.c, v, r)
	return nil, 0
}

// writeResponse is what a write with r=true gets: what the handler returned, else the value as it is now, nothing for one that
// cannot be read.
func (s *Server) writeResponse(ce *cell, response any, r *http.Request) json.RawMessage {
	if response == nil {
		return s.readItem(ce.id, r).Value
	}
	b, err := json.Marshal(response)
	if err != nil {
		s.log.Errorf("characteristic %d answered a write with what JSON cannot hold", ce.c.Id)
		return nil
	}
	return b
}

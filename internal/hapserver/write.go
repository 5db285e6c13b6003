package hapserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// writeItem is a write, a change of a subscription, or both.
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

// timedWrite announces a write: the next PUT with this pid, if it comes in
// time.
type timedWrite struct {
	pid   uint64
	until time.Time
}

// prepare announces a timed write, within an hour at most.
func (s *Server) prepare(w http.ResponseWriter, r *http.Request) {
	var in struct{ TTL, PID *uint64 }
	if !decodeJSON(w, r, &in) {
		return
	}
	if in.TTL == nil || in.PID == nil {
		writeJSON(w, http.StatusUnprocessableEntity, statusJSON{Status: statusInvalid})
		return
	}
	ttl := time.Duration(min(*in.TTL, uint64(time.Hour.Milliseconds()))) * time.Millisecond
	peerOf(r).timed = &timedWrite{pid: *in.PID, until: time.Now().Add(ttl)}
	writeJSON(w, http.StatusOK, statusJSON{})
}

// decodeJSON decodes a body, or answers with status 400 and returns false. It
// refuses what is not UTF-8, which encoding/json would replace.
func decodeJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	b := body(r)
	if !utf8.Valid(b) || json.Unmarshal(b, v) != nil {
		writeJSON(w, http.StatusBadRequest, statusJSON{Status: statusInvalid})
		return false
	}
	return true
}

// putCharacteristics writes and subscribes. It answers with status 204 if all
// items succeed without a value to return, and otherwise with 207 and every
// item.
func (s *Server) putCharacteristics(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Items []writeItem `json:"characteristics"`
		PID   *uint64     `json:"pid"`
	}
	if !decodeJSON(w, r, &in) {
		return
	}
	incomplete := func(it writeItem) bool { return it.AID == nil || it.IID == nil }
	if len(in.Items) == 0 || slices.ContainsFunc(in.Items, incomplete) {
		writeJSON(w, http.StatusUnprocessableEntity, statusJSON{Status: statusInvalid})
		return
	}
	timed, prepared := false, peerOf(r).timed
	if in.PID != nil { // it uses up the prepared write
		peerOf(r).timed = nil
		timed = prepared != nil && prepared.pid == *in.PID && time.Now().Before(prepared.until)
	}
	items, plain := make([]item, 0, len(in.Items)), true
	for _, wr := range in.Items {
		id := cellID{*wr.AID, *wr.IID}
		it := newItem(id, statusInvalid)
		if timed || in.PID == nil { // a pid that is unknown or too late refuses the whole request
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

// writeItem passes a valid value to the handler, or stores it if there is none.
// The handler gets every valid value, equal to the stored one or not.
func (s *Server) writeItem(id cellID, wr writeItem, timed bool, r *http.Request) item {
	ce := s.db.byID[id]
	if ce == nil {
		return newItem(id, statusNotFound)
	}
	var value, response any
	status, valid := 0, false
	if wr.Value != nil && json.Unmarshal(wr.Value, &value) == nil {
		value, valid = checkValue(ce.c, value)
	}
	switch {
	case wr.Events != nil && !ce.c.IsObservable():
		status = statusNoEvents
	case wr.Value == nil && wr.Events != nil: // only subscribes
	case wr.Value != nil && !ce.c.IsWritable():
		status = statusReadOnly
	case !valid || ce.c.RequiresTimedWrite() && !timed:
		status = statusInvalid
	case ce.c.SetValueRequestFunc != nil:
		response, status = ce.c.SetValueRequestFunc(value, r)
	default:
		s.Set(ce.c, value, r)
	}
	it := newItem(id, status)
	if status != 0 {
		return it
	}
	if wr.Events != nil {
		peerOf(r).events.subscribe(ce, bool(*wr.Events))
	}
	if wr.Value != nil && bool(wr.Response) {
		it.Value = ce.Value
		if response != nil {
			it.Value = response
		}
	}
	return it
}

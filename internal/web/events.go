package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the events.
const (
	keptEvents = 256
	maxStreams = 32
	eventGap   = 100 * time.Millisecond // between two looks at what has changed
)

// Names of events (docs/api.md).
const (
	eventHello    = "hello"
	eventOverview = "overview"
	eventConsole  = "console"
	eventRemoved  = "removed"
	eventTitles   = "titles"
	eventHomekit  = "homekit"
	eventLog      = "log"
)

// View is all of one host that events tell about; nil is what it has not.
type View struct {
	Card    *Card // nil: there is no such console
	Titles  []Title
	Homekit *Accessory // nil: not offered to HomeKit
}

// Events tells those who follow GET /events what changes. Whoever changes something
// calls Changed; Run looks at what is different then, so that many changes make one
// event and none makes none. The events that were are kept for a while, and each
// stream takes from them at its own pace: a slow one delays nobody.
type Events struct {
	version string
	log     *Log
	view    func(hostID string) View
	run     string // tells the ids of this Events from those of an earlier one
	past    *feed[event]
	ended   chan struct{} // closed when Run has returned, and every stream ends
	streams atomic.Int32

	work    chan struct{} // a token: changed holds something
	mu      sync.Mutex
	changed map[string]bool // by host id
}

// event is one that was sent.
type event struct {
	number uint64
	name   string
	data   []byte
}

// NewEvents returns events about the hosts that view shows, and about the log; version
// is what the streams say of this program.
func NewEvents(version string, log *Log, view func(hostID string) View) *Events {
	return &Events{
		version: version, log: log, view: view, run: rand.Text()[:8], past: newFeed[event](keptEvents),
		ended: make(chan struct{}), work: make(chan struct{}, 1), changed: map[string]bool{},
	}
}

// Changed says that a host may have changed. It does not block.
func (e *Events) Changed(hostID string) {
	e.mu.Lock()
	e.changed[hostID] = true
	e.mu.Unlock()
	select {
	case e.work <- struct{}{}:
	default:
	}
}

func (e *Events) take() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	changed := e.changed
	e.changed = map[string]bool{}
	return changed
}

// Run makes events of changes until ctx is done. Then every stream ends.
func (e *Events) Run(ctx context.Context) {
	defer close(e.ended)
	told := map[string]digests{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.work:
		}
		for hostID := range e.take() {
			told[hostID] = e.look(hostID, told[hostID])
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(eventGap):
		}
	}
}

// look sends what is different of a host from what was told.
func (e *Events) look(hostID string, told digests) digests {
	v := e.view(hostID)
	now := v.digests()
	switch {
	case now.card == told.card:
	case v.Card == nil:
		e.send(eventRemoved, hostRef{hostID})
	default:
		e.send(eventConsole, v.Card)
	}
	if v.Card != nil && now.titles != told.titles {
		e.send(eventTitles, hostRef{hostID})
	}
	if now.homekit != told.homekit {
		e.send(eventHomekit, hostRef{hostID})
	}
	return now
}

func (e *Events) send(name string, v any) {
	e.past.add(func(n uint64) event { return event{n, name, toJSON(v)} })
}

// hostRef says which host an event is about.
type hostRef struct {
	HostID string `json:"host_id"`
}

// digests tell one view from another; the zero digest is that of nothing.
type digests struct{ card, titles, homekit [sha256.Size]byte }

func (v View) digests() (d digests) {
	if v.Card != nil {
		card := *v.Card
		card.LastSeen = time.Time{} // alone it is no news
		d.card, d.titles = sha256.Sum256(toJSON(card)), sha256.Sum256(toJSON(v.Titles))
	}
	if v.Homekit != nil {
		d.homekit = sha256.Sum256(toJSON(v.Homekit))
	}
	return d
}

// toJSON is for plain structs, which cannot fail.
func toJSON(v any) []byte {
	body, _ := json.Marshal(v)
	return body
}

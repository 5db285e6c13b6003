package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/ps4kit/ps4kit/test/hapclient"
)

// phonesEach is how many controllers stay paired with each console; the first is the
// admin that paired.
const phonesEach = 3

// iids are the instance ids that phones use.
type iids struct {
	active, activeID, name, key, order int
	inputs                             map[string]input // by title id
}

// input is an input source of a title.
type input struct{ identifier, name, target int }

// pair pairs the first phone with the setup code and lets it add the others.
func (s *soak) pair(ctx context.Context, p *place) error {
	api, err := s.api(ctx)
	if err != nil {
		return err
	}
	list, err := api.Homekit(ctx)
	if err != nil {
		return fmt.Errorf("homekit list: %w", err)
	}
	for n := range phonesEach {
		p.phones = append(p.phones, hapclient.New(fmt.Sprintf("phone%d-%s", n, p.hostID)))
	}
	for _, a := range list {
		if a.HostID != p.hostID {
			continue
		}
		p.port = a.Port
		conn, err := hapclient.Dial(ctx, p.address())
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if p.accessory, err = p.phones[0].Pair(conn, a.SetupCode); err != nil {
			return err
		}
		return s.settle(ctx, p)
	}
	return fmt.Errorf("no server is offered for %s", p.hostID)
}

func (p *place) address() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

// settle adds the other phones, and learns the instance ids and what is so at first.
func (s *soak) settle(ctx context.Context, p *place) error {
	conn, err := p.connect(p.phones[0])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, other := range p.phones[1:] {
		if err := p.phones[0].Add(conn, other); err != nil {
			return fmt.Errorf("adding a phone: %w", err)
		}
	}
	a, err := conn.Get("/accessories")
	if err != nil {
		return err
	}
	if p.iids, err = readIIDs(a.Body); err != nil {
		return err
	}
	_, order := p.shuffled(p.rng) // until somebody orders them, titles that are played go first
	if err := put(conn, characteristic{AID: 1, IID: p.iids.order, Value: order}); err != nil {
		return err
	}
	now, err := s.observe(ctx, p)
	for key, value := range now {
		p.facts.set(key, value)
	}
	return err
}

// connect returns a verified connection. The end of the soak does not end what it is for.
func (p *place) connect(c *hapclient.Controller) (*hapclient.Conn, error) {
	conn, err := hapclient.Dial(context.Background(), p.address())
	if err != nil {
		return nil, err
	}
	if err := c.Verify(conn, p.accessory); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// characteristic is one of /accessories or of a write.
type characteristic struct {
	AID   int    `json:"aid,omitempty"`
	IID   int    `json:"iid"`
	Type  string `json:"type,omitempty"`
	Value any    `json:"value,omitempty"`
	Event *bool  `json:"ev,omitempty"`
}

// readIIDs finds what phones use by the types of docs/homekit.md §2 to §4.
func readIIDs(body []byte) (iids, error) {
	var database struct {
		Accessories []struct {
			Services []struct {
				Type            string
				Characteristics []characteristic
			}
		}
	}
	if err := json.Unmarshal(body, &database); err != nil {
		return iids{}, fmt.Errorf("/accessories: %w", err)
	}
	found := iids{inputs: map[string]input{}}
	for _, service := range database.Accessories[0].Services {
		of := map[string]characteristic{}
		for _, c := range service.Characteristics {
			of[c.Type] = c
		}
		switch service.Type {
		case "D8": // Television
			found.active, found.activeID, found.name = of["B0"].IID, of["E7"].IID, of["E3"].IID
			found.key, found.order = of["E1"].IID, of["136"].IID
		case "D9": // Input Source
			identifier, _ := of["E6"].Value.(float64)
			in := input{int(identifier), of["E3"].IID, of["134"].IID}
			if in.identifier > 2 && in.identifier-3 < len(titles) {
				found.inputs[titles[in.identifier-3].ID] = in
			}
		}
	}
	if found.active*found.activeID*found.name*found.key*found.order == 0 || len(found.inputs) != len(titles) {
		return found, fmt.Errorf("/accessories lacks what phones use: %+v", found)
	}
	return found, nil
}

// phone comes, looks, writes and goes, over and over.
func (s *soak) phone(ctx context.Context, p *place, n int) {
	rng := random(s.seed, fmt.Sprint("phone", n, p.name))
	for s.server.await(ctx) {
		var conn *hapclient.Conn
		life, _ := s.server.isUp()
		_, err := s.commandIn(life, "hap connect", func() (err error) {
			conn, err = p.connect(p.phones[n])
			return err
		})
		if err == nil {
			s.visit(ctx, p, life, conn, rng)
			_ = conn.Close()
		}
		pause(ctx, time.Duration(50+rng.IntN(400))*time.Millisecond)
	}
}

// visit is one connection of a phone.
func (s *soak) visit(ctx context.Context, p *place, life int64, conn *hapclient.Conn, rng *rand.Rand) {
	yes := true
	if _, err := s.commandIn(life, "hap subscribe", func() error {
		return put(conn, characteristic{AID: 1, IID: p.iids.active, Event: &yes}, characteristic{AID: 1, IID: p.iids.activeID, Event: &yes})
	}); err != nil {
		return
	}
	for range 1 + rng.IntN(12) {
		kind, do := p.gesture(conn, rng)
		if o, _ := s.commandIn(life, kind, do); o != done && o != refused {
			return
		}
		if !pause(ctx, time.Duration(20+rng.IntN(800))*time.Millisecond) {
			return
		}
	}
}

// gesture is something that a person does with a phone.
func (p *place) gesture(conn *hapclient.Conn, rng *rand.Rand) (kind string, do func() error) {
	switch n := rng.IntN(20); {
	case n < 10:
		return "hap read", func() error {
			return get(conn, fmt.Sprintf("/characteristics?id=1.%d,1.%d,1.%d", p.iids.active, p.iids.activeID, p.iids.name))
		}
	case n < 13:
		return "hap accessories", func() error { return get(conn, "/accessories") }
	case n < 17:
		arrow := 4 + rng.IntN(2) // up, down
		return "hap key", func() error { return put(conn, characteristic{AID: 1, IID: p.iids.key, Value: arrow}) }
	case n < 19:
		return "hap power", func() error { return put(conn, characteristic{AID: 1, IID: p.iids.active, Value: n - 17}) }
	}
	title := 3 + rng.IntN(len(titles))
	return "hap title", func() error { return put(conn, characteristic{AID: 1, IID: p.iids.activeID, Value: title}) }
}

func get(conn *hapclient.Conn, path string) error {
	a, err := conn.Get(path)
	return hapError(a, err)
}

func put(conn *hapclient.Conn, list ...characteristic) error {
	a, err := conn.Put("/characteristics", map[string]any{"characteristics": list})
	return hapError(a, err)
}

// hapError makes an error of an answer that refuses.
func hapError(a hapclient.Answer, err error) error {
	if err == nil && a.Status != http.StatusOK && a.Status != http.StatusNoContent {
		return &statusError{a.Status, string(a.Body)}
	}
	return err
}

// pause waits; false: ctx was done first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/test/hapclient"
)

// phonesEach is how many controllers stay paired with each console. The first
// is the admin.
const phonesEach = 3

// commandLimit is longer than any command may take (docs/homekit.md §5).
const commandLimit = 3 * time.Minute

// apiError is an answer of the API that refuses.
type apiError struct {
	status int
	body   string
}

func (e *apiError) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.body) }

// api sends a request through the server's socket (docs/api.md). It doesn't
// decode the answer if out is nil.
func (s *soak) api(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	var body bytes.Buffer
	if in != nil {
		_ = json.NewEncoder(&body).Encode(in)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://ps4kit/api/v1/"+path, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(s.dir, "state", "control.sock"))
	}}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= http.StatusBadRequest:
		return &apiError{resp.StatusCode, strings.TrimSpace(string(answer))}
	case out != nil:
		return json.Unmarshal(answer, out)
	}
	return nil
}

type object = map[string]any

// commander gives the commands of a command line, one after another.
func (s *soak) commander(ctx context.Context, p *place) {
	rng := random(s.seed, "commander"+p.name)
	for s.server.await(ctx) {
		title, key := titles[rng.IntN(len(titles))].ID, []string{"left", "right"}[rng.IntN(2)]
		switch n := rng.IntN(10); {
		case n < 5:
			s.tell(p, "keys", http.MethodPost, object{"keys": []string{key}})
		case n < 7:
			s.tell(p, "power", http.MethodPost, object{"state": "awake", "wait": n == 5})
		case n < 8:
			s.tell(p, "power", http.MethodPost, object{"state": "standby"})
		case n < 9:
			s.tell(p, "start", http.MethodPost, object{"title": title})
		default:
			s.tell(p, "", http.MethodGet, nil)
		}
		pause(ctx, time.Duration(50+rng.IntN(500))*time.Millisecond)
	}
}

// tell gives a command through the socket, and waits for its end as long as the
// soak has patience, even if the soak itself ends.
func (s *soak) tell(p *place, verb, method string, in any) {
	_, _ = s.command(0, "command "+verb, func() error {
		ctx, cancel := context.WithCancel(s.patience)
		defer cancel()
		err := s.api(ctx, method, strings.TrimSuffix("consoles/"+p.hostID+"/"+verb, "/"), in, nil)
		if errors.Is(err, context.Canceled) {
			return errGivenUp
		}
		return err
	})
}

// iids are the instance ids that phones use.
type iids struct {
	active, activeID, name, key, order int
	inputs                             map[string]input // by title id
}

// input is the input source of a title.
type input struct{ identifier, name, target int }

// pair pairs the first phone, which adds the others, and records what holds at
// first.
func (s *soak) pair(ctx context.Context, p *place) error {
	var list []accessory
	if err := s.api(ctx, http.MethodGet, "homekit", nil, &list); err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(a accessory) bool { return a.HostID == p.hostID })
	if i < 0 {
		return errors.New("it has no HAP server")
	}
	p.address = fmt.Sprintf("127.0.0.1:%d", list[i].Port)
	for n := range phonesEach {
		p.phones = append(p.phones, hapclient.New(fmt.Sprintf("phone%d-%s", n, p.hostID)))
	}
	clear, err := hapclient.Dial(ctx, p.address)
	if err != nil {
		return err
	}
	p.accessory, err = p.phones[0].Pair(clear, list[i].SetupCode)
	if err := errors.Join(err, clear.Close()); err != nil {
		return err
	}
	conn, err := p.connect(0)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, other := range p.phones[1:] {
		if err := p.phones[0].Add(conn, other); err != nil {
			return err
		}
	}
	if p.iids, err = readIIDs(conn); err != nil {
		return err
	}
	_, order := p.shuffled(p.rng) // by default, titles that run come first
	if err := conn.Write(p.iids.order, order); err != nil {
		return err
	}
	now, err := s.observe(ctx, p)
	for key, value := range now {
		p.facts.set(key, value)
	}
	return err
}

func readIIDs(conn *hapclient.Conn) (found iids, err error) {
	services, err := conn.Services()
	found.inputs = map[string]input{}
	for _, service := range services {
		iid := func(kind string) int { return service.Find(kind).IID }
		switch service.Type {
		case hapclient.Television:
			found.active, found.activeID, found.name = iid(hapclient.Active), iid(hapclient.ActiveIdentifier), iid(hapclient.ConfiguredName)
			found.key, found.order = iid(hapclient.RemoteKey), iid(hapclient.DisplayOrder)
		case hapclient.InputSource:
			id, _ := service.Find(hapclient.Identifier).Value.(float64)
			if k := int(id) - 3; k >= 0 && k < len(titles) { // the first two are ps4kit's own
				found.inputs[titles[k].ID] = input{int(id), iid(hapclient.ConfiguredName), iid(hapclient.TargetVisibilityState)}
			}
		}
	}
	if err == nil && (found.active*found.activeID*found.name*found.key*found.order == 0 || len(found.inputs) != len(titles)) {
		err = fmt.Errorf("/accessories lacks something: %+v", found)
	}
	return found, err
}

// connect returns a verified connection of a phone, which the end of the soak
// doesn't end.
func (p *place) connect(phone int) (*hapclient.Conn, error) {
	return p.phones[phone].Connect(context.Background(), p.address, p.accessory)
}

// phone connects, subscribes, reads, writes and leaves, over and over.
func (s *soak) phone(ctx context.Context, p *place, n int) {
	rng := random(s.seed, fmt.Sprint("phone", n, p.name))
	for s.server.await(ctx) {
		life, _ := s.server.isUp()
		var conn *hapclient.Conn
		_, err := s.command(life, "hap connect", func() (err error) {
			conn, err = p.connect(n)
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
	_, err := s.command(life, "hap subscribe", func() error { return conn.Subscribe(p.iids.active, p.iids.activeID) })
	for range 1 + rng.IntN(12) {
		if err != nil || !pause(ctx, time.Duration(20+rng.IntN(800))*time.Millisecond) {
			return
		}
		kind, do := p.gesture(conn, rng)
		if o, _ := s.command(life, kind, do); o != done && o != refused {
			return
		}
	}
}

// gesture returns something that a person does with a phone.
func (p *place) gesture(conn *hapclient.Conn, rng *rand.Rand) (kind string, do func() error) {
	switch n := rng.IntN(20); {
	case n < 10:
		return "hap read", func() error { return conn.Read(p.iids.active, p.iids.activeID, p.iids.name) }
	case n < 13:
		return "hap accessories", func() error { _, err := conn.Services(); return err }
	case n < 17:
		arrow := 4 + rng.IntN(2) // up, down
		return "hap key", func() error { return conn.Write(p.iids.key, arrow) }
	case n < 19:
		return "hap power", func() error { return conn.Write(p.iids.active, n-17) }
	}
	title := 3 + rng.IntN(len(titles))
	return "hap title", func() error { return conn.Write(p.iids.activeID, title) }
}

// accessory is an entry of GET /homekit.
type accessory struct {
	HostID      string `json:"host_id"`
	Name        string
	Port        int
	SetupCode   string `json:"setup_code"`
	Controllers []struct{ ID string }
}

// observe reads what facts are about.
func (s *soak) observe(ctx context.Context, p *place) (map[string]string, error) {
	now := map[string]string{}
	var list []accessory
	if err := s.api(ctx, http.MethodGet, "homekit", nil, &list); err != nil {
		return nil, err
	}
	for _, a := range list {
		if a.HostID == p.hostID {
			now["name"] = a.Name
			for _, c := range a.Controllers {
				now["pairing "+c.ID] = "yes"
			}
		}
	}
	var inputs []struct {
		ID, Name string
		Hidden   bool
	}
	if err := s.api(ctx, http.MethodGet, "consoles/"+p.hostID+"/titles", nil, &inputs); err != nil {
		return nil, err
	}
	var order []string
	for _, in := range inputs {
		now["input "+in.ID], now["hidden "+in.ID] = in.Name, fmt.Sprint(in.Hidden)
		if _, title := p.iids.inputs[in.ID]; title {
			order = append(order, in.ID)
		}
	}
	now["order"] = strings.Join(order, " ")
	return now, nil
}

// edit is a change that must last.
type edit struct {
	kind, key, value string
	do               func(conn *hapclient.Conn) error
}

// editor renames, hides and orders things, and pairs and unpairs guests.
func (s *soak) editor(ctx context.Context, p *place) {
	rng := random(s.seed, "editor"+p.name)
	for n := 1; s.server.await(ctx); n++ {
		_, _ = s.change(p, func() edit { return s.nextEdit(p, rng, n) })
		pause(ctx, time.Duration(100+rng.IntN(900))*time.Millisecond)
	}
}

// change makes an edit and records the fact that results.
func (s *soak) change(p *place, next func() edit) (outcome, error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	p.editing.Lock()
	defer p.editing.Unlock()
	e := next()
	o, err := s.issue(e.kind, func() error {
		conn, err := p.connect(0)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		return e.do(conn)
	})
	pairing := strings.HasPrefix(e.key, "pairing")
	switch {
	case o == done && (pairing || !s.full.Load()): // while the disk is full, names are written later
		p.facts.set(e.key, e.value)
	case o == refused && pairing: // nothing has changed
	default:
		p.facts.doubt(e.key, e.value)
	}
	return o, err
}

// nextEdit returns a random edit. Names do not end in a number, since the server
// ignores names like those that iOS makes up (docs/homekit.md §4).
func (s *soak) nextEdit(p *place, rng *rand.Rand, n int) edit {
	title := titles[rng.IntN(len(titles))].ID
	write := func(iid int, value any) func(*hapclient.Conn) error {
		return func(conn *hapclient.Conn) error { return conn.Write(iid, value) }
	}
	switch rng.IntN(6) {
	case 0:
		name := fmt.Sprintf("%s no %d", p.name, n)
		return edit{"edit name", "name", name, write(p.iids.name, name)}
	case 1:
		name := fmt.Sprintf("No %d title", n)
		return edit{"edit input", "input " + title, name, write(p.iids.inputs[title].name, name)}
	case 2:
		return s.rename(p, title, fmt.Sprintf("Nr %d title", n))
	case 3:
		hidden := rng.IntN(2)
		return edit{"edit visibility", "hidden " + title, fmt.Sprint(hidden == 1), write(p.iids.inputs[title].target, hidden)}
	case 4:
		order, value := p.shuffled(rng)
		return edit{"edit order", "order", order, write(p.iids.order, value)}
	}
	return p.guest(rng)
}

// rename renames an input through the socket.
func (s *soak) rename(p *place, title, name string) edit {
	return edit{"edit input by socket", "input " + title, name, func(*hapclient.Conn) error {
		return s.api(context.Background(), http.MethodPatch, "consoles/"+p.hostID+"/titles/"+title, object{"name": name}, nil)
	}}
}

// shuffled returns an order of the titles, as a fact and as a DisplayOrder
// (docs/homekit.md §3).
func (p *place) shuffled(rng *rand.Rand) (order, value string) {
	ids := slices.Sorted(maps.Keys(p.iids.inputs))
	rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, 0, 0)
		}
		b = binary.LittleEndian.AppendUint32(append(b, 1, 4), uint32(p.iids.inputs[id].identifier)) //nolint:gosec // 3 to 6
	}
	return strings.Join(ids, " "), base64.StdEncoding.EncodeToString(b)
}

// guest adds a controller, or removes it if it is paired.
func (p *place) guest(rng *rand.Rand) edit {
	id := fmt.Sprintf("guest%d-%s", rng.IntN(6), p.hostID)
	if p.facts["pairing "+id].value == "yes" {
		return edit{"unpair guest", "pairing " + id, "", func(conn *hapclient.Conn) error { return p.phones[0].Remove(conn, id) }}
	}
	return edit{"pair guest", "pairing " + id, "yes", func(conn *hapclient.Conn) error { return p.phones[0].Add(conn, hapclient.New(id)) }}
}

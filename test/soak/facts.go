package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	web "github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/test/hapclient"
)

// facts is what was confirmed of a console's names, order and pairings, by what it is
// about. What was asked for and neither confirmed nor denied may be so or not.
type facts map[string]fact

type fact struct {
	value string
	maybe []string
}

func (f facts) set(key, value string) { f[key] = fact{value: value} }

func (f facts) doubt(key, value string) {
	was := f[key]
	f[key] = fact{was.value, append(was.maybe, value)}
}

// compare returns what is not as confirmed; what was in doubt is then taken as it is.
func (f facts) compare(now map[string]string) (wrong []string) {
	for _, key := range slices.Sorted(maps.Keys(f)) {
		is := now[key]
		if is != f[key].value && !slices.Contains(f[key].maybe, is) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, and %q was confirmed", key, is, f[key].value))
		}
		f.set(key, is)
	}
	return wrong
}

// observe reads what facts are about.
func (s *soak) observe(ctx context.Context, p *place) (map[string]string, error) {
	now := map[string]string{}
	err := s.bySocket(ctx, func(ctx context.Context, api *web.Client) error {
		list, err := api.Homekit(ctx)
		if err != nil {
			return fmt.Errorf("homekit list: %w", err)
		}
		for _, a := range list {
			if a.HostID != p.hostID {
				continue
			}
			now["name"] = a.Name
			for _, c := range a.Controllers {
				now["pairing "+c.ID] = "yes"
			}
		}
		inputs, err := api.Titles(ctx, p.hostID)
		var order []string
		for _, in := range inputs {
			now["input "+in.ID], now["hidden "+in.ID] = in.Name, fmt.Sprint(in.Hidden)
			if _, one := p.iids.inputs[in.ID]; one {
				order = append(order, in.ID)
			}
		}
		now["order"] = strings.Join(order, " ")
		return err
	})
	return now, err
}

// edit is a change that has to last.
type edit struct {
	kind, key, value string
	do               func(ctx context.Context, conn *hapclient.Conn) error
}

// editor is the person of the house who names and orders things.
func (s *soak) editor(ctx context.Context, p *place) {
	rng := random(s.seed, "editor"+p.name)
	begun := context.WithoutCancel(ctx) // the end of the soak does not end an edit
	for n := 1; s.server.await(ctx); n++ {
		_, _ = s.change(begun, p, s.nextEdit(p, rng, n))
		pause(ctx, time.Duration(100+rng.IntN(900))*time.Millisecond)
	}
}

// change carries out an edit and keeps what came of it.
func (s *soak) change(ctx context.Context, p *place, e edit) (outcome, error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	p.editing.Lock()
	defer p.editing.Unlock()
	o, err := s.issue(e.kind, func() error {
		conn, err := p.connect(p.phones[0])
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		return e.do(ctx, conn)
	})
	pairing := strings.HasPrefix(e.key, "pairing")
	switch {
	case o == done && (pairing || !s.full.Load()): // a name stands on a full disk, and is written when there is room
		p.facts.set(e.key, e.value)
	case o == refused && pairing: // nothing has changed
	default:
		p.facts.doubt(e.key, e.value)
	}
	return o, err
}

func (s *soak) nextEdit(p *place, rng *rand.Rand, n int) edit {
	title := titles[rng.IntN(len(titles))].ID
	in := p.iids.inputs[title]
	write := func(iid int, value any) func(context.Context, *hapclient.Conn) error {
		return func(_ context.Context, conn *hapclient.Conn) error {
			return put(conn, characteristic{AID: 1, IID: iid, Value: value})
		}
	}
	switch rng.IntN(6) {
	case 0:
		name := fmt.Sprintf("%s no %d", p.name, n)
		return edit{"edit name", "name", name, write(p.iids.name, name)}
	case 1:
		name := fmt.Sprintf("Title no %d", n)
		return edit{"edit input", "input " + title, name, write(in.name, name)}
	case 2:
		return s.renameBySocket(p, title, fmt.Sprintf("Title nr %d", n))
	case 3:
		hidden := rng.IntN(2)
		return edit{"edit visibility", "hidden " + title, fmt.Sprint(hidden == 1), write(in.target, hidden)}
	case 4:
		order, value := p.shuffled(rng)
		return edit{"edit order", "order", order, write(p.iids.order, value)}
	}
	return p.guest(rng)
}

func (s *soak) renameBySocket(p *place, title, name string) edit {
	return edit{"edit input by socket", "input " + title, name, func(ctx context.Context, _ *hapclient.Conn) error {
		return s.bySocket(ctx, func(ctx context.Context, api *web.Client) error { return api.RenameTitle(ctx, p.hostID, title, name) })
	}}
}

// shuffled is an order of the titles, as facts and as DisplayOrder have it (docs/homekit.md §3).
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

// guest adds a controller, or removes it if it is there.
func (p *place) guest(rng *rand.Rand) edit {
	id := fmt.Sprintf("guest%d-%s", rng.IntN(6), p.hostID)
	if p.facts["pairing "+id].value == "yes" {
		return edit{"unpair guest", "pairing " + id, "", func(_ context.Context, conn *hapclient.Conn) error { return p.phones[0].Remove(conn, id) }}
	}
	return edit{"pair guest", "pairing " + id, "yes", func(_ context.Context, conn *hapclient.Conn) error {
		return p.phones[0].Add(conn, hapclient.New(id))
	}}
}

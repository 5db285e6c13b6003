package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/test/hapclient"
)

// ids are the instance ids that the work is done with.
type ids struct{ active, identifier, remoteKey, inputName uint64 }

// read is the path of what Home asks of a television again and again.
func (i ids) read() string {
	return fmt.Sprintf("/characteristics?id=1.%d,1.%d", i.active, i.identifier)
}

// Types of docs/homekit.md §2.
const (
	television, inputSource    = "D8", "D9"
	active, activeIdentifier   = "B0", "E7"
	configuredName, remoteKeys = "E3", "E1"
)

// readIDs finds them in /accessories, and that there are as many inputs as planned.
func readIDs(c *hapclient.Conn) (found ids, err error) {
	a, err := c.Get("/accessories")
	if err != nil || a.Status != http.StatusOK {
		return found, fmt.Errorf("/accessories: status %d, %w", a.Status, err)
	}
	var list struct {
		Accessories []struct {
			Services []struct {
				Type            string
				Characteristics []struct {
					Type string
					IID  uint64
				}
			}
		}
	}
	if err := json.Unmarshal(a.Body, &list); err != nil || len(list.Accessories) != 1 {
		return found, fmt.Errorf("/accessories: %d accessories, %w", len(list.Accessories), err)
	}
	count := 0
	for _, s := range list.Accessories[0].Services {
		service := short(s.Type)
		if service == inputSource {
			count++
		}
		for _, c := range s.Characteristics {
			switch [2]string{service, short(c.Type)} {
			case [2]string{television, active}:
				found.active = c.IID
			case [2]string{television, activeIdentifier}:
				found.identifier = c.IID
			case [2]string{television, remoteKeys}:
				found.remoteKey = c.IID
			case [2]string{inputSource, configuredName}:
				found.inputName = c.IID // the last one: of a title
			}
		}
	}
	if count != inputs || found.active*found.identifier*found.remoteKey*found.inputName == 0 {
		return found, fmt.Errorf("/accessories: %d inputs, %+v", count, found)
	}
	return found, nil
}

// short is a type without HAP's base UUID and leading zeros.
func short(uuid string) string {
	return strings.TrimLeft(strings.TrimSuffix(strings.ToUpper(uuid), "-0000-1000-8000-0026BB765291"), "0")
}

func get(c *hapclient.Conn, path string) error {
	a, err := c.Get(path)
	if err == nil && (a.Status != http.StatusOK || len(a.Body) == 0) {
		err = fmt.Errorf("GET %s: status %d: %s", path, a.Status, a.Body)
	}
	return err
}

func put(c *hapclient.Conn, iid uint64, key string, value any) error {
	type item map[string]any
	a, err := c.Put("/characteristics", map[string][]item{"characteristics": {{"aid": 1, "iid": iid, key: value}}})
	if err == nil && a.Status != http.StatusNoContent {
		err = fmt.Errorf("PUT 1.%d, %s %v: status %d: %s", iid, key, value, a.Status, a.Body)
	}
	return err
}

// Values of RemoteKey.
const (
	keyRewind = 0 // does nothing on a PS4: the work is HAP's alone
	keyUp     = 4
)

func (b *bench) requestsOf(ctx context.Context, h *home, f *figures) error {
	c, err := h.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	for _, work := range []struct {
		into  *series
		times int
		do    func(int) error
	}{
		{&f.verify, b.requests / 10, func(int) error { return h.connectOnce(ctx) }},
		{&f.accessories, b.requests, func(int) error { return get(c, "/accessories") }},
		{&f.reads, b.requests, func(int) error { return get(c, h.ids.read()) }},
		{&f.writes, b.requests, func(int) error { return put(c, h.ids.remoteKey, "value", keyRewind) }},
	} {
		if *work.into, err = repeat(max(1, work.times), work.do); err != nil {
			return err
		}
	}
	f.renames, f.events, err = b.renamesOf(ctx, h, c)
	return err
}

func (h *home) connectOnce(ctx context.Context) error {
	c, err := h.connect(ctx)
	if err != nil {
		return err
	}
	return c.Close()
}

// renamesOf has one controller rename an input and another one wait for the event.
func (b *bench) renamesOf(ctx context.Context, h *home, writer *hapclient.Conn) (writes, events series, err error) {
	other, err := h.subscribed(ctx, h.ids.inputName)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = other.Close() }()
	for i := range b.renames {
		name := "Name " + strconv.Itoa(i)
		start := time.Now()
		if err := put(writer, h.ids.inputName, "value", name); err != nil {
			return nil, nil, err
		}
		writes = append(writes, time.Since(start))
		if err := awaitEvent(other, name, eventLimit); err != nil {
			return nil, nil, err
		}
		events = append(events, time.Since(start))
	}
	return writes, events, nil
}

// subscribed opens a connection that gets the events of a characteristic.
func (h *home) subscribed(ctx context.Context, iid uint64) (*hapclient.Conn, error) {
	c, err := h.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := put(c, iid, "ev", true); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

const eventLimit = 5 * time.Second

// awaitEvent reads events until one has the value.
func awaitEvent(c *hapclient.Conn, value any, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; {
		body, err := c.Await(time.Until(deadline))
		if err != nil {
			return fmt.Errorf("no event with %v: %w", value, err)
		}
		var event struct{ Characteristics []struct{ Value any } }
		if err := json.Unmarshal(body, &event); err != nil {
			return err
		}
		for _, ch := range event.Characteristics {
			if fmt.Sprint(ch.Value) == fmt.Sprint(value) {
				return nil
			}
		}
	}
}

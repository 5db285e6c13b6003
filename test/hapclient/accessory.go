package hapclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Types of services and characteristics, as docs/homekit.md §2 lists them.
const (
	Television       = "D8"
	Active           = "B0"
	ActiveIdentifier = "E7"
	RemoteKey        = "E1"
	DisplayOrder     = "136"
	ConfiguredName   = "E3"

	InputSource           = "D9"
	Identifier            = "E6"
	TargetVisibilityState = "134"
)

// Characteristic is a characteristic in /accessories, in an event or in a
// write.
type Characteristic struct {
	AID   int    `json:"aid,omitempty"`
	IID   int    `json:"iid"`
	Type  string `json:"type,omitempty"`
	Value any    `json:"value,omitempty"`
	Event *bool  `json:"ev,omitempty"`
}

// Service is a service in /accessories.
type Service struct {
	Type            string
	Characteristics []Characteristic
}

// Find returns the characteristic of a type, zero if there is none.
func (s Service) Find(kind string) Characteristic {
	for _, c := range s.Characteristics {
		if c.Type == kind {
			return c
		}
	}
	return Characteristic{}
}

// StatusError is the answer of an accessory that refuses a request.
type StatusError struct{ Answer }

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Body) }

// Connect opens a verified connection.
func (c *Controller) Connect(ctx context.Context, address string, a Accessory) (*Conn, error) {
	conn, err := Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := c.Verify(conn, a); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// Services reads the services of the only accessory, with short types.
func (c *Conn) Services() ([]Service, error) {
	body, err := c.read("/accessories")
	if err != nil {
		return nil, err
	}
	var list struct {
		Accessories []struct{ Services []Service }
	}
	if err := json.Unmarshal(body, &list); err != nil || len(list.Accessories) != 1 {
		return nil, fmt.Errorf("/accessories: %d accessories instead of 1: %w", len(list.Accessories), err)
	}
	services := list.Accessories[0].Services
	for i := range services {
		services[i].Type = short(services[i].Type)
		for k := range services[i].Characteristics {
			services[i].Characteristics[k].Type = short(services[i].Characteristics[k].Type)
		}
	}
	return services, nil
}

// short returns a type without HAP's base UUID and leading zeros.
func short(uuid string) string {
	return strings.TrimLeft(strings.TrimSuffix(strings.ToUpper(uuid), "-0000-1000-8000-0026BB765291"), "0")
}

// Read reads characteristics of accessory 1. Refusals are StatusErrors.
func (c *Conn) Read(iids ...int) error {
	var ids []string
	for _, iid := range iids {
		ids = append(ids, fmt.Sprintf("1.%d", iid))
	}
	_, err := c.read("/characteristics?id=" + strings.Join(ids, ","))
	return err
}

func (c *Conn) read(path string) ([]byte, error) {
	a, err := c.Get(path)
	if err == nil && (a.Status != http.StatusOK || len(a.Body) == 0) {
		err = &StatusError{a}
	}
	return a.Body, err
}

// Write writes a characteristic of accessory 1. Refusals are StatusErrors.
func (c *Conn) Write(iid int, value any) error {
	return c.write(Characteristic{AID: 1, IID: iid, Value: value})
}

// Subscribe asks for the events of characteristics of accessory 1.
func (c *Conn) Subscribe(iids ...int) error {
	yes := true
	var list []Characteristic
	for _, iid := range iids {
		list = append(list, Characteristic{AID: 1, IID: iid, Event: &yes})
	}
	return c.write(list...)
}

func (c *Conn) write(list ...Characteristic) error {
	a, err := c.Put("/characteristics", map[string]any{"characteristics": list})
	if err == nil && a.Status != http.StatusNoContent {
		err = &StatusError{a}
	}
	return err
}

// AwaitValue reads events until a characteristic has a value.
func (c *Conn) AwaitValue(iid int, value any, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; {
		body, err := c.Await(time.Until(deadline))
		if err != nil {
			return fmt.Errorf("waiting until 1.%d is %v: %w", iid, value, err)
		}
		var event struct{ Characteristics []Characteristic }
		if err := json.Unmarshal(body, &event); err != nil {
			return fmt.Errorf("an event: %w", err)
		}
		for _, ch := range event.Characteristics {
			if ch.IID == iid && fmt.Sprint(ch.Value) == fmt.Sprint(value) {
				return nil
			}
		}
	}
}

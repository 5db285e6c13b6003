package hapserver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"
	"github.com/brutella/hap/service"
)

// maxServices is the limit of HAP for an accessory (docs/homekit.md §4).
const maxServices = 100

// database describes the accessories as controllers see them. Everything but
// the values is copied from hap's model once.
type database struct {
	accessories []accessoryJSON
	byID        map[cellID]*cell
	byC         map[*characteristic.C]*cell
}

// cellID names a characteristic in a request.
type cellID struct{ aid, iid uint64 }

// cell is a characteristic and its place.
type cell struct {
	id   cellID
	c    *characteristic.C
	meta metaJSON
}

type accessoryJSON struct {
	ID       uint64        `json:"aid"`
	Services []serviceJSON `json:"services"`
}

type serviceJSON struct {
	ID              uint64     `json:"iid"`
	Type            string     `json:"type"`
	Characteristics []cellJSON `json:"characteristics"`
	Hidden          bool       `json:"hidden,omitempty"`
	Primary         bool       `json:"primary,omitempty"`
	Linked          []uint64   `json:"linked,omitempty"`
}

type cellJSON struct {
	ID          uint64   `json:"iid"`
	Type        string   `json:"type"`
	Permissions []string `json:"perms"`
	*metaJSON
	Description string          `json:"description,omitempty"`
	ValidValues []int           `json:"valid-values,omitempty"`
	ValidRange  []int           `json:"valid-values-range,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	cell        *cell
}

// metaJSON is the answer to meta=1.
type metaJSON struct {
	Format string `json:"format,omitempty"`
	Unit   string `json:"unit,omitempty"`
	Max    any    `json:"maxValue,omitempty"`
	Min    any    `json:"minValue,omitempty"`
	Step   any    `json:"minStep,omitempty"`
	MaxLen int    `json:"maxLen,omitempty"`
}

func newDatabase(as []*accessory.A) (*database, error) {
	if len(as) == 0 || as[0].Id != 1 {
		return nil, errors.New("the first accessory must have id 1")
	}
	db := &database{byID: map[cellID]*cell{}, byC: map[*characteristic.C]*cell{}}
	seen := map[uint64]bool{}
	for _, a := range as {
		if a.Id == 0 || seen[a.Id] {
			return nil, fmt.Errorf("accessory id %d is 0 or not unique", a.Id)
		}
		seen[a.Id] = true
		if err := db.addAccessory(a); err != nil {
			return nil, fmt.Errorf("accessory %d: %w", a.Id, err)
		}
	}
	return db, nil
}

func (db *database) addAccessory(a *accessory.A) error {
	if len(a.Ss) == 0 || len(a.Ss) > maxServices {
		return fmt.Errorf("%d services, not 1 to %d", len(a.Ss), maxServices)
	}
	ids := map[uint64]bool{}
	out := accessoryJSON{ID: a.Id, Services: make([]serviceJSON, 0, len(a.Ss))}
	for _, s := range a.Ss {
		js, err := db.addService(a.Id, s, ids)
		if err != nil {
			return err
		}
		out.Services = append(out.Services, js)
	}
	for _, s := range out.Services {
		for _, linked := range s.Linked {
			if !slices.ContainsFunc(out.Services, func(o serviceJSON) bool { return o.ID == linked }) {
				return fmt.Errorf("service %d links to %d, which does not exist", s.ID, linked)
			}
		}
	}
	db.accessories = append(db.accessories, out)
	return nil
}

func (db *database) addService(aid uint64, s *service.S, ids map[uint64]bool) (serviceJSON, error) {
	out := serviceJSON{ID: s.Id, Type: s.Type, Hidden: s.Hidden, Primary: s.Primary, Characteristics: make([]cellJSON, 0, len(s.Cs))}
	if err := takeID(ids, s.Id); err != nil {
		return out, err
	}
	for _, linked := range s.Linked {
		out.Linked = append(out.Linked, linked.Id)
	}
	for _, c := range s.Cs {
		if err := takeID(ids, c.Id); err != nil {
			return out, err
		}
		js, err := db.addCell(cellID{aid, c.Id}, c)
		if err != nil {
			return out, fmt.Errorf("characteristic %d: %w", c.Id, err)
		}
		out.Characteristics = append(out.Characteristics, js)
	}
	return out, nil
}

func takeID(ids map[uint64]bool, id uint64) error {
	if id == 0 || ids[id] {
		return fmt.Errorf("instance id %d is 0 or not unique", id)
	}
	ids[id] = true
	return nil
}

func (db *database) addCell(id cellID, c *characteristic.C) (cellJSON, error) {
	if kindOf(c.Format) == kindUnknown {
		return cellJSON{}, fmt.Errorf("unknown format %q", c.Format)
	}
	if db.byC[c] != nil {
		return cellJSON{}, errors.New("not unique")
	}
	ce := &cell{id: id, c: c, meta: metaJSON{
		Format: c.Format, Unit: c.Unit, Max: c.MaxVal, Min: c.MinVal, Step: c.StepVal, MaxLen: c.MaxLen,
	}}
	db.byID[id], db.byC[c] = ce, ce
	return cellJSON{
		ID: c.Id, Type: c.Type, Permissions: c.Permissions, metaJSON: &ce.meta, Description: c.Description,
		ValidValues: c.ValidVals, ValidRange: c.ValidRange, cell: ce,
	}, nil
}

// structure returns a hash of everything but the values. When it changes, c#
// goes up.
func (db *database) structure() (string, error) {
	b, err := json.Marshal(db.accessories)
	if err != nil {
		return "", fmt.Errorf("encode the accessories: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// withValues returns the accessories with a value for each characteristic.
func (db *database) withValues(value func(*cell) json.RawMessage) []accessoryJSON {
	out := slices.Clone(db.accessories)
	for i := range out {
		out[i].Services = slices.Clone(out[i].Services)
		for j := range out[i].Services {
			cs := slices.Clone(out[i].Services[j].Characteristics)
			for k := range cs {
				cs[k].Value = value(cs[k].cell)
			}
			out[i].Services[j].Characteristics = cs
		}
	}
	return out
}

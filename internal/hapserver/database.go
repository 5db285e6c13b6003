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
)

// maxServices is the limit of HAP for an accessory (docs/homekit.md §4).
const maxServices = 100

// database describes the accessories as controllers see them. Everything but
// the values is copied from hap's model once.
type database struct {
	accessories []accessoryJSON
	byID        map[cellID]*cell
	byC         map[*characteristic.C]*cell
	structure   string // hash of everything but the values; when it changes, c# goes up
}

// accessoriesJSON answers GET /accessories.
type accessoriesJSON struct {
	Accessories []accessoryJSON `json:"accessories"`
}

type accessoryJSON struct {
	ID       uint64        `json:"aid"`
	Services []serviceJSON `json:"services"`
}

type serviceJSON struct {
	ID              uint64   `json:"iid"`
	Type            string   `json:"type"`
	Characteristics []*cell  `json:"characteristics"`
	Hidden          bool     `json:"hidden,omitempty"`
	Primary         bool     `json:"primary,omitempty"`
	Linked          []uint64 `json:"linked,omitempty"`
}

// cell is a characteristic and its place.
type cell struct {
	id cellID
	c  *characteristic.C

	ID          uint64   `json:"iid"`
	Type        string   `json:"type"`
	Permissions []string `json:"perms"`
	metaJSON
	Description string `json:"description,omitempty"`
	ValidValues []int  `json:"valid-values,omitempty"`
	ValidRange  []int  `json:"valid-values-range,omitempty"`
	Value       any    `json:"value,omitempty"` // a liveValue; nil if it can't be read
}

// cellID names a characteristic in a request.
type cellID struct{ aid, iid uint64 }

// metaJSON is the answer to meta=1.
type metaJSON struct {
	Format string `json:"format,omitempty"`
	Unit   string `json:"unit,omitempty"`
	Max    any    `json:"maxValue,omitempty"`
	Min    any    `json:"minValue,omitempty"`
	Step   any    `json:"minStep,omitempty"`
	MaxLen int    `json:"maxLen,omitempty"`
}

// liveValue is encoded as the value that a characteristic has at that time.
type liveValue struct{ c *characteristic.C }

// MarshalJSON implements json.Marshaler.
func (v liveValue) MarshalJSON() ([]byte, error) { return json.Marshal(v.c.Value()) }

func newDatabase(as []*accessory.A) (*database, error) {
	if len(as) == 0 || as[0].Id != 1 {
		return nil, errors.New("the first accessory must have id 1")
	}
	db := &database{byID: map[cellID]*cell{}, byC: map[*characteristic.C]*cell{}}
	for _, a := range as {
		if a.Id == 0 || slices.ContainsFunc(db.accessories, func(o accessoryJSON) bool { return o.ID == a.Id }) {
			return nil, fmt.Errorf("accessory id %d is 0 or not unique", a.Id)
		}
		if err := db.add(a); err != nil {
			return nil, fmt.Errorf("accessory %d: %w", a.Id, err)
		}
	}
	b, err := json.Marshal(db.accessories)
	if err != nil {
		return nil, fmt.Errorf("encode the accessories: %w", err)
	}
	sum := sha256.Sum256(b)
	db.structure = hex.EncodeToString(sum[:])
	for _, ce := range db.byC {
		if ce.c.IsReadable() {
			ce.Value = liveValue{ce.c}
		}
	}
	return db, nil
}

func (db *database) add(a *accessory.A) error {
	if len(a.Ss) == 0 || len(a.Ss) > maxServices {
		return fmt.Errorf("%d services, not 1 to %d", len(a.Ss), maxServices)
	}
	out := accessoryJSON{ID: a.Id}
	taken := map[uint64]bool{0: true}
	for _, s := range a.Ss {
		if taken[s.Id] {
			return fmt.Errorf("instance id %d is 0 or not unique", s.Id)
		}
		taken[s.Id] = true
		js := serviceJSON{ID: s.Id, Type: s.Type, Hidden: s.Hidden, Primary: s.Primary, Characteristics: []*cell{}}
		for _, linked := range s.Linked {
			if !slices.Contains(a.Ss, linked) {
				return fmt.Errorf("service %d links to %d, which does not exist", s.Id, linked.Id)
			}
			js.Linked = append(js.Linked, linked.Id)
		}
		for _, c := range s.Cs {
			if taken[c.Id] {
				return fmt.Errorf("instance id %d is 0 or not unique", c.Id)
			}
			taken[c.Id] = true
			ce, err := db.addCell(cellID{a.Id, c.Id}, c)
			if err != nil {
				return fmt.Errorf("characteristic %d: %w", c.Id, err)
			}
			js.Characteristics = append(js.Characteristics, ce)
		}
		out.Services = append(out.Services, js)
	}
	db.accessories = append(db.accessories, out)
	return nil
}

func (db *database) addCell(id cellID, c *characteristic.C) (*cell, error) {
	switch c.Format {
	case characteristic.FormatBool, characteristic.FormatString, characteristic.FormatTLV8, characteristic.FormatUInt8,
		characteristic.FormatUInt16, characteristic.FormatUInt32, characteristic.FormatInt32:
	default:
		return nil, fmt.Errorf("unsupported format %q", c.Format)
	}
	switch {
	case c.ValueRequestFunc != nil:
		return nil, errors.New("has a ValueRequestFunc, but reads are answered from memory")
	case db.byC[c] != nil:
		return nil, errors.New("not unique")
	}
	ce := &cell{
		id: id, c: c, ID: c.Id, Type: c.Type, Permissions: c.Permissions, Description: c.Description,
		ValidValues: c.ValidVals, ValidRange: c.ValidRange,
		metaJSON: metaJSON{Format: c.Format, Unit: c.Unit, Max: c.MaxVal, Min: c.MinVal, Step: c.StepVal, MaxLen: c.MaxLen},
	}
	db.byID[id], db.byC[c] = ce, ce
	return ce, nil
}

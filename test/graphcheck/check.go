// Package graphcheck checks the answer to GET /accessories against
// docs/homekit.md §2 to §4, as a controller reads it.
//
// It shares no code with package accessory, so that it finds mistakes made
// there. A test breaks every rule.
package graphcheck

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxServices = 100 // of one accessory
	maxText     = 64  // bytes
	maxBridge   = 150 // accessories of one server
)

// accessories checks the accessories of one server: a single television, or a
// bridge and the accessories behind it.
func (c *checker) accessories(list []accessory) {
	c.want(len(list) <= maxBridge, "§1 companion bridge", "", "%d accessories, at most %d are possible", len(list), maxBridge)
	ids := map[uint64]bool{}
	for i := range list {
		a := &list[i]
		c.want(a.ID != 0 && !ids[a.ID], "§1 topology", "", "accessory id %d is 0 or used twice", a.ID)
		ids[a.ID] = true
		c.accessory(a)
		switch tvs := a.all(television); {
		case len(list) == 1 && len(tvs) > 0:
			c.television(a)
		case len(tvs) > 0:
			c.add("§1 topology", at(a.ID, tvs[0].ID), "a television must not be behind a bridge")
		case a.ID == 1:
			c.want(len(a.all(protocol)) == 1, "§2 ProtocolInformation", at(a.ID, 0), "the bridge has none")
		default:
			n := len(a.all(occupancy)) + len(a.all(control))
			c.want(n == 1 && len(a.Services) == 2, "§1 companion bridge", at(a.ID, 0), "it is not one sensor or one switch")
		}
	}
	c.want(ids[1], "§1 topology", "", "no accessory has id 1")
}

// accessory checks the rules that apply to every accessory.
func (c *checker) accessory(a *accessory) {
	first := len(a.Services) > 0 && short(a.Services[0].Type) == information && a.Services[0].ID == 1
	c.want(first && len(a.all(information)) == 1, "§2 AccessoryInformation", at(a.ID, 1), "it must be the first service, with iid 1, and the only one")
	c.want(len(a.Services) <= maxServices, "§4 limits", "", "%d services, at most %d are possible", len(a.Services), maxServices)
	ids := map[uint64]bool{}
	for i := range a.Services {
		s := &a.Services[i]
		c.id(a.ID, s.ID, ids)
		for _, ch := range s.Cs {
			c.id(a.ID, ch.ID, ids)
		}
		c.service(a, s)
	}
	for _, s := range a.all(information) {
		v := s.one(firmware)
		c.want(isFirmware(v.text()), "§2 FirmwareRevision", at(a.ID, v.ID), "%q is not n.n or n.n.n", v.text())
	}
	for _, s := range a.all(protocol) {
		v := s.one(version)
		c.want(v.text() == "1.1.0", "§2 ProtocolInformation", at(a.ID, v.ID), "version %q, not 1.1.0", v.text())
	}
}

func (c *checker) id(aid, iid uint64, seen map[uint64]bool) {
	c.want(iid != 0 && !seen[iid], "§2 instance ids", at(aid, iid), "it is 0 or used twice")
	seen[iid] = true
}

// service checks a service against its rows of the table.
func (c *checker) service(a *accessory, s *service) {
	kind := short(s.Type)
	title, rows := rowsOf(kind)
	if title == "" {
		c.add("§2 services", at(a.ID, s.ID), "a service of type %s has no place here", kind)
		return
	}
	if kind == information && len(a.all(television)) > 0 {
		rows = append(rows, tvInformation())
	}
	for _, want := range rows {
		found := s.all(want.kind)
		c.want(len(found) == 1, "§2 "+title, at(a.ID, s.ID), "it has %d of %s instead of one", len(found), want.name)
		for _, ch := range found {
			c.characteristic(at(a.ID, ch.ID), "§2 "+title+" "+want.name, ch, want)
		}
	}
	for _, ch := range s.Cs {
		known := slices.ContainsFunc(rows, func(r row) bool { return r.kind == short(ch.Type) })
		c.want(known, "§2 "+title, at(a.ID, ch.ID), "characteristic %s has no place here", short(ch.Type))
	}
	c.want(!s.Hidden, "§2 "+title, at(a.ID, s.ID), "it is hidden")
	c.want(s.Primary == (kind == television), "§2 "+title, at(a.ID, s.ID), "primary is %v", s.Primary)
	c.want(len(s.Linked) == 0 || kind == television, "§2 "+title, at(a.ID, s.ID), "it is linked with others")
}

func (c *checker) characteristic(where, rule string, ch *char, want row) {
	c.want(ch.Format == want.format, rule, where, "format %q, not %s", ch.Format, want.format)
	perms := slices.Sorted(slices.Values(ch.Perms))
	c.want(slices.Equal(perms, slices.Sorted(slices.Values(strings.Fields(want.perms)))), rule, where, "permissions %q, not %s", ch.Perms, want.perms)
	if want.top > 0 {
		ranged := ch.Min != nil && ch.Max != nil && *ch.Min == 0 && *ch.Max == float64(want.top)
		c.want(ranged, rule, where, "its range is not 0 to %d", want.top)
	}
	readable := strings.Contains(want.perms, r)
	switch {
	case !readable:
		c.want(ch.Value == nil, rule, where, "it has a value, but cannot be read")
	default:
		c.want(fits(ch, want), rule, where, "value %s does not fit", ch.Value)
	}
}

// fits reports whether the value of a readable characteristic has its format
// and is in its range.
func fits(ch *char, want row) bool {
	switch want.format {
	case "bool":
		return string(ch.Value) == "true" || string(ch.Value) == "false"
	case "string":
		s := ch.text()
		return s != "" && len(s) <= maxText && utf8.ValidString(s)
	case "tlv8":
		var s *string
		return json.Unmarshal(ch.Value, &s) == nil && s != nil
	}
	n := ch.number()
	return n >= 0 && (want.top == 0 || n <= want.top) && (len(ch.Valid) == 0 || slices.Contains(ch.Valid, n))
}

func isFirmware(s string) bool {
	return regexp.MustCompile(`^[0-9]+\.[0-9]+(\.[0-9]+)?$`).MatchString(s)
}

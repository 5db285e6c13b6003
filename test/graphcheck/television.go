package graphcheck

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// Values of an input (docs/homekit.md §2 and §4).
const (
	homeScreen, otherTitle = 1, 2
	maxInputs              = 90

	sourceHome, sourceTitle = 1, 10
	hidden                  = 1
)

// television checks the accessory of a console.
func (c *checker) television(a *accessory) {
	tvs := a.all(television)
	tv := tvs[0]
	c.want(len(tvs) == 1, "§2 Television", at(a.ID, tv.ID), "there are %d of them", len(tvs))
	c.want(a.ID == 1, "§1 topology", at(a.ID, tv.ID), "the television must have aid 1")
	c.want(len(a.all(protocol)) == 1, "§2 ProtocolInformation", at(a.ID, 0), "there must be exactly one")
	inputs := a.all(inputSource)
	c.want(len(inputs) <= maxInputs, "§4 limits", "", "%d inputs, at most %d are possible", len(inputs), maxInputs)
	var linked []uint64
	for _, in := range inputs {
		linked = append(linked, in.ID)
	}
	c.want(slices.Equal(slices.Sorted(slices.Values(tv.Linked)), slices.Sorted(slices.Values(linked))),
		"§2 InputSource", at(a.ID, tv.ID), "the television is linked with %v, the inputs are %v", tv.Linked, linked)
	configured := c.inputs(a, inputs)
	c.chosen(a, tv, inputs)
	c.order(a, tv, configured)
	c.names(a, tv)
}

// inputs checks every input and returns the identifiers of those in use.
func (c *checker) inputs(a *accessory, inputs []*service) []int {
	var configured []int
	seen := map[int]bool{}
	taken := map[string]map[string]bool{configuredName: {}, name: {}}
	for _, in := range inputs {
		where := at(a.ID, in.ID)
		id, used := in.one(identifier).number(), in.one(isConfigured).number() == 1
		c.want(id > 0 && !seen[id], "§2 Identifier", where, "%d is below 1 or used twice", id)
		seen[id] = true
		for kind, names := range taken {
			n := in.one(kind).text()
			c.want(!names[n], "§2 names of inputs", where, "two inputs are named %q", n)
			names[n] = true
		}
		wantType := sourceTitle
		if id == homeScreen {
			wantType = sourceHome
		}
		c.want(in.one(inputType).number() == wantType, "§2 InputSourceType", where, "it is not %d", wantType)
		shows, wanted := in.one(current).number(), in.one(target).number()
		c.want(shows == wanted, "§2 visibility", where, "current is %d, target is %d", shows, wanted)
		if used {
			configured = append(configured, id)
			continue
		}
		c.want(shows == hidden, "§4 slot pool", where, "a free slot is shown")
		c.want(id != homeScreen && id != otherTitle, "§4 slot pool", where, "the fixed input %d is not in use", id)
	}
	alone := len(inputs) == 1 // the console cannot start titles
	c.want(seen[homeScreen] && (alone || seen[otherTitle]), "§4 slot pool", "", "Home Screen or Other is missing")
	return configured
}

// chosen checks that ActiveIdentifier names an input and has the range of all
// identifiers, and that the television is always discoverable.
func (c *checker) chosen(a *accessory, tv *service, inputs []*service) {
	id := tv.one(activeID)
	exists, largest := false, 0
	for _, in := range inputs {
		n := in.one(identifier).number()
		exists, largest = exists || n == id.number(), max(largest, n)
	}
	c.want(exists, "§2 ActiveIdentifier", at(a.ID, id.ID), "%s is no Identifier", id.Value)
	ranged := id.Min != nil && id.Max != nil && *id.Min == 0 && *id.Max == float64(largest)
	c.want(ranged, "§2 ActiveIdentifier", at(a.ID, id.ID), "its range is not 0 to %d", largest)
	sleep := tv.one(sleepDiscovery)
	c.want(sleep.number() == 1, "§2 SleepDiscoveryMode", at(a.ID, sleep.ID), "%s is not 1", sleep.Value)
}

// order checks that DisplayOrder lists every input in use once, and no other.
func (c *checker) order(a *accessory, tv *service, configured []int) {
	o := tv.one(displayOrder)
	listed, ok := decodeOrder(o.text())
	if !ok {
		c.add("§3 DisplayOrder", at(a.ID, o.ID), "it is not a list of 01 04 <identifier>, separated by 00 00")
		return
	}
	slices.Sort(listed)
	slices.Sort(configured)
	c.want(slices.Equal(listed, configured), "§3 DisplayOrder", at(a.ID, o.ID), "it lists %v, but %v are in use", listed, configured)
}

// decodeOrder is written from docs/homekit.md §3 and shares no code with
// accessory.
func decodeOrder(text string) ([]int, bool) {
	const entry, gap = 6, 2
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || (len(b)+gap)%(entry+gap) != 0 {
		return nil, false
	}
	var list []int
	for ; len(b) >= entry; b = b[min(len(b), entry+gap):] {
		if b[0] != 1 || b[1] != 4 || len(b) > entry && (b[entry] != 0 || b[entry+1] != 0) {
			return nil, false
		}
		list = append(list, int(binary.LittleEndian.Uint32(b[2:entry])))
	}
	return list, true
}

// names checks that the accessory and the television have the same name.
func (c *checker) names(a *accessory, tv *service) {
	for _, info := range a.all(information) {
		x, y := info.one(configuredName).text(), tv.one(configuredName).text()
		c.want(x == y, "§4 one stored name", at(a.ID, tv.ID), "the accessory is named %q, the television %q", x, y)
	}
}

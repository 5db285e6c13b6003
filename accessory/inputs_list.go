package accessory

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// names returns the name of every slot. All differ (docs/homekit.md §4): names
// that users chose have priority and change only if two are the same, then come
// the given names of titles, then those of free slots.
func (in *inputs) names() []string {
	names := make([]string, len(in.slots))
	taken := map[string]bool{}
	for i, id := range in.slots {
		if id != "" && in.titles[id].Name != "" {
			names[i] = uniqueName(in.titles[id].Name, maxName, taken)
		}
	}
	for i, id := range in.slots {
		if id != "" && names[i] == "" {
			names[i] = uniqueName(in.givenName(id), maxGivenName, taken)
		}
	}
	for i := range in.slots {
		if names[i] == "" {
			names[i] = uniqueName(fmt.Sprintf("Input %d", i+1), maxGivenName, taken)
		}
	}
	return names
}

// givenName returns the name of a title that no user has renamed: the configured
// one, what the console or the metadata calls it, or its id.
func (in *inputs) givenName(id string) string {
	switch id {
	case homeID:
		return "Home Screen"
	case otherID:
		return "Other"
	}
	if i := in.configured(id); i >= 0 {
		if name := cleanName(in.config[i].Name); name != "" {
			return name
		}
	}
	name := cleanName(in.titles[id].Title)
	if name == "" || name == id || in.preferMetadata { // some consoles call a title by its id
		name = cmp.Or(cleanName(in.metadata(id)), name)
	}
	return cmp.Or(name, id)
}

// sorted returns the ids of all inputs in the order of Home: the order that a
// user chose, then by rank, the most recently played first, then by name.
func (in *inputs) sorted() []string {
	names := in.names()
	var ids []string
	for _, id := range in.slots {
		if id != "" {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		return cmp.Or(
			cmp.Compare(in.position(a), in.position(b)),
			cmp.Compare(in.rank(a), in.rank(b)),
			in.titles[b].LastPlayed.Compare(in.titles[a].LastPlayed),
			strings.Compare(strings.ToLower(names[in.slot(a)-1]), strings.ToLower(names[in.slot(b)-1])),
		)
	})
	return ids
}

// position returns the index of a title in the order that a user chose. Titles
// that are not in it come last.
func (in *inputs) position(id string) int {
	if i := slices.Index(in.order, id); i >= 0 {
		return i
	}
	return len(in.order)
}

// rank orders the titles that a user has not ordered: the home screen, titles
// pinned by the configuration (in its order), titles pinned by a command, all
// others, and last the input "Other".
func (in *inputs) rank(id string) int {
	i := in.configured(id)
	switch {
	case id == homeID:
		return -1
	case i >= 0 && in.config[i].Pin:
		return i
	case id == otherID:
		return len(in.config) + 2
	case in.titles[id].Pinned:
		return len(in.config)
	}
	return len(in.config) + 1
}

// encodeOrder returns the value of DisplayOrder (docs/homekit.md §3):
//
//	01 04 <uint32 little endian>   the identifier of an input
//	00 00                          between two of them
func (in *inputs) encodeOrder() string {
	var b []byte
	for i, id := range in.sorted() {
		if i > 0 {
			b = append(b, 0, 0)
		}
		b = binary.LittleEndian.AppendUint32(append(b, 1, 4), uint32(in.slot(id))) //nolint:gosec // 1 to 90
	}
	return base64.StdEncoding.EncodeToString(b)
}

// decodeOrder returns the ids of the inputs in a DisplayOrder, and false if it
// is malformed, or names an input that does not exist or that it has named
// before. It accepts a separator at the end.
func (in *inputs) decodeOrder(value string) (ids []string, ok bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, false
	}
	for len(b) > 0 {
		if len(b) < 6 || b[0] != 1 || b[1] != 4 {
			return nil, false
		}
		id, _ := in.title(int(binary.LittleEndian.Uint32(b[2:])))
		if id == "" || slices.Contains(ids, id) {
			return nil, false
		}
		ids = append(ids, id)
		if b = b[6:]; len(b) > 0 && !bytes.HasPrefix(b, []byte{0, 0}) {
			return nil, false
		}
		b = bytes.TrimPrefix(b, []byte{0, 0})
	}
	return ids, true
}

package accessory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// names returns the name of every slot, all different (docs/homekit.md §4): first come the names that people wrote, as written
// unless two are the same, then those of titles, then those of free slots.
func (in *inputs) names() []string {
	names := make([]string, len(in.slots))
	taken := map[string]bool{}
	give := func(wanted func(id string) bool, limit int, name func(k int, id string) string) {
		for i, id := range in.slots {
			if names[i] == "" && wanted(id) {
				names[i] = uniqueName(name(i+1, id), limit, taken)
			}
		}
	}
	give(func(id string) bool { return id != "" && in.titles[id].Name != "" }, maxName,
		func(_ int, id string) string { return in.titles[id].Name })
	give(func(id string) bool { return id != "" }, maxGivenName, func(_ int, id string) string { return in.givenName(id) })
	give(func(string) bool { return true }, maxGivenName, func(k int, _ string) string { return fmt.Sprintf("Input %d", k) })
	return names
}

// givenName is the name that a title has unless somebody renames it: the configured one, a better known one, what the console
// calls it, or its id.
func (in *inputs) givenName(id string) string {
	switch id {
	case homeID:
		return "Home Screen"
	case otherID:
		return "Other"
	}
	candidates := []func() string{
		func() string {
			if i := in.configured(id); i >= 0 {
				return in.config[i].Name
			}
			return ""
		},
		func() string {
			if in.nameOf != nil {
				return in.nameOf(id)
			}
			return ""
		},
		func() string { return in.titles[id].Title },
	}
	for _, candidate := range candidates {
		if name := cleanName(candidate()); name != "" {
			return name
		}
	}
	return id
}

// sorted returns the identifiers of all inputs as Home shows them: as somebody ordered them, then by rank, the most recently
// played first, and by name.
func (in *inputs) sorted() []uint32 {
	names := in.names()
	var ids []string
	for _, id := range in.slots {
		if id != "" {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		return cmp.Or(
			cmp.Compare(in.wish(a), in.wish(b)),
			cmp.Compare(in.rank(a), in.rank(b)),
			in.titles[b].LastPlayed.Compare(in.titles[a].LastPlayed),
			strings.Compare(strings.ToLower(names[in.slot(a)-1]), strings.ToLower(names[in.slot(b)-1])),
		)
	})
	order := make([]uint32, len(ids))
	for i, id := range ids {
		order[i] = uint32(in.slot(id)) //nolint:gosec // 1 to 90
	}
	return order
}

// wish is the place of a title in the order that somebody chose; what is not in it comes last.
func (in *inputs) wish(id string) int {
	if i := slices.Index(in.order, id); i >= 0 {
		return i
	}
	return len(in.order)
}

// rank sorts what nobody ordered: the home screen, titles that the configuration pins, in its order, titles that a command pinned,
// the others, and the input of titles that have none.
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

// setOrder takes over an order, if every identifier is an input and there only once. What is missing in it keeps following.
func (in *inputs) setOrder(order []uint32) bool {
	var ids []string
	for _, identifier := range order {
		id, _ := in.title(int(identifier))
		if id == "" || slices.Contains(ids, id) {
			return false
		}
		ids = append(ids, id)
	}
	if !slices.Equal(order, in.sorted()) { // the order that it has by itself may change by itself
		in.order = ids
	}
	return true
}

package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
)

// Buttons lists what a remote key can be given: the buttons of `ps4kit remote`.
func Buttons() []string {
	return []string{"up", "down", "left", "right", "enter", "back", "option", "ps", "ps_hold", "cancel"}
}

// RemoteKeys lists the remote keys of HomeKit by name, in the order of their numbers.
func RemoteKeys() []string { return fieldNames(reflect.TypeFor[rawKeys]()) }

func (c *checker) consoles(list []rawConsole, slots int) []Console {
	var consoles []Console
	hostIDs, addresses := map[string]string{}, map[netip.AddrPort]string{}
	for i, r := range list {
		path := fmt.Sprintf("consoles[%d]", i)
		console := c.console(path, r, slots)
		unique(c, hostIDs, console.HostID, path, "host_id")
		unique(c, addresses, console.Address, path, "address")
		consoles = append(consoles, console)
	}
	return consoles
}

// unique reports a console whose key has the value that another console has. seen holds the consoles by value.
func unique[V comparable](c *checker, seen map[V]string, value V, path, key string) {
	var none V
	if value == none {
		return
	}
	if other, twice := seen[value]; twice {
		c.add(join(path, key), "is that of %s (line %d), too: a console has one entry", other, c.places[other].line)
		return
	}
	seen[value] = path
}

func (c *checker) console(path string, r rawConsole, slots int) Console {
	if r.HostID == "" && r.Address == "" && c.clean(path) {
		c.add(path, "needs a host_id or an address: `ps4kit search` shows both")
	}
	if r.Category == "" {
		r.Category = CategoryTelevision
	}
	return Console{
		HostID:     c.hostID(join(path, "host_id"), r.HostID),
		Address:    c.address(join(path, "address"), r.Address, false),
		Name:       c.name(join(path, "name"), r.Name, maxConsoleName),
		Credential: c.credential(join(path, "credential"), r.Credential),
		Passcode:   c.passcode(join(path, "passcode"), r.Passcode),
		SetupCode:  c.setupCode(join(path, "setup_code"), r.SetupCode),
		Category:   c.oneOf(join(path, "category"), r.Category, CategoryTelevision, CategorySetTopBox, CategoryStick),
		Remote:     c.remote(join(path, "remote"), r.Remote),
		Titles:     c.titles(join(path, "titles"), r.Titles, slots),
		SwitchUser: r.SwitchUser,
	}
}

func (c *checker) titles(path string, list []rawTitle, slots int) []Title {
	if room := slots - fixedInputs; len(list) > room && slots >= minSlots {
		c.add(path, "has %d titles, but there is room for %d: raise homekit.slots (%d at most) or list fewer",
			len(list), room, maxSlots)
	}
	var titles []Title
	seen := map[string]bool{}
	for i, r := range list {
		title := c.title(fmt.Sprintf("%s[%d]", path, i), r)
		if title.ID != "" && seen[title.ID] {
			c.add(fmt.Sprintf("%s[%d].id", path, i), "%s is listed twice: remove one", title.ID)
		}
		seen[title.ID] = true
		titles = append(titles, title)
	}
	return titles
}

func (c *checker) title(path string, r rawTitle) Title {
	if r.ID == "" && c.clean(path) {
		c.add(path, "needs an id, such as CUSA00129: `ps4kit titles` shows those that were seen")
	}
	return Title{
		ID:     c.titleID(join(path, "id"), r.ID),
		Name:   c.name(join(path, "name"), r.Name, maxTitleName),
		Pin:    r.Pin,
		Remote: c.remote(join(path, "remote"), r.Remote),
	}
}

func (c *checker) remote(path string, r rawRemote) Remote {
	return Remote{
		Keys:   c.keys(path, r.rawKeys),
		Double: c.keys(join(path, "double"), r.Double),
	}
}

// keys checks the buttons of one layer. It returns nil when none is given.
func (c *checker) keys(path string, r rawKeys) map[string]string {
	if r == (rawKeys{}) {
		return nil // as in nearly every title: spare reflection the walk
	}
	var keys map[string]string
	for _, l := range leaves(path, reflect.ValueOf(r)) {
		button := l.value.String()
		if button == "" {
			continue
		}
		if !slices.Contains(Buttons(), button) {
			c.add(l.path, "%s is not a button: use one of %s", quote(button), strings.Join(Buttons(), ", "))
			continue
		}
		if keys == nil {
			keys = map[string]string{}
		}
		keys[l.field.name] = button
	}
	return keys
}

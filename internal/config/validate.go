package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
)

const (
	maxHomeKitPort = 32767                  // docs/homekit.md §6
	fixedInputs    = 2                      // "Home Screen" and "Other": docs/homekit.md §4
	minInterval    = 200 * time.Millisecond // at most 5 requests a second to a console: docs/protocol.md §1
)

// validator turns raw values into valid ones. Each method takes the key of a
// value; if the value is invalid, it adds a problem and returns anything.
type validator struct{ *problems }

// validate returns the configuration, or all problems as an *Error.
func validate(r raw, p *problems) (*Config, error) {
	if p.malformed {
		return nil, p.err() // what is missing would only add noise
	}
	v := &validator{p}
	slots := v.integer("homekit.slots", r.HomeKit.Slots, fixedInputs+1, 90)
	c := &Config{
		Consoles: v.consoles(r.Consoles, slots),
		Discovery: Discovery{
			Enabled:    v.boolean("discovery.enabled", r.Discovery.Enabled),
			Interval:   v.duration("discovery.interval", r.Discovery.Interval, minInterval, 24*time.Hour),
			Interfaces: each(v, "discovery.interfaces", r.Discovery.Interfaces, v.networkInterface),
			Broadcast:  each(v, "discovery.broadcast", r.Discovery.Broadcast, v.address),
			LocalPort:  uint16(v.integer("discovery.local_port", r.Discovery.LocalPort, 0, 65535)),
		},
		Poll: Poll{
			Interval: v.duration("poll.interval", r.Poll.Interval, minInterval, time.Hour),
			Misses:   v.integer("poll.misses", r.Poll.Misses, 1, 100),
		},
		Session: Session{
			Idle:     v.duration("session.idle", r.Session.Idle, time.Second, 24*time.Hour),
			KeysIdle: v.duration("session.keys_idle", r.Session.KeysIdle, time.Second, 24*time.Hour),
		},
		HomeKit: HomeKit{
			Interfaces: each(v, "homekit.interfaces", r.HomeKit.Interfaces, v.networkInterface),
			Bind:       v.bind("homekit.bind", r.HomeKit.Bind),
			Port:       uint16(v.integer("homekit.port", r.HomeKit.Port, 0, maxHomeKitPort)),
			Slots:      slots,
		},
		Companion: Companion{
			Enabled:   v.boolean("companion.enabled", r.Companion.Enabled),
			SetupCode: v.setupCode("companion.setup_code", r.Companion.SetupCode),
			Titles:    each(v, "companion.titles", r.Companion.Titles, v.titleID),
		},
		Art: Art{
			Enabled:     v.boolean("art.enabled", r.Art.Enabled),
			Dir:         v.path("art.dir", r.Art.Dir),
			MaxMB:       v.integer("art.max_mb", r.Art.MaxMB, 1, 100_000),
			Country:     v.twoLetters("art.country", r.Art.Country, "us"),
			Language:    v.twoLetters("art.language", r.Art.Language, "en"),
			TMDBURL:     v.baseURL("art.tmdb_url", r.Art.TMDBURL),
			UpdatesURL:  v.baseURL("art.updates_url", r.Art.UpdatesURL),
			PackagesURL: v.baseURL("art.packages_url", r.Art.PackagesURL),
			ListsURL:    v.baseURL("art.lists_url", r.Art.ListsURL),
			StoreURL:    v.baseURL("art.store_url", r.Art.StoreURL),
			ChihiroURL:  v.baseURL("art.chihiro_url", r.Art.ChihiroURL),
			ImagesURL:   v.baseURL("art.images_url", r.Art.ImagesURL),
		},
		Web: Web{
			Listen:         v.listen("web.listen", r.Web.Listen),
			PasswordHash:   v.passwordHash("web.password_hash", r.Web.PasswordHash),
			TLSCert:        v.path("web.tls_cert", r.Web.TLSCert),
			TLSKey:         v.path("web.tls_key", r.Web.TLSKey),
			AllowedHosts:   each(v, "web.allowed_hosts", r.Web.AllowedHosts, v.host),
			TrustedProxies: each(v, "web.trusted_proxies", r.Web.TrustedProxies, v.network),
		},
		Metrics: Metrics{Enabled: v.boolean("metrics.enabled", r.Metrics.Enabled)},
		Log: Log{
			Level:  v.oneOf("log.level", strings.Replace(r.Log.Level, "warning", "warn", 1), "trace", "debug", "info", "warn", "error"),
			Format: v.oneOf("log.format", r.Log.Format, "text", "json"),
		},
		PSN: PSN{
			AuthURL:    v.baseURL("psn.auth_url", r.PSN.AuthURL),
			AccountURL: v.baseURL("psn.account_url", r.PSN.AccountURL),
			TitlesURL:  v.baseURL("psn.titles_url", r.PSN.TitlesURL),
		},
		Updates:    Updates{Check: v.boolean("updates.check", r.Updates.Check), URL: v.url("updates.url", r.Updates.URL)},
		ConsoleKey: v.publicKey("console_key", r.ConsoleKey),
	}
	if last := int(c.HomeKit.Port) + len(c.Consoles) - 1; c.HomeKit.Port > 0 && last > maxHomeKitPort {
		v.add("homekit.port", "is too high: %d consoles would take the ports up to %d, and the last one allowed is %d",
			len(c.Consoles), last, maxHomeKitPort)
	}
	v.keyPair(c.Web)
	c.File, c.written = p.file, func() (raw, map[string]place) { return r, p.places }
	if err := p.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (v *validator) consoles(list []rawConsole, slots int) []Console {
	var consoles []Console
	for i, r := range list {
		key := fmt.Sprintf("consoles[%d]", i)
		if r.HostID == "" && r.Address == "" && !v.unknownKeys {
			v.add(key, "needs a host_id or an address: `ps4kit search` shows both")
		}
		console := Console{
			HostID:     v.hostID(key+".host_id", r.HostID),
			Name:       v.name(key+".name", r.Name, 64),
			Credential: v.credential(key+".credential", r.Credential),
			Passcode:   v.passcode(key+".passcode", r.Passcode),
			SetupCode:  v.setupCode(key+".setup_code", r.SetupCode),
			Category:   v.oneOf(key+".category", cmp.Or(r.Category, CategoryTelevision), CategoryTelevision, CategorySetTopBox, CategoryStick),
			Remote:     v.remote(key+".remote", r.Remote),
			Titles:     v.titles(key+".titles", r.Titles, slots-fixedInputs),
			SwitchUser: v.boolean(key+".switch_user", cmp.Or(r.SwitchUser, "false")),
			Protocol: v.oneOf(key+".protocol", cmp.Or(r.Protocol, ProtocolAuto),
				ProtocolAuto, ProtocolSecondScreen, ProtocolRemotePlay),
		}
		if r.RemotePlayKeys != "" {
			keys := v.boolean(key+".remote_play_keys", r.RemotePlayKeys)
			console.RemotePlayKeys = &keys
		}
		if r.Address != "" {
			console.Address = v.address(key+".address", r.Address)
		}
		if console.Address.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			v.add(key+".address", "is not the address of one console: `ps4kit search` shows it")
		}
		for k, other := range consoles {
			if console.HostID != "" && console.HostID == other.HostID {
				v.add(key+".host_id", "repeats that of consoles[%d]: remove one of them", k)
			}
			if console.Address.IsValid() && console.Address == other.Address {
				v.add(key+".address", "repeats that of consoles[%d]: remove one of them", k)
			}
		}
		consoles = append(consoles, console)
	}
	return consoles
}

func (v *validator) titles(section string, list []rawTitle, room int) []Title {
	if len(list) > room && room > 0 {
		v.add(section, "has %d titles, but there is room for %d: raise homekit.slots or list fewer", len(list), room)
	}
	var titles []Title
	for i, r := range list {
		key := fmt.Sprintf("%s[%d]", section, i)
		if r.ID == "" {
			if !v.unknownKeys {
				v.add(key, "needs an id, such as CUSA00129: `ps4kit titles` shows those seen so far")
			}
			continue
		}
		title := Title{
			ID:     v.titleID(key+".id", r.ID),
			Name:   v.name(key+".name", r.Name, 256),
			Pin:    v.boolean(key+".pin", cmp.Or(r.Pin, "false")),
			Remote: v.remote(key+".remote", r.Remote),
		}
		if title.ID != "" && slices.ContainsFunc(titles, func(t Title) bool { return t.ID == title.ID }) {
			v.add(key+".id", "%s is listed twice: remove one", title.ID)
		}
		titles = append(titles, title)
	}
	return titles
}

// Buttons returns the buttons that a remote key can be mapped to, and none.
func Buttons() []string {
	names := []string{"none"} // the key does nothing
	for _, button := range ps4.Buttons() {
		names = append(names, button.String())
	}
	return names
}

// RemoteKeys returns the keys of HomeKit's RemoteKey characteristic. iOS sends
// the first eight (docs/homekit.md §5), other controllers may send the rest.
func RemoteKeys() []string {
	return []string{
		"up", "down", "left", "right", "select", "back", "play_pause", "information",
		"rewind", "fast_forward", "next_track", "previous_track", "exit",
	}
}

func (v *validator) remote(section string, r rawRemote) Remote {
	return Remote{Keys: v.remoteKeys(section, r.Keys), Double: v.remoteKeys(section+".double", r.Double)}
}

func (v *validator) remoteKeys(section string, written map[string]string) map[string]ps4.Button {
	var buttons map[string]ps4.Button
	for name, button := range written {
		key := section + "." + name
		if !slices.Contains(RemoteKeys(), name) {
			v.unknownKey(v.places[key], section, name)
		} else if button != "" {
			if buttons == nil {
				buttons = map[string]ps4.Button{}
			}
			buttons[name], _ = ps4.ParseButton(v.oneOf(key, button, Buttons()...)) // 0 for none; oneOf reports an error
		}
	}
	return buttons
}

func (v *validator) boolean(key, text string) bool {
	b, err := strconv.ParseBool(strings.TrimSpace(text))
	if err != nil {
		v.add(key, "%s is neither true nor false", quote(text))
	}
	return b
}

// integer returns 0 for an invalid number.
func (v *validator) integer(key, text string, low, high int) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < low || n > high {
		v.add(key, "%s is not a whole number from %d to %d", quote(text), low, high)
		return 0
	}
	return n
}

func (v *validator) duration(key, text string, low, high time.Duration) time.Duration {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	switch {
	case err != nil:
		v.add(key, "%s is not a duration: write a number and a unit, such as 500ms, 30s or 5m", quote(text))
	case d < low || d > high:
		short := strings.NewReplacer("h0m0s", "h", "m0s", "m")
		v.add(key, "%s is out of range: use %s to %s", quote(text), short.Replace(low.String()), short.Replace(high.String()))
	}
	return d
}

func (v *validator) oneOf(key, word string, words ...string) string {
	if !slices.Contains(words, word) {
		v.add(key, "%s is unknown: use one of %s", quote(word), strings.Join(words, ", "))
	}
	return word
}

func (v *validator) name(key, value string, limit int) string {
	name := strings.TrimSpace(text.Visible(value))
	if len(name) > limit || strings.ContainsFunc(name, unicode.IsControl) || value != "" && name == "" {
		v.add(key, "is not a name: write 1 to %d bytes without line breaks", limit)
	}
	return name
}

func (v *validator) hostID(key, text string) string {
	if text != "" && (len(text) != 12 || !isHex(text)) {
		v.add(key, "%s is not a host id: write 12 hexadecimal digits without colons, as `ps4kit search` shows them", quote(text))
	}
	return strings.ToUpper(text)
}

// titleID returns "" for an invalid title id.
func (v *validator) titleID(key, text string) string {
	id, err := ps4.ParseTitleID(text)
	if err != nil {
		v.add(key, "%s is not a title id: write 4 letters and 5 digits, such as CUSA00129", quote(text))
	}
	return id
}

// address parses ADDR or ADDR:DDPPORT. Consoles are found by IPv4 broadcast and
// speak IPv4 only. An invalid address gives the zero value.
func (v *validator) address(key, text string) netip.AddrPort {
	address, err := ps4.ParseAddress(text)
	ip := address.Addr()
	if err != nil || !ip.Is4() || ip.IsUnspecified() || ip.IsMulticast() || address.Port() == 0 {
		v.add(key, "%s is not an address: write one such as 192.168.1.20 or, with a port, 192.168.1.20:987", quote(text))
		return netip.AddrPort{}
	}
	return address
}

// bind returns the zero value for an empty text.
func (v *validator) bind(key, text string) netip.Addr {
	ip, err := netip.ParseAddr(text)
	if err != nil && text != "" {
		v.add(key, "%s is not an IP address: write one of this machine, or \"\" for all", quote(text))
	}
	return ip
}

// networkInterface checks only the form of a name: the interface may appear
// later.
func (v *validator) networkInterface(key, name string) string {
	if name == "" || len(name) > 15 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '/' }) {
		v.add(key, "%s is not a network interface: write a name such as eth0", quote(name))
	}
	return name
}

func (v *validator) listen(key, text string) string {
	host, port, err := net.SplitHostPort(text)
	_, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || host != "" && !isHost(host) {
		v.add(key, "%s is not an address to listen on: write :8990, or 127.0.0.1:8990 for this machine only", quote(text))
	}
	return text
}

func (v *validator) host(key, text string) string {
	if !isHost(text) {
		v.add(key, "%s is not a host: write a name or an address without scheme, port and path", quote(text))
	}
	return strings.ToLower(text)
}

// network parses an address, or a prefix such as 172.17.0.0/16.
func (v *validator) network(key, text string) netip.Prefix {
	prefix, err := netip.ParsePrefix(text)
	if ip, ipErr := netip.ParseAddr(text); ipErr == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		prefix, err = ip.Prefix(ip.BitLen())
	}
	if err != nil {
		v.add(key, "%s is not an address or a network: write one such as 172.17.0.1 or 172.17.0.0/16", quote(text))
	}
	return prefix.Masked()
}

// isHost reports whether text is an IP address or a DNS name. The last label of
// a name is not a number, so that 1.2.3.400 isn't one.
func isHost(text string) bool {
	name := regexp.MustCompile(`^([0-9A-Za-z_-]+\.)*[0-9A-Za-z_-]*[A-Za-z_-][0-9A-Za-z_-]*\.?$`)
	_, err := netip.ParseAddr(text)
	return err == nil || len(text) <= 253 && name.MatchString(text)
}

func (v *validator) twoLetters(key, text, example string) string {
	lower := strings.ToLower(text)
	if lower != "" && (len(lower) != 2 || strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz") != "") {
		v.add(key, "%s is not a code of two letters, such as %s", quote(text), example)
	}
	return lower
}

func (v *validator) baseURL(key, text string) string {
	text = strings.TrimSuffix(text, "/")
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || text != u.Scheme+"://"+u.Host {
		v.add(key, "must be a scheme and a host without a path, such as https://example.org or http://127.0.0.1:8080")
	}
	return text
}

func (v *validator) url(key, text string) string {
	if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		v.add(key, "must be an address such as https://example.org/latest")
	}
	return text
}

// path makes a relative path start at the directory of the file that holds it.
func (v *validator) path(key, text string) string {
	below, inHome := strings.CutPrefix(text, "~/")
	switch home := os.Getenv("HOME"); {
	case inHome && home != "":
		return filepath.Join(home, below)
	case text != "" && !filepath.IsAbs(text) && v.places[key].Source == v.file:
		return filepath.Join(filepath.Dir(v.file), text)
	}
	return text
}

// each validates the items of a list and refuses repeated ones.
func each[T comparable](v *validator, section string, list []string, validate func(key, text string) T) []T {
	var values []T
	for i, text := range list {
		key, before := fmt.Sprintf("%s[%d]", section, i), len(v.list)
		value := validate(key, text)
		if len(v.list) == before && slices.Contains(values, value) {
			v.add(key, "%s is listed twice: remove one", quote(text))
		}
		values = append(values, value)
	}
	return values
}

func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// quote quotes the start of a value. It is not for secrets.
func quote(text string) string {
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "..."
	}
	return strconv.Quote(text)
}

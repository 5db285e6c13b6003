package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	minSearchInterval = 200 * time.Millisecond // at most 5 SRCH a second to one console: docs/protocol.md §1
	maxSearchInterval = 24 * time.Hour
	maxPollInterval   = time.Hour
	minIdle           = time.Second
	maxIdle           = 24 * time.Hour

	minSlots    = 3 // the fixed inputs and one title
	maxSlots    = 90
	fixedInputs = 2 // "Home Screen" and "Other": docs/homekit.md §4

	maxHomeKitPort = 32767 // docs/homekit.md §6: above it the kernel may have given the port away
	ddpPort        = 987   // docs/protocol.md §1

	maxConsoleName = 64  // bytes, HomeKit's limit for a name: docs/homekit.md §2
	maxTitleName   = 256 // bytes; Home is given a shorter form
)

// integer checks that a number is in range.
func (c *checker) integer(path string, n, low, high int) int {
	if n < low || n > high {
		c.add(path, "%d is out of range: use %d to %d", n, low, high)
		return 0
	}
	return n
}

// duration parses "30s" and checks its range.
func (c *checker) duration(path, text string, low, high time.Duration) time.Duration {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		c.add(path, "%s is not a duration: write a number and a unit, such as 500ms, 30s or 5m", quote(text))
		return 0
	case d < low || d > high:
		c.add(path, "%s is out of range: use %s to %s", quote(text), short(low), short(high))
		return 0
	}
	return d
}

// short is a duration without its zero units: 24h instead of 24h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// oneOf checks that a word is one of a few.
func (c *checker) oneOf(path, word string, words ...string) string {
	if !slices.Contains(words, word) {
		c.add(path, "%s is not known: use %s", quote(word), strings.Join(words, ", "))
		return ""
	}
	return word
}

// name checks text that people read.
func (c *checker) name(path, text string, limit int) string {
	trimmed := strings.TrimSpace(text)
	switch {
	case len(trimmed) > limit:
		c.add(path, "is too long: %d bytes, at most %d are possible", len(trimmed), limit)
	case text != "" && trimmed == "":
		c.add(path, "is blank: leave it out, or write a name")
	case strings.ContainsFunc(trimmed, unicode.IsControl):
		c.add(path, "has a line break or another control character: remove it")
	}
	return trimmed
}

func (c *checker) hostID(path, text string) string {
	if text == "" {
		return ""
	}
	if len(text) != 12 || !isHex(text) {
		c.add(path, "%s is not a host id: it has 12 hexadecimal digits without colons, as `ps4kit search` shows it", quote(text))
		return ""
	}
	return strings.ToUpper(text)
}

// titleID accepts lower case, and returns upper case: docs/protocol.md §7.
func (c *checker) titleID(path, text string) string {
	id := strings.ToUpper(text)
	if len(id) == 9 && strings.Trim(id[:4], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && strings.Trim(id[4:], "0123456789") == "" {
		return id
	}
	if text != "" {
		c.add(path, "%s is not a title id: it has 4 letters and 5 digits, such as CUSA00129", quote(text))
	}
	return ""
}

// address parses ADDR or ADDR:DDPPORT. Consoles are found by IPv4 broadcast and speak IPv4 only.
func (c *checker) address(path, text string, broadcast bool) netip.AddrPort {
	if text == "" {
		return netip.AddrPort{}
	}
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		var ip netip.Addr
		ip, err = netip.ParseAddr(text)
		address = netip.AddrPortFrom(ip, ddpPort)
	}
	ip := address.Addr()
	switch {
	case err != nil || !ip.Is4() || address.Port() == 0:
		c.add(path, "%s is not an address: write an IPv4 address, 192.168.1.20, or one with the port, 192.168.1.20:987", quote(text))
	case ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) && !broadcast:
		c.add(path, "%s is not the address of one console: `ps4kit search` shows it", quote(text))
	default:
		return address
	}
	return netip.AddrPort{}
}

func (c *checker) broadcast(path string, list []string) []netip.AddrPort {
	return each(c, path, list, func(path, text string) netip.AddrPort { return c.address(path, text, true) })
}

// bind parses the address to listen on; empty is the zero value.
func (c *checker) bind(path, text string) netip.Addr {
	ip, err := netip.ParseAddr(text)
	if err != nil && text != "" {
		c.add(path, "%s is not an IP address: write one of this machine's, or \"\" for all", quote(text))
	}
	return ip
}

// interfaces checks names of network interfaces. They need not exist yet: the network may come up later.
func (c *checker) interfaces(path string, list []string) []string {
	return each(c, path, list, func(path, name string) string {
		if name == "" || len(name) > 15 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '/' }) {
			c.add(path, "%s is not the name of a network interface: write one such as eth0", quote(name))
		}
		return name
	})
}

// listen checks an address for net.Listen.
func (c *checker) listen(path, text string) string {
	i := strings.LastIndexByte(text, ':')
	if i >= 0 {
		host := strings.TrimSuffix(strings.TrimPrefix(text[:i], "["), "]")
		_, err := strconv.ParseUint(text[i+1:], 10, 16)
		bracketed := host != text[:i]
		if err == nil && (host == "" && !bracketed || isHost(host) && strings.Contains(host, ":") == bracketed) {
			return text
		}
	}
	c.add(path, "%s is not an address to listen on: write :8990, or 127.0.0.1:8990 for this machine only", quote(text))
	return ""
}

// host checks a name or an address as browsers send it.
func (c *checker) host(path, text string) string {
	host := strings.ToLower(text)
	if !isHost(host) {
		c.add(path, "%s is not a host: write a name or an address without scheme, port and path", quote(text))
	}
	return host
}

// isHost reports whether text is an IP address or a DNS name.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	if len(text) > 253 {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notLDH) {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != "" // 1.2.3.400 is no name
}

// notLDH reports what is neither a letter, a digit, a hyphen nor an underscore.
func notLDH(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}

// twoLetters checks a country or a language, as docs/protocol.md §8 uses them.
func (c *checker) twoLetters(path, text, example string) string {
	lower := strings.ToLower(text)
	if len(lower) != 2 || strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz") != "" {
		c.add(path, "%s must have two letters, such as %s", quote(text), example)
		return ""
	}
	return lower
}

// baseURL checks a scheme and a host, which replace those of the addresses in docs/protocol.md §8.
func (c *checker) baseURL(path, text string) string {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.String() != u.Scheme+"://"+u.Host {
		c.add(path, "must be a scheme and a host, such as https://example.org or http://127.0.0.1:8080, without a path")
		return ""
	}
	return u.String()
}

// each checks the items of a list, and that none is there twice. It returns nil for an empty list.
func each[T comparable](c *checker, path string, list []string, check func(path, text string) T) []T {
	var result []T
	for i, text := range list {
		itemPath := fmt.Sprintf("%s[%d]", path, i)
		if text == "" {
			if c.clean(itemPath) {
				c.add(itemPath, "is empty: remove it, or give it a value")
			}
			continue
		}
		value := check(itemPath, text)
		if slices.Contains(result, value) && c.clean(itemPath) {
			c.add(itemPath, "%s is listed twice: remove one", quote(text))
		}
		result = append(result, value)
	}
	return result
}

func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// quote quotes what was written, cut when it is long. It is not for secrets.
func quote(text string) string {
	return strconv.Quote(cut(text, 60))
}

// printable makes a key fit for a message.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, cut(text, 40))
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

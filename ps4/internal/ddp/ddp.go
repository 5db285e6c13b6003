// Package ddp reads and writes the device discovery protocol of PlayStation
// consoles: small text datagrams over UDP that resemble HTTP.
//
// A request, and the reply of a console that is running a title:
//
//	SRCH * HTTP/1.1\n                               HTTP/1.1 200 Ok\n
//	device-discovery-protocol-version:00020020\n    host-id:A0B1C2D3E4F5\n
//	                                                host-type:PS4\n
//	                                                host-name:Den\n
//	                                                host-request-port:997\n
//	                                                device-discovery-protocol-version:00020020\n
//	                                                system-version:09508011\n
//	                                                running-app-name:Netflix\n
//	                                                running-app-titleid:CUSA00129\n
//
// Marshal returns exactly these bytes. The parsers are lenient within fixed
// limits: text of any length and encoding is repaired, and never makes a
// datagram invalid. All rules are in docs/protocol.md §1.
package ddp

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Ports and protocol versions (docs/protocol.md §1).
const (
	Port       = 987        // UDP port of a PS4
	PortPS5    = 9302       // UDP port of a PS5
	Version    = "00020020" // protocol version of a PS4
	VersionPS5 = "00030010" // protocol version of a PS5
)

// Limits. Larger datagrams are invalid, longer values are truncated.
const (
	MaxDatagram = 2048 // bytes
	MaxHeaders  = 64
	MaxValue    = 256 // bytes in UTF-8, that of text.Name
)

// Errors of the parsers.
var (
	ErrTooLarge  = errors.New("over the limit")
	ErrMalformed = errors.New("malformed")
)

// header is the name of a header and the field of the message that holds it.
type header struct {
	name  string
	value *string
}

// marshal returns a datagram. Empty headers are left out. Control characters
// become blanks, so that no value can forge a header.
func marshal(first string, headers []header) []byte {
	var b strings.Builder
	line := func(s string) {
		b.WriteString(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, s))
		b.WriteByte('\n')
	}
	line(first)
	for _, h := range headers {
		if *h.value != "" {
			line(h.name + ":" + *h.value)
		}
	}
	return []byte(b.String())
}

// split returns the first line of a datagram and the first value of each
// header by its lower-case name.
func split(datagram []byte) (first string, values map[string]string, err error) {
	if len(datagram) > MaxDatagram {
		return "", nil, fmt.Errorf("%w: datagram of %d bytes", ErrTooLarge, len(datagram))
	}
	values = map[string]string{}
	count := 0
	for line := range strings.SplitSeq(string(datagram), "\n") {
		line = trim(line)
		name, value, found := strings.Cut(line, ":")
		switch {
		case first == "":
			first = line
			continue
		case !found:
			continue
		}
		if count++; count > MaxHeaders {
			return "", nil, fmt.Errorf("%w: more than %d headers", ErrTooLarge, MaxHeaders)
		}
		name = strings.ToLower(trim(name))
		if _, seen := values[name]; !seen {
			values[name] = trim(value)
		}
	}
	if first == "" {
		return "", nil, fmt.Errorf("%w: empty", ErrMalformed)
	}
	return first, values, nil
}

// trim removes blanks and control characters from both ends, such as NUL
// padding. It accepts text in any encoding.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

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
// Marshalled bytes are exact; parsing is lenient within fixed limits. Text
// never makes a reply invalid: names in any encoding and of any length are
// repaired. Every rule comes from docs/protocol.md §1.
package ddp

import (
	"bytes"
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

// Limits on what is accepted. A datagram over the first two is dropped; a
// longer value is truncated.
const (
	MaxDatagram = 2048 // bytes in a datagram
	MaxHeaders  = 64   // header lines in a datagram
	MaxValue    = 256  // bytes in a header value, after it was converted to UTF-8
)

// Errors that the parsers wrap.
var (
	ErrTooLarge  = errors.New("ddp: over the limit")
	ErrMalformed = errors.New("ddp: malformed")
)

// Header names.
const (
	hdrVersion       = "device-discovery-protocol-version"
	hdrHostID        = "host-id"
	hdrHostType      = "host-type"
	hdrHostName      = "host-name"
	hdrRequestPort   = "host-request-port"
	hdrSystemVersion = "system-version"
	hdrAppName       = "running-app-name"
	hdrTitleID       = "running-app-titleid"
	hdrCredential    = "user-credential"
	hdrClientType    = "client-type"
	hdrAuthType      = "auth-type"
)

// headers maps lower-case names to the raw first value of each header.
type headers map[string]string

// split checks the limits and cuts a datagram into its first line and headers.
func split(datagram []byte) (first string, h headers, err error) {
	if len(datagram) > MaxDatagram {
		return "", nil, fmt.Errorf("%w: datagram of %d bytes", ErrTooLarge, len(datagram))
	}
	h = headers{}
	count := 0
	for line := range strings.SplitSeq(string(datagram), "\n") {
		line = trim(line)
		if line == "" {
			continue
		}
		if first == "" {
			first = line
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found {
			continue
		}
		if count++; count > MaxHeaders {
			return "", nil, fmt.Errorf("%w: more than %d headers", ErrTooLarge, MaxHeaders)
		}
		name = lower(trim(name))
		if _, seen := h[name]; !seen {
			h[name] = trim(value)
		}
	}
	if first == "" {
		return "", nil, fmt.Errorf("%w: empty", ErrMalformed)
	}
	return first, h, nil
}

// text returns the value of a header, fit for a terminal or a log.
func (h headers) text(name string) string { return clean(h[name]) }

// trim removes blanks and control characters from both ends, NUL padding
// included. It works on bytes, so text in any encoding passes unharmed.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// writer builds a datagram from lines that end in LF. It replaces line breaks
// in a value with blanks, so that no value can forge a header.
type writer struct{ bytes.Buffer }

func (w *writer) line(s string) {
	w.WriteString(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	w.WriteByte('\n')
}

func (w *writer) header(name, value string) {
	if value != "" {
		w.line(name + ":" + value)
	}
}

// lower and upper change ASCII letters only and keep the length.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

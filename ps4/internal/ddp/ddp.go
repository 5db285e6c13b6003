// Package ddp reads and writes the device discovery protocol of PlayStation
// consoles: small text datagrams over UDP that look like HTTP but are not.
//
// A request, and the answer of a console that runs a title:
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
// What is sent is exact to the byte; what is received is read leniently within
// fixed limits. The source of every rule is docs/protocol.md §1.
package ddp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Ports and protocol versions (docs/protocol.md §1).
const (
	Port       = 987        // UDP port of a PS4
	PortPS5    = 9302       // UDP port of a PS5
	Version    = "00020020" // protocol version of a PS4
	VersionPS5 = "00030010" // protocol version of a PS5
)

// Limits on what is accepted; a datagram over any of them is dropped whole.
const (
	MaxDatagram = 2048 // bytes in a datagram
	MaxHeaders  = 64   // header lines in a datagram
	MaxValue    = 256  // bytes in a header value
)

// Errors that parsing returns, wrapped with the detail.
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

// headers holds the first value of each header, by lower-case name.
type headers map[string]string

// split checks the limits and cuts a datagram into its first line and headers.
func split(datagram []byte) (first string, h headers, err error) {
	if len(datagram) > MaxDatagram {
		return "", nil, fmt.Errorf("%w: datagram of %d bytes", ErrTooLarge, len(datagram))
	}
	if !utf8.Valid(datagram) {
		return "", nil, fmt.Errorf("%w: not UTF-8", ErrMalformed)
	}
	text := string(bytes.TrimRight(datagram, "\x00"))
	h = headers{}
	count := 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
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
		if err := h.add(name, value); err != nil {
			return "", nil, err
		}
	}
	if first == "" {
		return "", nil, fmt.Errorf("%w: empty", ErrMalformed)
	}
	return first, h, nil
}

// add takes one header in; a header that was there before is skipped. Control
// characters become blanks: values end up in terminals and logs.
func (h headers) add(name, value string) error {
	name = lower(strings.TrimSpace(name))
	value = strings.TrimSpace(oneLine(value))
	if len(value) > MaxValue {
		return fmt.Errorf("%w: header value of %d bytes", ErrTooLarge, len(value))
	}
	if _, seen := h[name]; !seen {
		h[name] = value
	}
	return nil
}

// writer builds a datagram line by line, LF ended. Line breaks inside a value
// would forge a header, so they are replaced by blanks.
type writer struct{ bytes.Buffer }

func (w *writer) line(s string) {
	w.WriteString(oneLine(s))
	w.WriteByte('\n')
}

func (w *writer) header(name, value string) {
	if value != "" {
		w.line(name + ":" + value)
	}
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// lower and upper change ASCII letters only, so that lengths stay.
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

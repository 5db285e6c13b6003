package ddp

import (
	"fmt"
	"strconv"
	"strings"
)

// Status codes of a reply (docs/protocol.md §1).
const (
	CodeAwake   = 200 // the console is on
	CodeStandby = 620 // the console is in rest mode
)

// DefaultRequestPort is the TCP port of a console whose reply has no valid
// host-request-port.
const DefaultRequestPort = 997

// Reply is the answer of a console to a search.
type Reply struct {
	Code          int    // CodeAwake or CodeStandby
	HostID        string // 12 hex digits in upper case on a PS4, its MAC address
	HostType      string // "PS4", "PS5"
	HostName      string
	RequestPort   uint16 // TCP port of the 2nd Screen service
	Version       string // protocol version, 8 digits
	SystemVersion string // 8 digits: "09508011" is 9.50
	AppName       string // running title, empty when none runs
	TitleID       string // id of the running title in upper case
}

// ParseReply parses the datagram of a console. It fails with ErrTooLarge or
// ErrMalformed. Only the status line, the host-id and the limits on the
// datagram decide whether a reply is valid; every other value is repaired or
// truncated (docs/protocol.md §1).
func ParseReply(datagram []byte) (Reply, error) {
	first, h, err := split(datagram)
	if err != nil {
		return Reply{}, err
	}
	code, err := statusCode(first)
	if err != nil {
		return Reply{}, err
	}
	hostID := h[hdrHostID]
	if hostID == "" || hostID != clean(hostID) { // a repaired id would be another console's
		return Reply{}, fmt.Errorf("%w: no valid host-id", ErrMalformed)
	}
	return Reply{
		Code:          code,
		HostID:        upper(hostID),
		HostType:      h.text(hdrHostType),
		HostName:      h.text(hdrHostName),
		RequestPort:   requestPort(h[hdrRequestPort]),
		Version:       h.text(hdrVersion),
		SystemVersion: h.text(hdrSystemVersion),
		AppName:       h.text(hdrAppName),
		TitleID:       upper(h.text(hdrTitleID)),
	}, nil
}

// Marshal returns the bytes that a console sends, in the order of its headers.
func (r Reply) Marshal() []byte {
	var w writer
	phrase := "Ok"
	if r.Code == CodeStandby {
		phrase = "Server Standby"
	}
	w.line(fmt.Sprintf("HTTP/1.1 %d %s", r.Code, phrase))
	w.header(hdrHostID, r.HostID)
	w.header(hdrHostType, r.HostType)
	w.header(hdrHostName, r.HostName)
	w.header(hdrRequestPort, strconv.Itoa(int(r.RequestPort)))
	w.header(hdrVersion, r.Version)
	w.header(hdrSystemVersion, r.SystemVersion)
	w.header(hdrAppName, r.AppName)
	w.header(hdrTitleID, r.TitleID)
	return w.Bytes()
}

// statusCode reads "HTTP/1.1 200 Ok"; the phrase after the number is ignored.
func statusCode(line string) (int, error) {
	words := strings.Fields(line)
	if len(words) < 2 || upper(words[0]) != "HTTP/1.1" && upper(words[0]) != "HTTP/1.0" {
		return 0, fmt.Errorf("%w: not a reply", ErrMalformed)
	}
	switch words[1] {
	case "200":
		return CodeAwake, nil
	case "620":
		return CodeStandby, nil
	}
	return 0, fmt.Errorf("%w: unknown status", ErrMalformed)
}

func requestPort(value string) uint16 {
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil || port == 0 {
		return DefaultRequestPort
	}
	return uint16(port)
}

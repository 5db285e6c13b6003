package ddp

import (
	"fmt"
	"strconv"
	"strings"
)

// Status codes of a reply.
const (
	CodeAwake   = 200
	CodeStandby = 620
)

// DefaultRequestPort is the TCP port of a console whose reply has no valid one.
const DefaultRequestPort = 997

// Reply is the answer of a console to a search.
type Reply struct {
	Code          int    // CodeAwake or CodeStandby
	HostID        string // upper case; 12 hex digits on a PS4, its MAC address
	HostType      string // "PS4", "PS5"
	HostName      string
	RequestPort   uint16 // TCP port of the 2nd Screen service
	Version       string // protocol version, 8 digits
	SystemVersion string // 8 digits: "09508011" is 9.50
	AppName       string // running title; empty if none runs
	TitleID       string // upper case; empty if none runs
}

// headers returns the headers in the order of a console.
func (r *Reply) headers(port *string) []header {
	return []header{
		{"host-id", &r.HostID},
		{"host-type", &r.HostType},
		{"host-name", &r.HostName},
		{"host-request-port", port},
		{"device-discovery-protocol-version", &r.Version},
		{"system-version", &r.SystemVersion},
		{"running-app-name", &r.AppName},
		{"running-app-titleid", &r.TitleID},
	}
}

// Marshal returns the bytes that a console sends.
func (r Reply) Marshal() []byte {
	phrase := "Ok"
	if r.Code == CodeStandby {
		phrase = "Server Standby"
	}
	port := strconv.Itoa(int(r.RequestPort))
	return marshal(fmt.Sprintf("HTTP/1.1 %d %s", r.Code, phrase), r.headers(&port))
}

// ParseReply parses the datagram of a console. It requires a status line and a
// host-id, and repairs all other values (docs/protocol.md §1). Its errors wrap
// ErrTooLarge or ErrMalformed.
func ParseReply(datagram []byte) (Reply, error) {
	first, values, err := split(datagram)
	if err != nil {
		return Reply{}, err
	}
	words := strings.Fields(first)
	if len(words) < 2 || !strings.EqualFold(words[0], "HTTP/1.1") && !strings.EqualFold(words[0], "HTTP/1.0") {
		return Reply{}, fmt.Errorf("%w: not a reply", ErrMalformed)
	}
	r := Reply{RequestPort: DefaultRequestPort}
	switch words[1] {
	case "200":
		r.Code = CodeAwake
	case "620":
		r.Code = CodeStandby
	default:
		return Reply{}, fmt.Errorf("%w: unknown status", ErrMalformed)
	}
	var port string
	for _, h := range r.headers(&port) {
		*h.value = clean(values[h.name])
	}
	if r.HostID == "" || r.HostID != values["host-id"] { // a repaired id would belong to another console
		return Reply{}, fmt.Errorf("%w: no valid host-id", ErrMalformed)
	}
	r.HostID, r.TitleID = upper(r.HostID), upper(r.TitleID)
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
		r.RequestPort = uint16(n)
	}
	return r, nil
}

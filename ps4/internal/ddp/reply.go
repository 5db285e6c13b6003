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

// DefaultRequestPort is the TCP port of a console whose reply names none.
const DefaultRequestPort = 997

// Reply is what a console answers to a search.
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

// ParseReply reads the datagram of a console. It fails with ErrTooLarge or
// ErrMalformed; such a datagram is to be dropped whole (docs/protocol.md §1).
func ParseReply(datagram []byte) (Reply, error) {
	first, h, err := split(datagram)
	if err != nil {
		return Reply{}, err
	}
	code, err := statusCode(first)
	if err != nil {
		return Reply{}, err
	}
	if h[hdrHostID] == "" {
		return Reply{}, fmt.Errorf("%w: no host-id", ErrMalformed)
	}
	return Reply{
		Code:          code,
		HostID:        upper(h[hdrHostID]),
		HostType:      h[hdrHostType],
		HostName:      h[hdrHostName],
		RequestPort:   requestPort(h[hdrRequestPort]),
		Version:       h[hdrVersion],
		SystemVersion: h[hdrSystemVersion],
		AppName:       h[hdrAppName],
		TitleID:       upper(h[hdrTitleID]),
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

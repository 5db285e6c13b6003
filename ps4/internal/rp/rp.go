// Package rp reads and writes the Remote Play protocol of the PS4 and the PS5,
// without the stream: the three requests over TCP port 9295 and the binary
// frames that follow the third. All rules are in docs/protocol.md §10 to §13.
//
// A client registers once, and opens a session for each command:
//
//	-> POST …/rgst   480 bytes of context with the hidden nonce, sealed text
//	<- 200           sealed text: RegistKey, RP-Key
//
//	-> GET …/init    RP-Registkey
//	<- 200           RP-Nonce; the console closes the connection
//	-> GET …/ctrl    RP-Auth, RP-Did and others, each sealed
//	<- 200           RP-Server-Type, sealed; frames follow in both directions
//
// A frame is big endian:
//
//	 0        4      6      8
//	+--------+------+------+----------------+
//	| length | type |  0   | sealed payload |
//	+--------+------+------+----------------+
//
// length is that of the payload. TCP may split and join frames anywhere, and
// the first one may share a segment with the reply, so all of them must be read
// from the same [bufio.Reader].
//
// Everything sealed is AES-128-CFB with an IV made from a counter. Each side of
// a session counts what it seals from 0 on; an empty payload does not count.
//
// Each message is a struct. Marshal returns its bytes, and a parser of the same
// name reads them, so that the package serves clients and simulated consoles.
package rp

import (
	"errors"
	"fmt"
	"strconv"
)

// Port is the port of a console, on TCP and for search words on UDP
// (docs/protocol.md §10).
const Port = 9295

// ErrProtocol is wrapped by errors about bytes that violate the protocol.
var ErrProtocol = errors.New("rp: protocol error")

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// Family is a dialect of the protocol (docs/protocol.md §10).
type Family uint8

// Families of consoles.
const (
	PS5    Family = iota + 1
	PS4           // system software 8.00 and later
	PS4At7        // 7.00 to 7.55
	PS4At6        // earlier
)

// FamilyOf returns the family of a console from its discovery reply. It fails
// if the host type is not that of a console, or if the system version that has
// to decide about a PS4 does not have 8 digits.
func FamilyOf(hostType, systemVersion string) (Family, error) {
	switch hostType {
	case "PS5":
		return PS5, nil
	case "PS4":
	default:
		return 0, protocolError("host type %q", hostType)
	}
	version, err := strconv.ParseUint(systemVersion, 10, 32)
	switch {
	case err != nil || len(systemVersion) != 8:
		return 0, protocolError("system version %q", systemVersion)
	case version >= 8_000_000:
		return PS4, nil
	case version >= 7_000_000:
		return PS4At7, nil
	}
	return PS4At6, nil
}

// FamilyByVersion returns the family with an RP-Version, as a refusal names it,
// or 0. Version 5.0 stands for 9.0 (docs/protocol.md §10).
func FamilyByVersion(version string) Family {
	if version == "5.0" {
		return PS4At7
	}
	for _, f := range []Family{PS5, PS4, PS4At7, PS4At6} {
		if f.Dialect().Version == version {
			return f
		}
	}
	return 0
}

// A Dialect is a row of the table in docs/protocol.md §10.
type Dialect struct {
	Name                                string // such as "PS4 7.x"
	Version                             string // RP-Version
	RegisterPath, InitPath, ControlPath string // of the requests
	SearchWord                          string // the datagram that a client sends to Port before it connects
	SearchAnswer                        string // how the console's answer to it starts
}

var dialects = [...]Dialect{
	PS5:    {"PS5", "1.0", "/sie/ps5/rp/sess/rgst", "/sie/ps5/rp/sess/init", "/sie/ps5/rp/sess/ctrl", "SRC3", "RES3"},
	PS4:    {"PS4", "10.0", "/sie/ps4/rp/sess/rgst", "/sie/ps4/rp/sess/init", "/sie/ps4/rp/sess/ctrl", "SRC2", "RES2"},
	PS4At7: {"PS4 7.x", "9.0", "/sce/rp/regist", "/sce/rp/session", "/sce/rp/session/ctrl", "SRC2", "RES2"},
	PS4At6: {"PS4 6.x", "8.0", "/sce/rp/regist", "/sce/rp/session", "/sce/rp/session/ctrl", "SRC2", "RES2"},
}

// Dialect returns the dialect of a family, which must not be 0.
func (f Family) Dialect() Dialect { return dialects[f] }

// String returns the name of the dialect.
func (f Family) String() string { return dialects[f].Name }

func (f Family) legacy() bool { return f == PS4At7 || f == PS4At6 }

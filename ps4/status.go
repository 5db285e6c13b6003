package ps4

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// A State is what a console is doing.
type State uint8

// States of a console.
const (
	StateUnreachable State = iota // it does not answer
	StateAwake                    // it is on
	StateStandby                  // it is in rest mode
)

var stateNames = []string{StateUnreachable: "unreachable", StateAwake: "awake", StateStandby: "standby"}

// String returns "unreachable", "awake" or "standby".
func (s State) String() string {
	if int(s) >= len(stateNames) {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

// MarshalText implements [encoding.TextMarshaler]. The text is that of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It fails for any text
// that String does not return.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(stateNames, string(text))
	if i < 0 {
		return fmt.Errorf("unknown state %q", text)
	}
	*s = State(i) //nolint:gosec // an index of a short slice
	return nil
}

// Values of Status.HostType.
const (
	TypePS4 = "PS4"
	TypePS5 = "PS5"
)

// A Status is what a console reports about itself in a discovery reply
// (docs/protocol.md §1). Strings come from the network and are not trusted:
// they are valid UTF-8 of at most 256 bytes without control characters, but may
// have any content.
type Status struct {
	Addr          netip.AddrPort // where it answers discovery
	HostID        string         // its MAC address, 12 hex digits in upper case
	HostType      string         // TypePS4 or TypePS5
	HostName      string         // the name that its owner gave it
	State         State
	RequestPort   uint16 // the TCP port of its 2nd Screen service, usually 997
	SystemVersion string // 8 digits, such as 09508011; see Version
	TitleID       string // the running title, such as CUSA00129; empty if there is none
	TitleName     string
}

// Version returns the system version as people write it, such as 9.50 for
// 09508011. It returns "" unless SystemVersion has 8 digits.
func (s Status) Version() string {
	if !isDigits(s.SystemVersion, 8) {
		return ""
	}
	major := s.SystemVersion[:2]
	if major[0] == '0' {
		major = major[1:]
	}
	return major + "." + s.SystemVersion[2:4]
}

func newStatus(addr netip.AddrPort, r ddp.Reply) Status {
	s := Status{
		Addr:          addr,
		HostID:        r.HostID,
		HostType:      r.HostType,
		HostName:      r.HostName,
		State:         StateAwake,
		RequestPort:   r.RequestPort,
		SystemVersion: r.SystemVersion,
		TitleID:       r.TitleID,
		TitleName:     r.AppName,
	}
	if r.Code == ddp.CodeStandby {
		s.State = StateStandby
	}
	return s
}

package ps4

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// State says what a console is doing.
type State uint8

// States of a console.
const (
	StateUnreachable State = iota // does not answer
	StateAwake                    // on
	StateStandby                  // in rest mode
)

// String returns "unreachable", "awake" or "standby".
func (s State) String() string {
	switch s {
	case StateUnreachable:
		return "unreachable"
	case StateAwake:
		return "awake"
	case StateStandby:
		return "standby"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText implements [encoding.TextMarshaler] with what String returns.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{StateUnreachable, StateAwake, StateStandby} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("no state is called %q", text)
}

// TypePS4 and TypePS5 are values of Status.HostType.
const (
	TypePS4 = "PS4"
	TypePS5 = "PS5"
)

// Status is what a console says of itself in a discovery reply
// (docs/protocol.md §1). Texts are at most 256 bytes, without control
// characters; they come from the network and may say anything.
type Status struct {
	Addr          netip.AddrPort // where it answers: its address and the UDP port that was asked
	HostID        string         // its MAC address: 12 hex digits in upper case
	HostType      string         // TypePS4, TypePS5
	HostName      string         // the name that its owner gave it
	State         State
	RequestPort   uint16 // TCP port of the 2nd Screen service
	SystemVersion string // 8 digits, "09508011"; see Version
	TitleID       string // the running title, "CUSA00129"; empty when none runs
	TitleName     string
}

// Version returns the system version as people write it: "9.50" for
// "09508011", and "" for one that is not 8 digits.
func (s Status) Version() string {
	if !isDigits(s.SystemVersion, 8) {
		return ""
	}
	major, err := strconv.Atoi(s.SystemVersion[:2])
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d.%s", major, s.SystemVersion[2:4])
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

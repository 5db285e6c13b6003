package ps4test

import (
	"cmp"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// Config describes a simulated console. The zero value is an awake PS4 on free
// ports of 127.0.0.1 that shows no PIN and accepts every account.
type Config struct {
	Name          string // host-name; default "PS4 (simulated)", or "PS5 (simulated)"
	HostID        string // 12 hex digits; default derived from address and port
	HostType      string // "PS4" (default) or "PS5"
	SystemVersion string // 8 digits; default "09508011", or "13600007" for a PS5

	Addr      string   // IPv4 address to listen on; default 127.0.0.1
	DDPPort   uint16   // UDP; 0 picks a free port
	TCPPort   uint16   // reported as host-request-port; 0 picks a free port
	Broadcast bool     // answer requests to the broadcast addresses of Addr too; Linux and Network only
	Network   *Network // in-memory network; nil: real sockets

	Standby         bool   // start in rest mode
	StandbyDisabled bool   // refuse rest mode with result 25
	PIN             string // the 8 digits that "Add Device" shows; empty: none
	Passcode        string // 4 digits; empty: the user has none

	Credentials []string // accounts on this console, 64 hex digits each; nil: any
	Linked      bool     // every device of an account on this console is already linked
	MaxDevices  int      // limit of linked devices, beyond it result 26; default 10, a guess

	Titles      []Title         // installed titles; nil: any
	Running     string          // id of the title that runs at the start
	BusyResult  ps4.ResultError // result of a boot while another title runs: 12 (default) or 31
	QuitNeedsPS bool            // show the quit dialogue only after a PS press (docs/protocol.md §9)
	StrictKeys  bool            // ignore keys that break the key limits of Timing (docs/protocol.md §9)

	RemotePlay *RemotePlay // nil: a PS5 has the default, a PS4 speaks 2nd Screen alone

	Key    *rsa.PrivateKey // 2048 bits; nil: one that the consoles of this process share
	Timing Timing          // zero: RealTiming()

	// Logf receives errors, and Trace one line for each datagram and packet
	// received. Neither sees a secret; nil discards. Both must be safe for
	// concurrent use.
	Logf  func(format string, args ...any)
	Trace func(line string)
}

// String returns the name alone, which keeps secrets out of logs.
func (c Config) String() string { return fmt.Sprintf("[simulated console %q]", c.Name) }

// GoString returns the same for %#v.
func (c Config) GoString() string { return c.String() }

// Title is an installed title.
type Title struct{ ID, Name string }

// ErrConfig is wrapped by the errors of New about an invalid Config.
var ErrConfig = errors.New("invalid simulated console")

// withDefaults returns c with defaults for unset fields, or an error if a field
// is invalid.
func (c Config) withDefaults() (Config, netip.Addr, error) {
	c.HostType = cmp.Or(c.HostType, ps4.TypePS4)
	c.Name = cmp.Or(c.Name, c.HostType+" (simulated)")
	if c.HostType == ps4.TypePS5 {
		c.SystemVersion = cmp.Or(c.SystemVersion, "13600007")
		c.RemotePlay = cmp.Or(c.RemotePlay, &RemotePlay{})
	}
	c.SystemVersion = cmp.Or(c.SystemVersion, "09508011")
	c.Addr = cmp.Or(c.Addr, "127.0.0.1")
	c.MaxDevices = cmp.Or(c.MaxDevices, 10)
	c.BusyResult = cmp.Or(c.BusyResult, ps4.ErrTitleUnavailable)
	c.Timing = cmp.Or(c.Timing, RealTiming())
	if c.Logf == nil {
		c.Logf = func(string, ...any) {}
	}
	if c.Trace == nil {
		c.Trace = func(string) {}
	}
	c.HostID = strings.ToUpper(c.HostID)
	c.Running = strings.ToUpper(c.Running)
	addr, err := netip.ParseAddr(c.Addr)
	if err != nil || !addr.Is4() {
		return c, addr, fmt.Errorf("%w: %q is not an IPv4 address", ErrConfig, c.Addr)
	}
	return c, addr, c.check()
}

func (c Config) check() error {
	invalid := func(what string) error { return fmt.Errorf("%w: %s", ErrConfig, what) }
	hostID, err := hex.DecodeString(c.HostID)
	switch {
	case c.HostID != "" && (err != nil || len(hostID) != 6):
		return invalid("host id is not 12 hex digits")
	case c.HostType != ps4.TypePS4 && c.HostType != ps4.TypePS5:
		return invalid("host type is neither PS4 nor PS5")
	case !isDigits(c.SystemVersion, 8):
		return invalid("system version is not 8 digits")
	case c.PIN != "" && !isDigits(c.PIN, 8):
		return invalid("PIN is not 8 digits")
	case c.Passcode != "" && !isDigits(c.Passcode, 4):
		return invalid("passcode is not 4 digits")
	case len(c.Name) > ddp.MaxValue || strings.ContainsAny(c.Name, "\r\n\x00"):
		return invalid("name is too long or has a line break")
	case c.Key != nil && (c.Key.N == nil || c.Key.Size() != 256):
		return invalid("the key does not have 2048 bits")
	case slices.ContainsFunc(c.Credentials, func(s string) bool { return credentialOf(s).IsZero() }):
		return invalid("credential is not 64 hex digits")
	}
	return nil
}

// credentialOf returns the credential with the given hex digits, or the zero
// value if they are malformed.
func credentialOf(hex64 string) ps4.Credential {
	credential, _ := ps4.ParseCredential(hex64)
	return credential
}

func isDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

// title returns the installed title with an id, in the form that DDP reports.
func (c Config) title(id string) (Title, bool) {
	if c.Titles == nil {
		return Title{ID: id, Name: id}, id != ""
	}
	for _, t := range c.Titles {
		if strings.EqualFold(t.ID, id) {
			return Title{ID: strings.ToUpper(t.ID), Name: t.Name}, true
		}
	}
	return Title{}, false
}

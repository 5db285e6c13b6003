package accessory

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/brutella/hap/accessory"

	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
)

// Config configures a television. Only HostID is required, and checked; a zero
// field means its default.
type Config struct {
	HostID string     // identifies the console; never changes
	Name   string     // default: the console's own; a name written in Home has priority
	Model  string     // default "PlayStation 4"
	Last   ps4.Status // the console's last reply, if known

	Category uint8   // 31 television (default), 35 set-top box, 36 stick
	Titles   []Title // inputs that are always there
	Remote   Remote
	Slots    int // inputs, 2 to 90 with the two fixed ones; default 40, and 1 without Abilities.Titles

	Poll   time.Duration // between two polls, doubled in rest mode; default 1 s
	Misses int           // missed polls in a row until the console counts as off; default 3

	// PreferTitleName gives TitleName priority over the name that the console
	// gives a title.
	PreferTitleName bool

	Store     Store                       // nil: nothing is saved
	TitleName func(titleID string) string // a name from elsewhere, or ""; must not block; may be nil
	OnChange  func()                      // called from any goroutine when Snapshot changes; must not block
	Log       Logger                      // gets no secret and no name of the console; nil discards
}

// Logger is a logger with levels, such as a *logrus.Entry.
type Logger interface {
	Debugf(format string, args ...any)
	Infof(format string, args ...any)
	Warnf(format string, args ...any)
	Errorf(format string, args ...any)
}

// discard is a Logger that does nothing.
type discard struct{}

func (discard) Debugf(string, ...any) {}
func (discard) Infof(string, ...any)  {}
func (discard) Warnf(string, ...any)  {}
func (discard) Errorf(string, ...any) {}

// Title is a configured input.
type Title struct {
	ID     string // "CUSA00129", in any case
	Name   string // empty: the console's name for it
	Pin    bool   // stays at the front of the list
	Remote Remote // has priority while the title runs
}

// Remote maps keys of the HomeKit remote control to buttons of the console. Keys
// are up, down, left, right, select, back, play_pause, information, and those that
// Home lacks: rewind, fast_forward, next_track, previous_track, exit. Other keys
// keep their default.
type Remote struct {
	Keys   map[string]ps4.Button
	Double map[string]ps4.Button // for two presses within 250 ms; delays the single press of these keys only
}

// complete returns the configuration with all defaults, or an error if the host
// id is invalid.
func (c Config) complete() (Config, error) {
	c.HostID = strings.ToUpper(strings.TrimSpace(c.HostID))
	c.Name = cleanName(c.Name)
	c.Model = text.Truncate(cmp.Or(c.Model, defaultModel), maxName)
	c.Category = cmp.Or(c.Category, accessory.TypeTelevision)
	c.Slots = cmp.Or(c.Slots, defaultSlots)
	c.Poll = cmp.Or(c.Poll, defaultPoll)
	c.Misses = cmp.Or(c.Misses, defaultMiss)
	c.Log = cmp.Or[Logger](c.Log, discard{})
	if c.HostID == "" || len(c.HostID) > maxName {
		return c, fmt.Errorf("a host id has 1 to %d bytes: %q", maxName, c.HostID)
	}
	return c, nil
}

// firmware returns the FirmwareRevision of a system version.
func firmware(systemVersion string) string {
	return cmp.Or(ps4.Status{SystemVersion: systemVersion}.Version(), unknownFirmware)
}

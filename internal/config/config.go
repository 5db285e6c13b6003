// Package config reads and validates config.yaml and the environment.
//
// Each key has a default, which config.yaml.example shows. These override it,
// each the ones before:
//
//	the web page                 Config.WithPage, for the keys that PageKey knows
//	config.yaml
//	the environment              PS4KIT_WEB_LISTEN for web.listen
//	a flag of the command line   Config.WithFlag
//
// An empty variable counts as unset, and a key without a value as left out. A
// list in a variable is written as eth0,wlan0; PS4KIT_CONSOLES holds the
// consoles as YAML or JSON.
//
// A relative path starts at the directory of the file that holds it, or at the
// working directory if a variable holds it. "~/" is the home directory.
//
// Unknown keys and variables, duplicates and invalid values are errors. Load
// reports them all, never with a secret.
package config

import (
	"crypto/rsa"
	"net/netip"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Config is a valid configuration.
type Config struct {
	File       string    // empty if there was none
	Consoles   []Console // those that are found need no entry
	Discovery  Discovery
	Poll       Poll
	Session    Session
	HomeKit    HomeKit
	Companion  Companion
	Art        Art
	Web        Web
	Metrics    Metrics
	Log        Log
	PSN        PSN
	Updates    Updates
	ConsoleKey *rsa.PublicKey // of simulated consoles, 2048 bits; nil for real ones (docs/protocol.md §4)

	written func() (raw, map[string]place) // a function, so that no %v prints the secrets
	base    *Config                        // without the page's settings; nil if this is it
}

// Console describes one console. HostID or Address is set; HostID wins when the
// address changes.
type Console struct {
	HostID     string         // 12 upper-case hexadecimal digits, or empty
	Address    netip.AddrPort // IPv4, with the DDP port; may be the zero value
	Name       string         // at most 64 bytes, HomeKit's limit; may be empty
	Credential ps4.Credential // may be the zero value
	Passcode   ps4.Passcode   // may be the zero value
	SetupCode  Secret         // in the form 518-08-582; if empty, one is made and remembered
	Category   string         // CategoryTelevision, CategorySetTopBox or CategoryStick
	Remote     Remote
	Titles     []Title
	SwitchUser bool   // docs/protocol.md §7, "User"
	Protocol   string // ProtocolAuto, ProtocolSecondScreen or ProtocolRemotePlay

	// RemotePlayKeys permits pressing keys with Remote Play; if nil, the owner
	// chooses on the page.
	RemotePlayKeys *bool
}

// Protocols of a console. A PS5 speaks Remote Play only.
const (
	ProtocolAuto         = "auto" // Remote Play for a PS4 only if it is linked for it
	ProtocolSecondScreen = "second_screen"
	ProtocolRemotePlay   = "remote_play"
)

// Categories of consoles choose the icon in Home.
const (
	CategoryTelevision = "television"
	CategorySetTopBox  = "set-top-box"
	CategoryStick      = "stick"
)

// Title is a title to offer as an input of a console.
type Title struct {
	ID     string // upper case, such as CUSA00129
	Name   string // at most 256 bytes; if empty, the one in the metadata
	Pin    bool
	Remote Remote // overrides the console's while this title runs
}

// Remote maps RemoteKeys to Buttons. Other keys keep their default.
type Remote struct {
	Keys   map[string]ps4.Button
	Double map[string]ps4.Button // for two presses within 250 ms (docs/homekit.md §5)
}

// Discovery configures the search for consoles.
type Discovery struct {
	Enabled    bool
	Interval   time.Duration
	Interfaces []string         // empty for all
	Broadcast  []netip.AddrPort // IPv4, with port
	LocalPort  uint16           // UDP; 0 for any
}

// Poll configures how the state of a console is followed.
type Poll struct {
	Interval time.Duration // twice as long while a console rests
	Misses   int           // unanswered polls until a console counts as unreachable
}

// Session configures sessions with consoles.
type Session struct {
	Idle     time.Duration // how long a session is kept after the last command
	KeysIdle time.Duration // how long Remote Play stays ready for keys after the last command
}

// HomeKit configures the HomeKit servers.
type HomeKit struct {
	Interfaces []string   // where to announce; empty for all
	Bind       netip.Addr // the zero value for all
	Port       uint16     // of the first console, the next ones count up; 0 for free ones, which are remembered
	Slots      int        // inputs of each console, with the two fixed ones (docs/homekit.md §4)
}

// Companion configures the optional bridge of docs/companion.md.
type Companion struct {
	Enabled   bool
	SetupCode Secret   // as for a console
	Titles    []string // upper-case ids of titles that get a switch
}

// Art configures the sources and the cache of title metadata and cover art. The
// URLs are a scheme and a host, and replace those in docs/protocol.md §8.
type Art struct {
	Enabled     bool
	Dir         string // if empty, below the state directory
	MaxMB       int
	Country     string // two lower-case letters
	Language    string // two lower-case letters
	TMDBURL     string
	UpdatesURL  string
	PackagesURL string
	ListsURL    string
	StoreURL    string
	ChihiroURL  string
	ImagesURL   string
}

// Web configures the web page.
type Web struct {
	Listen         string // as for net.Listen
	PasswordHash   Secret // bcrypt; if empty, made at the first start
	TLSCert        string // path of a PEM file that fits TLSKey; both may be empty
	TLSKey         string
	AllowedHosts   []string       // more lower-case names of this server, without a port
	TrustedProxies []netip.Prefix // reverse proxies whose X-Forwarded-For is believed
}

// Metrics configures /metrics.
type Metrics struct {
	Enabled bool
}

// Log configures the log.
type Log struct {
	Level  string // trace, debug, info, warn or error
	Format string // text or json
}

// PSN configures sign-in to the PlayStation Network (docs/protocol.md §2).
type PSN struct {
	AuthURL, AccountURL, TitlesURL string // scheme and host
}

// Updates configures the notice about new releases.
type Updates struct {
	Check bool
	URL   string // answers as ReleasesURL does
}

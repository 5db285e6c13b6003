// Package config turns config.yaml and the environment into a typed, checked configuration.
//
// # Where values come from
//
// In this order, the later one winning, for each key by itself:
//
//  1. the defaults (config.yaml.example shows them all);
//  2. one file: the one that was asked for, or else the first config.yaml of ".", $XDG_CONFIG_HOME/ps4kit,
//     ~/.config/ps4kit and /etc/ps4kit;
//  3. the environment: web.listen is PS4KIT_WEB_LISTEN, art.max_mb is PS4KIT_ART_MAX_MB. An empty variable counts as
//     unset. A list is written with commas, PS4KIT_HOMEKIT_INTERFACES=eth0,wlan0. The consoles are one variable,
//     PS4KIT_CONSOLES, which holds the whole list as YAML or JSON and replaces the file's.
//
// A path that is not absolute starts at the directory of the file that names it, or at the working directory when the
// environment names it; "~/" is the home directory.
//
// # Strictness
//
// A key that is not known, a value of the wrong type or out of range, and a key written twice are errors. All of them are
// reported together, each with its file, line and key and with what to do, as an *[Error]. Text is taken as it is
// written: passcode: 0123 is the four digits 0123. A key with no value counts as left out.
// Secrets are never part of an error, and print as [redacted].
package config

import (
	"crypto/rsa"
	"net/netip"
	"time"
)

// Config is a checked configuration. Load makes one.
type Config struct {
	File       string    // the file that was read; empty when there was none
	Consoles   []Console // what discovery finds needs no entry
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
	ConsoleKey *rsa.PublicKey // of simulated consoles, 2048 bits; nil: real consoles (docs/protocol.md §4)

	settings func() []Setting
}

// Console is what the owner wrote about one console. HostID or Address is set; HostID wins when the address changes.
type Console struct {
	HostID     string         // 12 upper-case hexadecimal digits, or empty
	Address    netip.AddrPort // IPv4, with the DDP port; the zero value when left out
	Name       string         // at most 64 bytes, or empty
	Credential Secret         // 64 lower-case hexadecimal digits, or empty
	Passcode   Secret         // 4 digits, or empty
	SetupCode  Secret         // written 518-08-582, or empty: random and remembered
	Category   string         // CategoryTelevision, CategorySetTopBox or CategoryStick
	Remote     Remote
	Titles     []Title
	SwitchUser bool // docs/protocol.md §7, "User"
}

// The categories of Console, which choose the icon that Home shows.
const (
	CategoryTelevision = "television"
	CategorySetTopBox  = "set-top-box"
	CategoryStick      = "stick"
)

// Title is a title that the owner wants as an input of a console.
type Title struct {
	ID     string // upper case, CUSA00129
	Name   string // at most 256 bytes; empty: the one found in the metadata
	Pin    bool
	Remote Remote // overrides the console's while this title runs
}

// Remote overrides what remote keys do: the name of a HomeKit key (RemoteKeys) to that of a button (Buttons).
// Keys that are missing keep their default.
type Remote struct {
	Keys   map[string]string // for one press
	Double map[string]string // for two presses within 250 ms (docs/homekit.md §5)
}

// Discovery says how consoles are searched.
type Discovery struct {
	Enabled    bool
	Interval   time.Duration    // 200 ms to 24 h
	Interfaces []string         // empty: all
	Broadcast  []netip.AddrPort // IPv4, with port
	LocalPort  uint16           // UDP; 0: a free one
}

// Poll says how the state of a console is followed.
type Poll struct {
	Interval time.Duration // 200 ms to 1 h
	Misses   int           // polls without an answer until a console counts as unreachable, 1 to 100
}

// Session says how long a session with a console is kept.
type Session struct {
	Idle time.Duration // 1 s to 24 h
}

// HomeKit says where the HomeKit servers are.
type HomeKit struct {
	Interfaces []string   // those that are announced on; empty: all
	Bind       netip.Addr // the zero value: all addresses
	Port       uint16     // of the first console, the next ones count up; 0: a free one each, remembered
	Slots      int        // inputs of each console, the two fixed ones counted: 3 to 90 (docs/homekit.md §4)
}

// Companion describes the optional bridge of docs/homekit.md §1.
type Companion struct {
	Enabled   bool
	SetupCode Secret   // written 518-08-582, or empty: random and remembered
	Titles    []string // title ids that get a switch, upper case
}

// Art says where title metadata and cover art come from and how much is kept. The URLs are a scheme and a host (and port),
// without a path or a final slash: they replace those of the addresses in docs/protocol.md §8.
type Art struct {
	Enabled     bool
	Dir         string // empty: below the state directory
	MaxMB       int    // 1 to 100,000 megabytes
	Country     string // two lower-case letters
	Language    string // two lower-case letters
	TMDBURL     string
	UpdatesURL  string
	PackagesURL string
	ListsURL    string
	StoreURL    string
	ChihiroURL  string
}

// Web describes the local web page.
type Web struct {
	Listen       string   // HOST:PORT as net.Listen takes it; HOST may be empty, PORT may be 0
	PasswordHash Secret   // bcrypt, or empty: made at the first start
	TLSCert      string   // path of a PEM file; set together with TLSKey, and they fit
	TLSKey       string   // path of a PEM file
	AllowedHosts []string // further names that the page may be reached by: lower case, without port
}

// Metrics says whether /metrics is served.
type Metrics struct {
	Enabled bool
}

// Log says what is logged.
type Log struct {
	Level  string // trace, debug, info, warn or error
	Format string // text or json
}

// PSN says where to sign in to the PlayStation Network (docs/protocol.md §2).
type PSN struct {
	AuthURL string // scheme and host, without a path or a final slash
}

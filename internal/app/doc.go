// Package app wires the parts of a running `ps4kit serve` together and owns its
// goroutines.
//
// For each console that is configured, remembered, discovered or simulated there
// is one unit (unit.go): a television (package accessory) that drives the console,
// and a HAP server (package hapserver) that offers it to HomeKit. A unit that fails
// is logged and left out; it never takes another one down. Beside the units run
// discovery, the HTTP server of `web.listen`, the one on the unix socket, and the
// watchdog of systemd. All of them end with the context of Run.
package app

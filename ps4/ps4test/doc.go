// Package ps4test simulates PlayStation 4 consoles, the way net/http/httptest
// offers servers: for the tests of programs that talk to a console, and for
// trying them with no console at all.
//
//	console, err := ps4test.New(ps4test.Config{
//		Name:   "Den",
//		PIN:    "12345678",
//		Titles: []ps4test.Title{{ID: "CUSA00129", Name: "Netflix"}},
//		Timing: ps4test.FastTiming(),
//	})
//	if err != nil { ... }
//	defer console.Close()
//	den := ps4.NewConsole(console.Addr(), credential, console.Options())
//
// A console answers on UDP, opens its TCP port after a LAUNCH for a while,
// takes logins, heartbeats, keys, titles, text and rest mode as
// docs/protocol.md §1 to §7 say. What only hardware can settle (§9) is a field
// of [Timing] or [Config], so that a test can try both answers.
//
// # Watching it
//
// Everything that arrives is counted and recorded: [Console.Counters],
// [Console.Keys], [Console.Logins], [Console.Boots]. [Console.WaitFor] blocks
// until a [Snapshot] is as wanted, so tests need no sleeps. [Console.SetFaults]
// makes the network or the console misbehave.
//
// # Time and network
//
// With [Config.Network] set, consoles and clients share an in-memory network
// whose waits are durably blocking: inside a testing/synctest bubble, minutes of
// protocol take no time. Without it they use real sockets on [Config.Addr].
//
// A simulated console has a key pair of its own, so clients must be given
// [Console.PublicKey]; nothing else about them changes.
package ps4test

// Package ps4 drives a PlayStation 4 over the network, with the protocol of
// the PS4 2nd Screen app: it finds consoles, wakes them and puts them to rest,
// starts titles, presses keys and types text.
//
// # The wire
//
// Two conversations, of which docs/protocol.md tells the whole:
//
//	UDP 987, text                          TCP 997, binary, encrypted
//
//	-> SRCH    what are you doing?         -> hello               28 bytes
//	<- 200 Ok, or 620 Server Standby       <- hello, IV           36 bytes
//	-> WAKEUP  leave rest mode             -> RSA(session key)   280 bytes
//	-> LAUNCH  open TCP 997 for a while    == AES-128-CBC from here ==
//	                                       -> login              384 bytes
//	                                       <- result              16 bytes
//	                                       <- heartbeat -> status, all the while
//	                                       -> keys, titles, standby, text
//
// # Guide
//
// [Discover] finds consoles; [NewConsole] takes the address of one. Asking for
// its [Console.Status] needs nothing else. Everything more needs the
// credential of a PSN user: [CredentialFromAccountID] computes it,
// [PSN] gets it by signing in, [CaptureCredential] takes it from the phone app. A console must be linked once with the PIN that it
// shows: [Console.Link].
//
// A console in rest mode is woken by [Console.WakeWait]. One that is on is
// driven through a [Session], which [Console.Open] opens and which has to be
// closed. Each opening shows a toast on the TV, so a program that presses keys
// now and then uses a [Keeper], which holds a session for a minute. [Watch]
// follows the state of a console.
//
// # Errors, secrets, goroutines
//
// Errors are compared with [errors.Is]: the sentinels of this package, and
// [ResultError] for what a console refuses. Both say what to do, and have a
// Code() for programs and a Hint() for people.
//
// Credentials, PINs and passcodes print as [redacted] under every verb and
// encoder; only their Reveal methods tell. No error and no log line holds one.
//
// Whatever starts a goroutine has a Close that waits for it. Nothing here is
// global; the nil [*Options] works.
package ps4

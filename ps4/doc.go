// Package ps4 controls PlayStation 4 consoles on the local network, by the
// protocol of Sony's PS4 Second Screen app. It finds consoles, follows their
// state, wakes them, puts them into rest mode, starts titles, presses keys and
// types text.
//
// # The wire
//
// A console takes part in two conversations. The repository's docs/protocol.md
// describes them completely; this package cites its sections as
// "docs/protocol.md §n".
//
//	UDP 987, text (§1)                     TCP 997, binary (§3 to §7)
//
//	-> SRCH    ask for the status          -> hello               28 bytes
//	<- 200 Ok, or 620 Server Standby       <- hello, IV           36 bytes
//	-> WAKEUP  leave rest mode             -> RSA(session key)   280 bytes
//	-> LAUNCH  open TCP 997 for a while    == AES-128-CBC from here ==
//	                                       -> login              384 bytes
//	                                       <- result              16 bytes
//	                                       <- heartbeat, -> status, repeatedly
//	                                       -> keys, titles, standby, text
//
// # Guide
//
// [Listen] opens a [Network], the UDP socket that any number of consoles share.
// [Network.Discover] finds consoles, and [Network.Console] returns a [Console]
// for an address. A program that has only one can use [NewConsole] instead.
//
// [Console.Status] asks for the state once, and [Watch] follows it. Neither
// needs a credential; all other commands do. A credential stands for a PSN
// user: [CredentialFromAccountID] computes it, [PSN] gets it by signing in,
// [CaptureCredential] receives it from the phone app, and [ImportCredentials]
// reads it from the files of similar programs. Each user must be linked with
// the console once, with a PIN that the console shows: see [Console.Link].
//
// [Console.WakeWait] wakes a console in rest mode, [Console.Toggle] changes
// between on and rest mode, and [Console.StartTitle] wakes the console and
// starts a title. Everything else needs a [Session], which [Console.Open]
// returns: it presses keys, types text and puts the console into rest mode. A
// console shows a toast on the TV for each new session, so a program that
// presses keys now and then uses a [Keeper], which holds the session for a
// minute.
//
// A simulated console (see package ps4test) has a key of its own, which
// [ParseServerKey] parses for [Options.ServerKey].
//
// # Errors
//
// Functions document the sentinels that they return; compare them with
// [errors.Is]. A refusal of the console is a [ResultError]. Sentinels and
// refusals implement [Error], which has a code for programs and a hint for
// users. Some carry more: an error that is [ErrOtherConsole], for example, is
// an [*OtherConsoleError] that names the console that answers at the address.
//
// When a context ends, functions return its cause, except that a deadline
// becomes [ErrUnreachable] or [ErrNotWoken] while they wait for a console's
// status.
//
// # Secrets and goroutines
//
// Credentials, PINs and passcodes print as [redacted] under every verb and
// encoder; only their Reveal methods return the text. No error and no log line
// contains a secret.
//
// A Network, a Session and a Keeper own goroutines, and their Close methods
// wait for these to end. The goroutine of a Watch ends with its context.
package ps4

// Package accessory makes a PlayStation 4 a HomeKit television (docs/homekit.md §1 to §5).
//
// A [Television] has an accessory, which a HAP server publishes, and a console, which it polls and drives:
//
//	controllers ──writes──▶ handlers ──▶ machine ──▶ worker ──▶ one session of the console
//	            ◀─events── publisher ◀── machine ◀── poller ◀── its status
//
// Reads come from memory and writes are answered at once; what becomes of them is the machine's business (machine.go, with its
// table in testdata/intents.md). The protocol cannot list what is installed, so the inputs are the titles that the owner
// configured and those that were seen running; they share a fixed pool of slots, because a television may not change its
// structure (inputs.go). Commands of other front ends take the same way as HomeKit's.
package accessory

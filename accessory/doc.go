// Package accessory makes a console a HomeKit television (docs/homekit.md §1 to
// §5).
//
// A [Television] has an accessory, which a HAP server publishes, and a console,
// which it follows and drives:
//
//	controllers ──writes──▶ handlers ──▶ machine ──▶ worker ──▶ session of the console
//	            ◀─events── publisher ◀── machine ◀── watch ◀── state of the console
//
// Reads come from memory. Writes are answered at once; the machine (machine.go,
// with its table in testdata/intents.md) then pursues them. The protocol cannot
// list what is installed, so the inputs are the titles that were configured,
// added or seen running. They share a fixed pool of slots, because a television
// may not change its structure (inputs.go). Commands of other front ends take the
// same path as writes from HomeKit.
package accessory

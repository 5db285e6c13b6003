// Package hapserver makes accessories of github.com/brutella/hap's model reachable for HomeKit controllers: pairing, encrypted
// sessions, requests, events and the announcement of one HAP server over IP. It knows no console.
//
// # On the wire
//
// One TCP connection, HTTP/1.1 in the clear until pair-verify's last message has been answered, in frames after it:
//
//	pair-setup   M1 ->  <- M2 salt, B   M3 A, proof ->  <- M4 proof   M5 sealed key ->  <- M6 sealed key      (once)
//	pair-verify  M1 X25519 key ->  <- M2 key, sealed signature   M3 sealed signature ->  <- M4                (each connection)
//
//	+--------------+---------------------------------+-----------+
//	| length n (2) | ChaCha20-Poly1305 of n <= 1024  | tag (16)  |   little endian; the length is authenticated;
//	+--------------+---------------------------------+-----------+   the nonce counts frames, one counter each way
//
// Inside the frames run requests and responses, and between two responses the events: "EVENT/1.0 200 OK" with the JSON of
// a read. docs/homekit.md §6 lists what this layer has to withstand and why hap's own server is not used;
// docs/adr/0001-own-hap-session-layer.md tells how it is built.
//
// # What is trusted
//
// Nothing that a stranger sends: limits of time, size and number hold before anything is kept (Limits). A verified controller may
// read and write what the model allows; it is never waited for when something is to be told to another one.
// Codes, keys and pairings are in no log, no error and no %v output.
package hapserver

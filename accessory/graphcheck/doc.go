// Package graphcheck reads the answer to GET /accessories as a controller does, and holds it against docs/homekit.md §2 to §4.
//
// It knows nothing of how the accessories were made, so that a mistake there is none here. Every rule has a test that breaks it.
package graphcheck

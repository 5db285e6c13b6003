//go:build race

package hapserver

// raceEnabled says that the race detector makes everything ten times as slow.
const raceEnabled = true

//go:build !race

package hapserver

const raceEnabled = false

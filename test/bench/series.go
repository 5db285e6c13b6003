package main

import (
	"math"
	"slices"
	"time"
)

// series are durations of the same thing.
type series []time.Duration

// at returns the value that so many percent of the series do not exceed, in
// milliseconds; of an empty series it is not a number.
func (s series) at(percent int) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return milliseconds(sorted[(len(sorted)*percent+99)/100-1])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

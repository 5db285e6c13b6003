package remoteplay_test

import (
	"context"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// BenchmarkFirstKey opens a session and its stream over loopback, with the
// delays of a real console as far as they are known, and presses a key.
func BenchmarkFirstKey(b *testing.B) {
	var total time.Duration
	for b.Loop() {
		sim, c := simulated(b, ps4test.Config{}, nil)
		start := time.Now()
		if err := keys(b, c, ps4.Key{Button: ps4.Up}); err != nil {
			b.Fatal(err)
		}
		total += sim.Keys()[0].At.Sub(start)
		c.Close()
		sim.Close()
	}
	b.ReportMetric(total.Seconds()*1000/float64(b.N), "ms/first-key")
}

// BenchmarkWarmKey measures how long a key needs in an open stream until the
// console has it.
func BenchmarkWarmKey(b *testing.B) {
	sim, c := simulated(b, ps4test.Config{Timing: ps4test.FastTiming()}, nil)
	tap(b, c, ps4.Up)
	var total, worst time.Duration
	b.ReportAllocs()
	for b.Loop() {
		time.Sleep(100 * time.Millisecond) // the pause between keys is over
		before, start := sim.Counters().Operations, time.Now()
		if err := keys(b, c, ps4.Key{Button: ps4.Down, Hold: time.Millisecond}); err != nil {
			b.Fatal(err)
		}
		now, err := sim.WaitFor(b.Context(), func(s ps4test.Snapshot) bool { return s.Counters.Operations == before+2 })
		if err != nil {
			b.Fatal(err)
		}
		took := now.Keys[len(now.Keys)-2].At.Sub(start)
		total, worst = total+took, max(worst, took)
	}
	b.ReportMetric(total.Seconds()*1e6/float64(b.N), "µs/press")
	b.ReportMetric(worst.Seconds()*1e6, "µs/worst-press")
}

// BenchmarkKeys presses taps one after the other.
func BenchmarkKeys(b *testing.B) {
	_, c := simulated(b, ps4test.Config{Timing: ps4test.FastTiming()}, nil)
	tap(b, c, ps4.Up)
	start := time.Now()
	b.ReportAllocs()
	err := c.Do(b.Context(), func(ctx context.Context, s *remoteplay.Session) error {
		for b.Loop() {
			if err := s.Press(ctx, ps4.Down); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "keys/s")
}

// BenchmarkIdleStream measures a stream without keys for a second.
func BenchmarkIdleStream(b *testing.B) {
	sim, c := simulated(b, ps4test.Config{Timing: ps4test.FastTiming()}, nil)
	tap(b, c, ps4.Up)
	before := sim.Counters()
	start := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		time.Sleep(time.Second)
	}
	now := sim.Counters()
	seconds := time.Since(start).Seconds()
	b.ReportMetric(float64(now.MediaBytes-before.MediaBytes)/seconds, "media-B/s")
	b.ReportMetric(float64(now.StreamPackets-before.StreamPackets)/seconds, "sent-packets/s")
}

package remoteplay_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// streamKinds are the kinds of packets that a session with keys has, and ">" for
// those of the client. "probe" marks those of the other port.
var streamKinds = []string{
	"probe>INIT", "probe<INIT_ACK", "probe>COOKIE", "probe<COOKIE_ACK", "probe>DATA 31", "probe<DATA 32", "probe>DATA 0", "probe<DATA 1",
	"probe>DATA 8", "probe>DATA_ACK", "probe<DATA_ACK",
	">INIT", "<INIT_ACK", ">COOKIE", "<COOKIE_ACK", ">DATA 0", ">DATA more", "<DATA 1", "<DATA 13", ">DATA 14", ">DATA 21",
	">DATA 3", "<DATA 3", ">DATA 8", ">DATA_ACK", "<DATA_ACK", ">history", ">state", ">report", "<video", "<audio",
}

// kindOf returns the kind of a packet, or nothing for one that belongs to no
// stream. Ports are those of the session and of the two that follow.
func kindOf(packet []byte, to netip.AddrPort, session uint16) string {
	prefix := "<"
	switch to.Port() {
	case session:
		return "" // a search word
	case session + 1:
		prefix = ">"
	case session + 2:
		prefix = "probe>"
	}
	if len(packet) > 20 && packet[0] > 'A' {
		return "" // discovery
	}
	switch takion.TypeOf(packet) {
	case takion.TypeFeedbackHistory:
		return prefix + "history"
	case takion.TypeFeedbackState:
		return prefix + "state"
	case takion.TypeCongestion:
		return prefix + "report"
	case takion.TypeVideo:
		return prefix + "video"
	case takion.TypeAudio:
		return prefix + "audio"
	}
	c, err := takion.ParseControl(packet)
	if err != nil {
		return ""
	}
	switch names := map[takion.Chunk]string{1: "INIT", 2: "INIT_ACK", 3: "DATA_ACK", 10: "COOKIE", 11: "COOKIE_ACK"}; {
	case c.Chunk != takion.ChunkData:
		return prefix + names[c.Chunk]
	case c.Body[8] != 0 || c.Body[9] != 8:
		return prefix + "DATA more" // a later fragment
	default:
		return prefix + fmt.Sprintf("DATA %d", c.Body[10])
	}
}

// mishaps says what happens to the nth packet of a kind.
var mishaps = map[string]func(n int) []time.Duration{
	"lost once": func(n int) []time.Duration {
		if n == 0 {
			return nil
		}
		return []time.Duration{0}
	},
	"lost twice": func(n int) []time.Duration {
		if n < 2 {
			return nil
		}
		return []time.Duration{0}
	},
	"duplicated": func(int) []time.Duration { return []time.Duration{0, 0, 35 * time.Millisecond} },
	"late":       func(int) []time.Duration { return []time.Duration{35 * time.Millisecond} },
	"first late": func(n int) []time.Duration {
		return []time.Duration{time.Duration(max(0, 1-n)) * 300 * time.Millisecond}
	},
}

// TestMishaps: whatever happens to the packets of one kind, each key arrives
// once and in order, and the stream opens and closes once.
func TestMishaps(t *testing.T) {
	t.Parallel()
	for name, mishap := range mishaps {
		for _, kind := range streamKinds {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					network, seen := ps4test.NewNetwork(), map[string]int{}
					sim, c := simulated(t, ps4test.Config{Network: network}, nil)
					network.OnDatagram(func(packet []byte, to netip.AddrPort) []time.Duration {
						k := kindOf(packet, to, sim.RemotePlayAddr().Port())
						if strings.HasPrefix(k, "<") && seen[">INIT"] == 0 {
							k = "probe" + k
						}
						n := seen[k]
						seen[k]++
						if k != kind {
							return []time.Duration{0}
						}
						return mishap(n)
					})
					tap(t, c, ps4.Up, ps4.Triangle, ps4.Triangle)
					time.Sleep(2500 * time.Millisecond)
					tap(t, c, ps4.Down, ps4.R1)
					c.Drop()
					time.Sleep(time.Second)
					network.OnDatagram(nil)
					pressed(t, sim, "up", "triangle", "triangle", "down", "r1")
					n := sim.Counters()
					if n.Streams != 1 || n.StreamsClosed != 1 || n.Controls != 1 || n.ButtonsLeftDown != 0 {
						t.Errorf("counters %+v", n)
					}
					if seen[kind] == 0 {
						t.Errorf("no such packet; seen: %v", seen)
					}
				})
			})
		}
	}
}

// TestDamage changes one packet of each signed kind. Neither side believes it, and
// what it said is said again.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{
		"<DATA 13", ">DATA 14", ">DATA 21", ">DATA 3", "<DATA 3", ">DATA 8", ">history", ">state", ">report",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network, damaged := ps4test.NewNetwork(), false
				sim, c := simulated(t, ps4test.Config{Network: network}, nil)
				network.OnDatagram(func(packet []byte, to netip.AddrPort) []time.Duration {
					if kindOf(packet, to, sim.RemotePlayAddr().Port()) == kind && !damaged {
						damaged = true
						packet[len(packet)-1] ^= 0x40
					}
					return []time.Duration{0}
				})
				tap(t, c, ps4.Up, ps4.Down)
				time.Sleep(1500 * time.Millisecond)
				c.Drop()
				network.OnDatagram(nil)
				pressed(t, sim, "up", "down")
				if n := sim.Counters(); n.StreamsClosed != 1 || !damaged || strings.HasPrefix(kind, ">") != (n.StreamErrors == 1) {
					t.Errorf("damaged: %v, counters %+v", damaged, n)
				}
			})
		})
	}
}

// TestLoss presses keys over a network that loses 2 of 100 packets, duplicates
// as many, and delays one in ten.
func TestLoss(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network, random, mishap := ps4test.NewNetwork(), rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
				sim, c := simulated(t, ps4test.Config{Network: network}, func(o *remoteplay.Options) { o.Logf = t.Logf })
				tap(t, c, ps4.Enter) // discovery and the session are not the stream's matter
				network.OnDatagram(func([]byte, netip.AddrPort) []time.Duration {
					switch n := mishap.IntN(100); {
					case n < 2:
						return nil
					case n < 4:
						return []time.Duration{0, time.Duration(mishap.IntN(60)) * time.Millisecond}
					case n < 14:
						return []time.Duration{time.Duration(mishap.IntN(60)) * time.Millisecond}
					}
					return []time.Duration{0}
				})
				want, buttons := []string{"enter"}, []ps4.Button{ps4.Up, ps4.Up, ps4.Square, ps4.Option, ps4.L3, ps4.Left}
				for range 40 {
					var list []ps4.Button
					for range 1 + random.IntN(5) {
						b := buttons[random.IntN(len(buttons))]
						list, want = append(list, b), append(want, b.String())
					}
					tap(t, c, list...)
					time.Sleep(time.Duration(random.IntN(10)) * time.Second)
				}
				time.Sleep(time.Second)
				if got := sim.Presses(); !slices.Equal(got, want) {
					t.Errorf("the console saw %v, want %v", got, want)
				}
				c.Drop()
				if n := sim.Counters(); n.Streams != 1 || n.ButtonsLeftDown != 0 {
					t.Errorf("counters %+v", n)
				}
			})
		})
	}
}

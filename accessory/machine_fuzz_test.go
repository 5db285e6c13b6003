package accessory

import (
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// FuzzMachine gives the machine any order of events, one per byte and some time apart, and then five quiet minutes with a console
// that says one thing. At every moment at most one command uses the session; in the end nothing is under way, and HomeKit shows what the
// console says.
func FuzzMachine(f *testing.F) {
	for _, seed := range []string{"", "\x00\x10\x20", "a0b1c2d3e4f5", "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", "zzzzyyyyxxxx0123456789"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 200 {
			return
		}
		s := newStory(t, "awake")
		for _, b := range script {
			s.run(s.now.Add([]time.Duration{0, 50 * time.Millisecond, time.Second, 20 * time.Second}[b>>6]))
			s.random(int(b & 0x3f))
		}
		s.run(s.now.Add(5 * time.Minute))
		if awake := s.console.State == ps4.StateAwake; s.m.active() != awake || s.m.target() != nil || s.m.working() {
			t.Errorf("console %v, machine %+v", s.console.State, s.m)
		}
	})
}

// random does what a number says.
func (s *story) random(n int) {
	switch n % 13 {
	case 0:
		s.write(setPower{powerOn})
	case 1:
		s.write(setPower{powerOff})
	case 2:
		s.write(selectTitle{title: "A"})
	case 3:
		s.write(selectTitle{title: "B"})
	case 4:
		s.write(selectTitle{})
	case 5, 6, 7, 8:
		s.answer([]string{"awake", "awake A", "rest", "silent"}[n%13-5])
	default:
		ends := []error{nil, ps4.ErrStandbyDisabled, ps4.ErrUnreachable, ps4.ErrStandby}
		if s.m.busy != nil {
			s.reached = n > 30
			s.finish(ends[n%13-9])
		}
	}
}

package accessory_test

import (
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// TestReadsComeFromMemory: nothing is called for a read, so that a console that is slow or gone delays none and fails none.
func TestReadsComeFromMemory(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.silent = true })
		r.after(time.Minute)
		for _, s := range r.tv.Accessory().Ss {
			for _, c := range s.Cs {
				if c.ValueRequestFunc != nil {
					r.t.Errorf("a read of characteristic %d calls a function", c.Id)
				}
				if c.IsReadable() && c.Value() == nil {
					r.t.Errorf("characteristic %d has no value", c.Id)
				}
			}
		}
		r.wantValue(active, 0)
		r.wantConsole()
	})
}

package accessory_test

import (
	"io/fs"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	hapmodel "github.com/brutella/hap/accessory"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/mdns"
	"github.com/ps4kit/ps4kit/ps4"
)

var _ accessory.Publisher = (*hapserver.Server)(nil)

// records is a hapserver.Store in memory.
type records struct{ r *hapserver.Record }

func (s *records) Load() (hapserver.Record, error) {
	if s.r == nil {
		return hapserver.Record{}, fs.ErrNotExist
	}
	return *s.r, nil
}

func (s *records) Save(r hapserver.Record) error {
	s.r = &r
	return nil
}

// errorLog fails a test when a server logs an error.
type errorLog struct {
	mdns.Discard
	t *testing.T
}

func (l errorLog) Errorf(format string, args ...any) { l.t.Errorf(format, args...) }

// TestServer: the real server takes the accessory as it is, and every value that it is given.
func TestServer(t *testing.T) {
	t.Parallel()
	store := &records{}
	server := func(slots int) (*accessory.Television, *hapserver.Server) {
		tv := newTV(t, accessory.Config{Name: "Den", Slots: slots, Titles: []accessory.Title{{ID: "CUSA00129", Name: "Netflix"}}})
		s, err := hapserver.New(&hapserver.Options{
			Name: "Den", Category: 31, Accessories: []*hapmodel.A{tv.Accessory()}, Store: store,
			Log: errorLog{t: t},
		})
		if err != nil {
			t.Fatal(err)
		}
		tv.Attach(s)
		return tv, s
	}
	tv, s := server(40)
	number := s.Info().ConfigNumber
	must(t, tv.AddTitle("CUSA00001", ""), tv.HideTitle("CUSA00129", true), tv.RenameTitle("CUSA00129", "Films"), tv.SetOrder([]string{"CUSA00129"}), tv.Rename("Attic"))
	if tv, s = server(40); s.Info().ConfigNumber != number {
		t.Error("c# changed with values only")
	}
	wantInputs(t, tv, "1 Home Screen", "3 Netflix", "2 Other") // its own store is empty
	if _, s = server(41); s.Info().ConfigNumber == number {
		t.Error("c# stayed with another structure")
	}
}

// TestEverythingAtOnce is for the race detector: controllers, commands, edits, readers and the console's own changes together. In
// the end the television shows what the console is.
func TestEverythingAtOnce(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		var group sync.WaitGroup
		for worker := range 8 {
			group.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(worker))) //nolint:gosec // a test
				for range 200 {
					r.disturb(random)
					time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
				}
			})
		}
		group.Wait()
		r.console.set(func(c *fakeConsole) { c.silent = false })
		r.after(5 * time.Minute)
		if s := r.tv.Snapshot(); s.Working || s.State != r.console.status.State || s.Active != (s.State == ps4.StateAwake) || r.value(active) == 1 != s.Active {
			t.Errorf("console %+v, television %+v", r.console.status, s)
		}
	})
}

func (r *rig) disturb(random *rand.Rand) {
	by := &http.Request{RemoteAddr: "B"}
	switch n := random.IntN(8); n {
	case 0, 1:
		r.c(active).SetValueRequestFunc(n, by)
	case 2:
		r.c(activeID).SetValueRequestFunc(1+random.IntN(5), by)
	case 3:
		r.c(key).SetValueRequestFunc(random.IntN(17), by)
	case 4:
		r.c(input(3, target)).SetValueRequestFunc(random.IntN(2), by)
	case 5:
		r.c(tvName).SetValueRequestFunc([]string{"Den", "Attic"}[random.IntN(2)], by)
	case 6:
		r.console.set(func(c *fakeConsole) { c.silent = !c.silent })
	case 7:
		r.tv.Snapshot()
		r.c(order).Value()
	}
}

package hapserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"
	"github.com/brutella/hap/service"

	"github.com/ps4kit/ps4kit/internal/mdns"
)

func TestNewMakesAnIdentityOnce(t *testing.T) {
	t.Parallel()
	store := &memoryStore{}
	noCode := func(o *Options) { o.SetupCode = "" }
	first, second := newFixture(t, store, noCode), newFixture(t, store, noCode)
	a, b := first.Info(), second.Info()
	if a.DeviceID != b.DeviceID || a.SetupCode != b.SetupCode || a.SetupID != b.SetupID || a.ConfigNumber != 1 || b.ConfigNumber != 1 {
		t.Error("a restart changes the identity")
	}
	if store.saves != 1 || a.DeviceID == "" || a.SetupCode == "" {
		t.Errorf("%d saves, device id %s", store.saves, a.DeviceID)
	}
	if other := newUnpaired(t, noCode).Info(); other.DeviceID == a.DeviceID || other.SetupCode == a.SetupCode {
		t.Error("two servers are alike")
	}
	if c := newFixture(t, store).Info(); c.SetupCode != testCode {
		t.Error("a configured code does not replace the stored one")
	}
	if d := newFixture(t, store, noCode).Info(); d.SetupCode != testCode {
		t.Error("the code is not stored")
	}
}

// Empty or damaged files meant a new identity, or an accessory open to pairing,
// in hap v0.0.35.
func TestNewRefusesADamagedRecord(t *testing.T) {
	t.Parallel()
	admin := newController("admin")
	for name, damage := range map[string]func(*Record){
		"empty":               func(r *Record) { *r = Record{} },
		"device id":           func(r *Record) { r.DeviceID = "a3:fb:3d:4d:2e:ac" },
		"seed":                func(r *Record) { r.Seed = r.Seed[1:] },
		"setup code":          func(r *Record) { r.SetupCode = "" },
		"setup code form":     func(r *Record) { r.SetupCode = "51808582" },
		"setup id":            func(r *Record) { r.SetupID = "7OS" },
		"setup id form":       func(r *Record) { r.SetupID = "7O/X" },
		"config number":       func(r *Record) { r.ConfigNumber = 0 },
		"failures":            func(r *Record) { r.SetupFailures = -1 },
		"pairing key":         func(r *Record) { r.Pairings[0].PublicKey = nil },
		"pairing id":          func(r *Record) { r.Pairings[0].ID = "" },
		"pairings alike":      func(r *Record) { r.Pairings = append(r.Pairings, r.Pairings[0]) },
		"pairings, no admins": func(r *Record) { r.Pairings[0].Admin = false },
	} {
		r := newRecord("")
		r.Pairings = []Pairing{admin.pairing(true)}
		damage(&r)
		store := &memoryStore{rec: &r}
		_, err := New(&Options{Accessories: []*accessory.A{newModel().a}, Store: store})
		if err == nil || store.saves != 0 || !strings.Contains(err.Error(), "identity and pairings") {
			t.Errorf("%s: %v, %d saves", name, err, store.saves)
		}
	}
	store := &memoryStore{err: errDisk}
	if _, err := New(&Options{Accessories: []*accessory.A{newModel().a}, Store: store}); !errors.Is(err, errDisk) {
		t.Errorf("unreadable: %v", err)
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	t.Parallel()
	with := func(change func(a *accessory.A)) []*accessory.A {
		m := newModel()
		change(m.a)
		return []*accessory.A{m.a}
	}
	two := func(id uint64) []*accessory.A {
		a, b := newModel().a, newModel().a
		b.Id = id
		return []*accessory.A{a, b}
	}
	for name, o := range map[string]*Options{
		"nothing":     {Store: &memoryStore{}},
		"id 2 first":  {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) { a.Id = 2 })},
		"id twice":    {Store: &memoryStore{}, Accessories: two(1)},
		"id 0":        {Store: &memoryStore{}, Accessories: two(0)},
		"no services": {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) { a.Ss = nil })},
		"101 services": {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) {
			for i := range uint64(99) {
				a.Ss = append(a.Ss, &service.S{Id: 1000 + i})
			}
		})},
		"iid 0":          {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) { a.Ss[1].Cs[0].Id = 0 })},
		"iid twice":      {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) { a.Ss[1].Id = 2 })},
		"unknown format": {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) { a.Ss[1].Cs[0].Format = "int" })},
		"float":          {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) { a.Ss[1].Cs[0].Format = "float" })},
		"value on request": {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) {
			a.Ss[1].Cs[0].ValueRequestFunc = func(*http.Request) (any, int) { return nil, 0 }
		})},
		"stray link": {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) { a.Ss[1].AddS(&service.S{Id: 77}) })},
		"cell twice": {Store: &memoryStore{}, Accessories: with(func(a *accessory.A) {
			a.Ss[1].Cs[0].Id = 500
			a.Ss = append(a.Ss, &service.S{Id: 501, Cs: []*characteristic.C{a.Ss[1].Cs[0]}})
		})},
	} {
		if s, err := New(o); err == nil || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// c# only goes upwards, and only with the structure: values do not matter.
func TestConfigNumber(t *testing.T) {
	t.Parallel()
	store := &memoryStore{}
	start := func(change func(m *model)) uint16 {
		m := newModel()
		change(m)
		s, err := New(&Options{Accessories: []*accessory.A{m.a}, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		return s.Info().ConfigNumber
	}
	same := func(*model) {}
	for i, step := range []struct {
		change func(m *model)
		want   uint16
	}{
		{same, 1},
		{func(m *model) { m.cs[iidName].Val = "other"; m.cs[iidActive].Val = 1 }, 1},
		{func(m *model) { m.cs[iidActive].MaxVal = 2 }, 2},
		{func(m *model) { m.a.Ss[1].Cs = m.a.Ss[1].Cs[1:] }, 3},
		{same, 4},
		{func(m *model) { m.a.Ss[1].Primary = false }, 5},
	} {
		if got := start(step.change); got != step.want {
			t.Errorf("step %d: c# %d, want %d", i, got, step.want)
		}
	}
	store.rec.ConfigNumber = 65535
	if got := start(same); got != 1 {
		t.Errorf("after 65535 comes %d", got)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	f := newPaired(t)
	r, o, i := *f.records.load(), f.o, f.Info()
	for _, v := range []any{r, &r, o, &o, i, &i, []Record{r}, map[string]Info{"x": i}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, testCode) || strings.Contains(got, fmt.Sprintf("%x", r.Seed)) || strings.Contains(got, fmt.Sprint(r.Seed[:4])[1:8]) {
				t.Errorf("%T under %s prints a secret", v, verb)
			}
		}
	}
}

// Everything that Serve started has ended when it returns, in well under 2
// seconds, whatever the peers are doing.
func TestServeStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newPaired(t)
		stop := f.startPiped(t)
		c := f.connect(t, nil).subscribe(t, iidActive)
		f.dial().Write([]byte("POST /pair-setup HTTP/1.1\r\nContent-"))
		f.dial()
		f.Set(f.m.cs[iidActive], 1, nil)
		time.Sleep(30 * time.Millisecond) // an event is being written, and not read
		start := time.Now()
		stop()
		if d := time.Since(start); d != 0 {
			t.Errorf("it took %v", d)
		}
		c.gone(t)
		// And it can serve again.
		defer f.startPiped(t)()
		if a := f.connect(t, nil).must(t, "GET", "/characteristics?id=1.11", nil); a.status != 200 {
			t.Errorf("again: %d", a.status)
		}
	})
}

type brokenListener struct {
	*memoryListener
	errs []error
}

func (l *brokenListener) Accept() (net.Conn, error) {
	if len(l.errs) == 0 {
		return l.memoryListener.Accept()
	}
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}

type temporaryError struct{ error }

func (temporaryError) Temporary() bool { return true }

func TestServeListenerErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newPaired(t)
		broken := errors.New("broken")
		ln := &brokenListener{newMemoryListener(), []error{temporaryError{os.ErrPermission}, temporaryError{os.ErrPermission}, broken}}
		start := time.Now()
		if err := f.Serve(t.Context(), ln); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d != 200*time.Millisecond {
			t.Errorf("after %v", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Serve(ctx, newMemoryListener()); err != nil {
			t.Errorf("cancelled before: %v", err)
		}
	})
}

// fakePublisher records what is published.
type fakePublisher struct {
	mu    sync.Mutex
	calls []string
}

func (f *fakePublisher) record(call string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(call, args...))
}

func (f *fakePublisher) Publish(s mdns.Service) (mdns.Publication, error) {
	f.record("publish %s %s %s %d %s", s.Name, s.Type, s.Host, s.Port, s.Text)
	return f, nil
}

func (f *fakePublisher) Update(text map[string]string) { f.record("update %s", text) }
func (f *fakePublisher) Published() bool               { return true }
func (f *fakePublisher) Close()                        { f.record("close") }

func TestPublish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &fakePublisher{}
		f := newPaired(t, func(o *Options) {
			o.Publisher = fake
			o.Store.(*memoryStore).rec.DeviceID, o.Store.(*memoryStore).rec.SetupID = "A3:FB:3D:4D:2E:AC", "7OSX"
		})
		stop := f.startPiped(t)
		synctest.Wait()
		if err := f.Unpair(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := f.stranger(t).pair(testCode, f.Info().DeviceID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stop()
		text := func(sf string) string {
			return "map[c#:2 ci:31 ff:0 id:A3:FB:3D:4D:2E:AC md:CUH-1216A pv:1.1 s#:1 sf:" + sf + " sh:Rnp7Mg==]"
		}
		want := []string{"publish Den _hap._tcp hap-a3fb3d4d2eac 20000 " + text("0"), "update " + text("1"), "update " + text("0"), "close"}
		if !slices.Equal(fake.calls, want) {
			t.Errorf("%q", fake.calls)
		}
	})
}

package hapserver

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"
	"github.com/brutella/hap/service"
)

const testCode = "518-08-582"

// memoryStore is a Store that can fail.
type memoryStore struct {
	mu    sync.Mutex
	rec   *Record
	err   error
	saves int
}

func (m *memoryStore) Load() (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return Record{}, m.err
	}
	if m.rec == nil {
		return Record{}, fs.ErrNotExist
	}
	return m.rec.clone(), nil
}

func (m *memoryStore) Save(r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	r = r.clone()
	m.rec = &r
	m.saves++
	return nil
}

func (m *memoryStore) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memoryStore) saved() Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rec.clone()
}

var errDisk = errors.New("no space left on device")

// testLog writes to a test's log.
type testLog struct{ t testing.TB }

func (l testLog) Debugf(format string, args ...any) { l.t.Logf("debug: "+format, args...) }
func (l testLog) Infof(format string, args ...any)  { l.t.Logf("info: "+format, args...) }
func (l testLog) Warnf(format string, args ...any)  { l.t.Logf("warn: "+format, args...) }
func (l testLog) Errorf(format string, args ...any) { l.t.Logf("error: "+format, args...) }

// model is an accessory with a characteristic for everything that matters here.
// Instance ids are in the names of the constants.
type model struct {
	a  *accessory.A
	cs map[uint64]*characteristic.C
}

const (
	iidIdentify = 2
	iidModel    = 3
	iidActive   = 11 // uint8 0..1 pr pw ev
	iidKey      = 12 // uint8 0..16 pw
	iidName     = 13 // string pr pw ev
	iidOrder    = 14 // tlv8 pr pw ev
	iidInput    = 15 // uint32 pr pw ev
	iidPercent  = 16 // uint8 0..100 step 5 percent pr pw
	iidOffset   = 17 // int32 -10..10 step 5 pr pw
	iidChoice   = 19 // uint8 1, 2 or 4 pr pw
	iidLock     = 20 // uint8 pr pw tw
	iidControl  = 21 // string pr pw wr
	iidFixed    = 22 // string pr
	iidSwitch   = 23 // bool pr pw ev
	iidShort    = 24 // string of at most 5 bytes, pr pw
	iidWord     = 25 // uint16 pr pw
)

func newModel() *model {
	m := &model{cs: map[uint64]*characteristic.C{}}
	info := service.New("3E")
	info.Id = 1
	tv := service.New("D8")
	tv.Id, tv.Primary = 10, true
	add := func(s *service.S, iid uint64, typ, format string, val any, perms ...string) *characteristic.C {
		c := characteristic.New()
		c.Id, c.Type, c.Format, c.Val, c.Permissions = iid, typ, format, val, perms
		s.AddC(c)
		m.cs[iid] = c
		return c
	}
	add(info, iidIdentify, "14", "bool", nil, "pw")
	add(info, iidModel, "21", "string", "CUH-1216A", "pr")
	c := add(tv, iidActive, "B0", "uint8", 0, "pr", "pw", "ev")
	c.MinVal, c.MaxVal = 0, 1
	c = add(tv, iidKey, "E1", "uint8", nil, "pw")
	c.MinVal, c.MaxVal = 0, 16
	add(tv, iidName, "E3", "string", "Den", "pr", "pw", "ev")
	add(tv, iidOrder, "136", "tlv8", "", "pr", "pw", "ev")
	add(tv, iidInput, "E7", "uint32", 1, "pr", "pw", "ev")
	c = add(tv, iidPercent, "29", "uint8", 0, "pr", "pw")
	c.MinVal, c.MaxVal, c.StepVal, c.Unit = 0, 100, 5, "percentage"
	c = add(tv, iidOffset, "F1", "int32", 0, "pr", "pw")
	c.MinVal, c.MaxVal, c.StepVal = -10, 10, 5
	c = add(tv, iidChoice, "F3", "uint8", 1, "pr", "pw")
	c.ValidVals = []int{1, 2, 4}
	add(tv, iidLock, "F4", "uint8", 0, "pr", "pw", "tw")
	add(tv, iidControl, "F5", "string", "", "pr", "pw", "wr")
	add(tv, iidFixed, "F6", "string", "fixed", "pr")
	add(tv, iidSwitch, "25", "bool", false, "pr", "pw", "ev")
	c = add(tv, iidShort, "F7", "string", "", "pr", "pw")
	c.MaxLen = 5
	add(tv, iidWord, "F8", "uint16", 0, "pr", "pw")
	m.a = &accessory.A{Id: 1, Type: 31, Ss: []*service.S{info, tv}}
	return m
}

// handled collects what a handler gets.
func (m *model) handled(s *Server, iid uint64) func() []any {
	var mu sync.Mutex
	var got []any
	c := m.cs[iid]
	c.SetValueRequestFunc = func(v any, r *http.Request) (any, int) {
		mu.Lock()
		got = append(got, v)
		mu.Unlock()
		s.Set(c, v, r)
		return nil, 0
	}
	return func() []any {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

// fixture is a server with one admin paired already, unless it is made
// unpaired.
type fixture struct {
	*Server
	m     *model
	store *memoryStore
	admin *controller
	addr  string // of the server, on loopback
	dial  func() net.Conn
}

func newUnpaired(t testing.TB, change ...func(*Options)) *fixture {
	t.Helper()
	return newFixture(t, &memoryStore{}, change...)
}

func newPaired(t testing.TB, change ...func(*Options)) *fixture {
	t.Helper()
	admin := newController("AAAAAAAA-0000-0000-0000-000000000001")
	rec := newRecord("")
	rec.SetupCode = testCode
	rec.Pairings = []Pairing{admin.pairing(true)}
	f := newFixture(t, &memoryStore{rec: &rec}, change...)
	f.admin = admin
	return f
}

func newFixture(t testing.TB, store *memoryStore, change ...func(*Options)) *fixture {
	t.Helper()
	m := newModel()
	o := &Options{Name: "Den", Accessories: []*accessory.A{m.a}, Category: 31, SetupCode: testCode, Store: store, Log: testLog{t}}
	for _, c := range change {
		c(o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{Server: s, m: m, store: store}
}

// start serves on loopback until the test ends.
func (f *fixture) start(t testing.TB) *fixture {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	f.dial = func() net.Conn {
		conn, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Error(err)
			return nil
		}
		return conn
	}
	f.serve(t, ln)
	return f
}

func (f *fixture) serve(t testing.TB, ln net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if n := f.Stats().Connections; n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// dialFrom connects from another address of loopback.
func (f *fixture) dialFrom(host string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	return d.Dial("tcp", f.addr)
}

// stranger is a connection that is not verified.
func (f *fixture) stranger(t testing.TB) *controller {
	t.Helper()
	c := newController("BBBBBBBB-0000-0000-0000-000000000002").use(f.dial())
	t.Cleanup(func() { c.conn.Close() })
	return c
}

// connect is a verified connection of c, or of the admin for nil.
func (f *fixture) connect(t testing.TB, c *controller) *controller {
	t.Helper()
	if c == nil {
		c = f.admin
	}
	c = c.again().use(f.dial())
	t.Cleanup(func() { c.conn.Close() })
	if err := c.verify(f.records.load()); err != nil {
		t.Fatal(err)
	}
	return c
}

// memoryListener hands out net.Pipe connections, for tests in a synctest
// bubble.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memoryListener) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 20000}
}

// startPiped serves over net.Pipe; the caller stops it before its bubble ends.
func (f *fixture) startPiped(t testing.TB) (stop func()) {
	ln := newMemoryListener()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Serve(ctx, ln) }()
	f.dial = func() net.Conn {
		here, there := net.Pipe()
		ln.conns <- there
		return here
	}
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

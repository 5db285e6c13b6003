package ps4_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

const (
	testHex  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	testPIN  = "12345678"
	testPass = "2468"
	hostID   = "A0B1C2D3E4F5"
)

var (
	testAddr = netip.MustParseAddrPort("192.0.2.20:987")
	testKey  = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
)

// fake is an in-memory console that logs what it receives and when. It answers
// every request with success unless a test changes it.
type fake struct {
	t     *testing.T
	start time.Time
	iv    [wire.IVSize]byte

	mu     sync.Mutex
	reply  ddp.Reply
	deaf   bool // does not answer SRCH
	log    []string
	login  wire.Login
	keys   [][wire.KeySize]byte // of each connection
	line   *line                // the latest connection
	dial   func(n int) error
	dials  int
	onDDP  func(f *fake, r ddp.Request)
	onTCP  func(f *fake, l *line, p wire.Packet) bool // true: handled
	result map[wire.Type]uint32                       // by type of answer
	from   netip.AddrPort                             // source of replies
	raw    []string                                   // sent before each reply
}

func newFake(t *testing.T) *fake {
	t.Helper()
	return &fake{
		t: t, start: time.Now(), iv: [16]byte{1, 2, 3},
		reply: ddp.Reply{
			Code: ddp.CodeAwake, HostID: hostID, HostType: "PS4", HostName: "Den", RequestPort: 997,
			Version: ddp.Version, SystemVersion: "09508011",
		},
		result: map[wire.Type]uint32{},
		from:   netip.AddrPortFrom(testAddr.Addr(), 54572),
	}
}

func (f *fake) options() *ps4.Options {
	return &ps4.Options{
		ServerKey:    &testKey().PublicKey,
		ListenPacket: f.listenPacket,
		Dial:         f.connect,
		Counters:     &ps4.Counters{},
	}
}

func (f *fake) console(o *ps4.Options) *ps4.Console {
	cred, err := ps4.ParseCredential(testHex)
	if err != nil {
		f.t.Fatal(err)
	}
	return ps4.NewConsole(testAddr, cred, o)
}

// open opens a session, which the test must close.
func (f *fake) open(ctx context.Context) *ps4.Session {
	f.t.Helper()
	s, err := f.console(f.options()).Open(ctx)
	if err != nil {
		f.t.Fatalf("Open: %v", err)
	}
	return s
}

// change changes the fake under its lock.
func (f *fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fake) note(format string, args ...any) {
	f.log = append(f.log, fmt.Sprintf("%v ", time.Since(f.start))+fmt.Sprintf(format, args...))
}

// take returns what happened since the last call, and restarts the clock.
func (f *fake) take() []string {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.log
	f.log, f.start = nil, time.Now()
	return log
}

// takeTCP is take without datagrams.
func (f *fake) takeTCP() []string {
	var packets []string
	for _, line := range f.take() {
		if !strings.Contains(line, "SRCH") && !strings.Contains(line, "LAUNCH") {
			packets = append(packets, line)
		}
	}
	return packets
}

// datagram handles a request and returns the answers.
func (f *fake) datagram(b []byte) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := ddp.ParseRequest(b)
	if err != nil {
		f.t.Errorf("the library sent %q: %v", b, err)
		return nil
	}
	f.note("%s", r.Method)
	if f.onDDP != nil {
		f.onDDP(f, r)
	}
	if r.Method != ddp.Search || f.deaf {
		return nil
	}
	var answers [][]byte
	for _, raw := range f.raw {
		answers = append(answers, []byte(raw))
	}
	return append(answers, f.reply.Marshal())
}

func (f *fake) connect(_ context.Context, network, address string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("dial %s %s", network, address)
	f.dials++
	if f.dial != nil {
		if err := f.dial(f.dials); err != nil {
			return nil, err
		}
	}
	client, server := net.Pipe()
	l := &line{fake: f, conn: server, queue: make(chan wire.Message, 64), gone: make(chan struct{})}
	f.line = l
	go l.read()
	go l.write()
	return client, nil
}

// refuse returns the error of a closed door.
func refuse() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }

// line is the console's end of one connection.
type line struct {
	fake  *fake
	conn  net.Conn
	wire  *wire.Conn
	queue chan wire.Message
	gone  chan struct{}
	once  sync.Once
}

func (l *line) send(m wire.Message) {
	select {
	case l.queue <- m:
	case <-l.gone:
	}
}

func (l *line) hangUp() { l.once.Do(func() { close(l.gone); _ = l.conn.Close() }) }

func (l *line) write() {
	for {
		select {
		case m := <-l.queue:
			if err := l.wire.Write(m); err != nil {
				return
			}
		case <-l.gone:
			return
		}
	}
}

func (l *line) read() {
	defer l.hangUp()
	if err := l.greet(); err != nil {
		return
	}
	for {
		p, err := l.wire.Read()
		if err != nil {
			return
		}
		l.take(p)
	}
}

func (l *line) greet() error {
	if _, err := wire.ReadClear(l.conn); err != nil {
		return err
	}
	if _, err := l.conn.Write(wire.HelloReply{Version: wire.ProtocolVersion, IV: l.fake.iv}.Marshal()); err != nil {
		return err
	}
	p, err := wire.ReadClear(l.conn)
	if err != nil {
		return err
	}
	h, err := wire.UnmarshalHandshake(p)
	if err != nil {
		return err
	}
	if h.IV != l.fake.iv {
		l.fake.t.Error("the handshake does not echo the IV")
	}
	key, err := h.Open(testKey())
	if err != nil {
		return err
	}
	l.fake.change(func() { l.fake.keys = append(l.fake.keys, key) })
	l.wire = wire.NewConn(l.conn, key, h.IV)
	return nil
}

// take logs a packet and answers it.
func (l *line) take(p wire.Packet) {
	f := l.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("%s", describe(p))
	if p.Type == wire.TypeLogin {
		f.login, _ = wire.UnmarshalLogin(p)
	}
	if f.onTCP != nil && f.onTCP(f, l, p) {
		return
	}
	switch p.Type {
	case wire.TypeLogin:
		l.answer(wire.TypeLoginResult)
	case wire.TypeBoot:
		l.answer(wire.TypeBootResult)
	case wire.TypeStandby:
		l.answer(wire.TypeStandbyResult)
	case wire.TypeLogout:
		l.answer(wire.TypeLogoutResult)
	case wire.TypeKeyboardStart:
		l.send(wire.KeyboardStarted{Result: f.result[wire.TypeKeyboardStarted], MaxLength: 10, Text: "abc"})
	case wire.TypeBye:
		l.hangUp()
	}
}

func (l *line) answer(kind wire.Type) {
	l.send(wire.Word{Type: kind, Value: l.fake.result[kind]})
}

// describe returns the kind of a packet and its main fields.
func describe(p wire.Packet) string {
	switch p.Type {
	case wire.TypeRemote:
		r, err := wire.UnmarshalRemote(p)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("remote %v %d", r.Operation, r.HoldMS)
	case wire.TypeBoot:
		b, err := wire.UnmarshalBoot(p)
		if err != nil {
			return err.Error()
		}
		return "boot " + b.TitleID
	case wire.TypeKeyboardText:
		k, err := wire.UnmarshalKeyboardText(p)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("text %q caret %d", k.Text, k.Caret)
	case wire.TypeKeyboardControl:
		w, err := wire.UnmarshalWord(p)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("keyboard control %d", w)
	}
	if name, known := packetNames[p.Type]; known {
		return name
	}
	return fmt.Sprintf("packet %d", p.Type)
}

var packetNames = map[wire.Type]string{
	wire.TypeLogin: "login", wire.TypeStatus: "status", wire.TypeStandby: "standby",
	wire.TypeLogout: "logout", wire.TypeBye: "bye", wire.TypeKeyboardStart: "keyboard start",
}

func (f *fake) listenPacket(context.Context, string, string) (net.PacketConn, error) {
	socket := newSocket(netip.AddrPort{})
	socket.send = func(b []byte, _ netip.AddrPort) error {
		for _, answer := range f.datagram(bytes.Clone(b)) {
			socket.receive(answer, f.from)
		}
		return nil
	}
	return socket, nil
}

// socket is an in-memory UDP socket.
type socket struct {
	net.PacketConn // nil: the library calls none of its other methods
	at             netip.AddrPort
	send           func(b []byte, to netip.AddrPort) error
	in             chan datagram
	done           chan struct{}
	once           sync.Once
}

type datagram struct {
	b    []byte
	from netip.AddrPort
}

func newSocket(at netip.AddrPort) *socket {
	return &socket{at: at, in: make(chan datagram, 64), done: make(chan struct{})}
}

// receive queues a datagram for ReadFrom, or drops it if the queue is full.
func (s *socket) receive(b []byte, from netip.AddrPort) {
	select {
	case s.in <- datagram{b, from}:
	default:
	}
}

func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	return len(b), s.send(b, to.(*net.UDPAddr).AddrPort())
}

func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-s.in:
		return copy(b, d.b), net.UDPAddrFromAddrPort(d.from), nil
	case <-s.done:
		return 0, nil, net.ErrClosed
	}
}

func (s *socket) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.at) }
func (s *socket) Close() error        { s.once.Do(func() { close(s.done) }); return nil }

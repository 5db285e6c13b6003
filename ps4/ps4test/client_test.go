package ps4test_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// account and stranger are two credentials.
var (
	account  = strings.Repeat("0123456789abcdef", 4)
	stranger = strings.Repeat("fedcba9876543210", 4)
)

const pin = "12345678"

// goodLogin returns a login that a linked console accepts.
func goodLogin() wire.Login {
	return wire.Login{Credential: account, AppLabel: "test", OSVersion: "4.4", Model: "bench"}
}

// peer is a client that uses only the codec, so tests control every packet.
type peer struct {
	tb      testing.TB
	console *ps4test.Console
	options *ps4.Options
	conn    net.Conn
	wire    *wire.Conn
	writing *sync.Mutex // guards writes to wire, because drain answers heartbeats concurrently
	beats   []uint32    // statuses of the heartbeats that expect answered
}

func newPeer(tb testing.TB, c *ps4test.Console) *peer {
	tb.Helper()
	p := &peer{tb: tb, console: c, options: c.Options(), writing: &sync.Mutex{}}
	tb.Cleanup(p.close)
	return p
}

func (p *peer) close() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// socket opens a UDP socket on the console's network.
func (p *peer) socket() net.PacketConn {
	p.tb.Helper()
	listen := p.options.ListenPacket
	if listen == nil {
		listen = (&net.ListenConfig{}).ListenPacket
	}
	s, err := listen(p.tb.Context(), "udp4", "127.0.0.1:0")
	p.must(err)
	return s
}

func (p *peer) must(err error) {
	p.tb.Helper()
	if err != nil {
		p.tb.Fatal(err)
	}
}

// datagram sends a request to the console.
func (p *peer) datagram(b []byte) {
	p.tb.Helper()
	s := p.socket()
	defer s.Close()
	before := p.console.Counters().Datagrams
	_, err := s.WriteTo(b, net.UDPAddrFromAddrPort(p.console.Addr()))
	p.must(err)
	p.wait(func(now ps4test.Snapshot) bool { return now.Counters.Datagrams > before })
}

// search sends SRCH and returns the reply and its source. ok is false if none
// arrives in time.
func (p *peer) search() (reply ddp.Reply, from netip.AddrPort, ok bool) {
	p.tb.Helper()
	s := p.socket()
	defer s.Close()
	_, err := s.WriteTo(ddp.NewSearch("").Marshal(), net.UDPAddrFromAddrPort(p.console.Addr()))
	p.must(err)
	buf := make([]byte, 8192)
	limit := time.Second
	if p.options.Dial == nil {
		limit = 10 * time.Second // real time, on a machine that may be busy
	}
	p.must(s.SetReadDeadline(time.Now().Add(limit)))
	for {
		n, addr, err := s.ReadFrom(buf)
		if err != nil {
			return reply, from, false
		}
		if reply, err = ddp.ParseReply(buf[:n]); err == nil {
			return reply, addr.(*net.UDPAddr).AddrPort(), true //nolint:forcetypeassert // a UDP socket
		}
	}
}

// code returns the status code of a search, or 0 without a reply.
func (p *peer) code() int {
	p.tb.Helper()
	reply, _, ok := p.search()
	if !ok {
		return 0
	}
	return reply.Code
}

func (p *peer) wait(wanted func(ps4test.Snapshot) bool) ps4test.Snapshot {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.tb.Context(), 5*time.Minute)
	defer cancel()
	now, err := p.console.WaitFor(ctx, wanted)
	if err != nil {
		p.tb.Fatalf("waiting: %v; console: %+v", err, now)
	}
	return now
}

// launch opens the door.
func (p *peer) launch() {
	p.tb.Helper()
	p.datagram(ddp.NewLaunch(account).Marshal())
	p.wait(func(now ps4test.Snapshot) bool { return now.DoorOpen })
}

func (p *peer) dial() error {
	p.tb.Helper()
	dial := p.options.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(p.tb.Context(), "tcp", p.console.TCPAddr().String())
	if err == nil {
		p.close()
		p.conn, p.wire = conn, nil
	}
	return err
}

// greet connects to an open door and performs the handshake.
func (p *peer) greet() {
	p.tb.Helper()
	p.must(p.dial())
	reply := p.hello()
	key := [wire.KeySize]byte{1, 2, 3}
	handshake, err := wire.SealKey(p.options.ServerKey, key, reply.IV)
	p.must(err)
	p.write(handshake.Marshal())
	p.wire = wire.NewConn(p.conn, key, reply.IV)
}

func (p *peer) hello() wire.HelloReply {
	p.tb.Helper()
	p.write(wire.Hello{Version: wire.ProtocolVersion}.Marshal())
	packet, err := wire.ReadClear(p.conn)
	p.must(err)
	reply, err := wire.UnmarshalHelloReply(packet)
	p.must(err)
	return reply
}

func (p *peer) write(b []byte) {
	p.tb.Helper()
	_, err := p.conn.Write(b)
	p.must(err)
}

func (p *peer) send(m wire.Message) {
	p.tb.Helper()
	p.writing.Lock()
	defer p.writing.Unlock()
	p.must(p.wire.Write(m))
}

// expect returns the next packet of a type. It answers heartbeats before it and
// skips the unknown type.
func (p *peer) expect(want wire.Type) wire.Packet {
	p.tb.Helper()
	for {
		packet, err := p.wire.Read()
		if err != nil {
			p.tb.Fatalf("waiting for packet type %d: %v", want, err)
		}
		switch packet.Type {
		case want:
			return packet
		case wire.TypeHeartbeat:
			p.answer(packet)
		case 0x7fff:
		default:
			p.tb.Fatalf("packet type %d instead of %d", packet.Type, want)
		}
	}
}

func (p *peer) answer(heartbeat wire.Packet) {
	p.tb.Helper()
	status, err := wire.UnmarshalWord(heartbeat)
	p.must(err)
	p.beats = append(p.beats, status)
	p.send(wire.Word{Type: wire.TypeStatus})
}

// ask sends a message and returns the result.
func (p *peer) ask(m wire.Message, answer wire.Type) ps4.ResultError {
	p.tb.Helper()
	p.send(m)
	result, err := wire.UnmarshalWord(p.expect(answer))
	p.must(err)
	return ps4.ResultError(result)
}

func (p *peer) login(l wire.Login) ps4.ResultError {
	p.tb.Helper()
	return p.ask(l, wire.TypeLoginResult)
}

func (p *peer) boot(id string) ps4.ResultError {
	p.tb.Helper()
	return p.ask(wire.Boot{TitleID: id}, wire.TypeBootResult)
}

// signIn opens the door and logs in.
func (p *peer) signIn() {
	p.tb.Helper()
	p.launch()
	p.greet()
	if result := p.login(goodLogin()); result != 0 {
		p.tb.Fatalf("login: %v", result)
	}
	p.send(wire.Word{Type: wire.TypeStatus})
}

func (p *peer) press(ops ...wire.Operation) {
	p.tb.Helper()
	for _, op := range ops {
		p.send(wire.Remote{Operation: op})
	}
}

// ended reads until the connection ends and returns the error.
func (p *peer) ended() error {
	for {
		if _, err := p.wire.Read(); err != nil {
			return err
		}
	}
}

// drain reads and answers heartbeats in the background until the connection
// ends.
func (p *peer) drain() {
	w := p.wire
	answer := func() error {
		p.writing.Lock()
		defer p.writing.Unlock()
		return w.Write(wire.Word{Type: wire.TypeStatus})
	}
	go func() {
		for {
			packet, err := w.Read()
			if err != nil || packet.Type == wire.TypeHeartbeat && answer() != nil {
				return
			}
		}
	}()
}

// memory starts a console with real timing on an in-memory network.
func memory(tb testing.TB, cfg ps4test.Config) *ps4test.Console {
	tb.Helper()
	cfg.Network = ps4test.NewNetwork()
	return ps4test.Start(tb, cfg)
}

func isRefused(err error) bool { return err != nil && strings.Contains(err.Error(), "refused") }

func isReset(err error) bool { return err != nil && strings.Contains(err.Error(), "reset") }

func isClosed(err error) bool {
	return err != nil && !errors.Is(err, context.DeadlineExceeded)
}

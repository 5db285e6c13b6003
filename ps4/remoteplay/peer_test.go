package remoteplay_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	hostID    = "0123456789AB"
	registKey = "d1e2f3a4"
	wireKey   = "6431653266336134" // registKey on the wire
	hexKey    = "00112233445566778899aabbccddeeff"
	pin       = "01234567"
	accountID = 578437695752307201
	account64 = "AQIDBAUGBwg="
)

// nonce is that of every session.
var nonce = rp.Block{0xda, 0x1f, 0xa0, 0x11, 0xc7, 0x7f, 0x11, 0x78, 0x97, 0x1a, 0xb3, 0x2b, 0xa7, 0x97, 0xb4, 0x01}

// peer is a scripted console. It reads and writes requests and frames by
// itself, from docs/protocol.md; only its cipher is that of the library, whose
// answers the vectors check.
type peer struct {
	t       *testing.T
	network *ps4test.Network
	start   time.Time
	family  rp.Family
	host    string // "PS5" or "PS4"
	system  string // system-version
	port    uint16 // of discovery
	paths   [3]string

	mu       sync.Mutex
	code     int  // of discovery; 0: silent
	answers  bool // the search word
	refusals int  // of connections to come
	events   []string
	register func(*call)
	init     func(*call)
	control  func(*call)
	group    sync.WaitGroup
	closers  []io.Closer
}

// call is a connection, its request and, after the reply to control, the
// counters of both sides.
type call struct {
	*peer
	conn net.Conn
	head string
	body []byte

	cipher         *rp.Cipher
	sent, received uint64
}

// inBubble runs a test with a PS5 on a fake clock.
func inBubble(t *testing.T, test func(ctx context.Context, t *testing.T, p *peer)) {
	t.Helper()
	t.Parallel()
	withFamily(t, rp.PS5, "13600007", test)
}

func withFamily(t *testing.T, family rp.Family, system string, test func(ctx context.Context, t *testing.T, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &peer{
			t: t, network: ps4test.NewNetwork(), start: time.Now(), family: family, host: "PS4", system: system, port: 987,
			code: 200, answers: true,
			register: (*call).registered, init: (*call).initialized, control: (*call).loggedIn,
		}
		switch family {
		case rp.PS5:
			p.host, p.port = "PS5", 9302
			p.paths = [3]string{"/sie/ps5/rp/sess/rgst", "/sie/ps5/rp/sess/init", "/sie/ps5/rp/sess/ctrl"}
		case rp.PS4:
			p.paths = [3]string{"/sie/ps4/rp/sess/rgst", "/sie/ps4/rp/sess/init", "/sie/ps4/rp/sess/ctrl"}
		default:
			p.paths = [3]string{"/sce/rp/regist", "/sce/rp/session", "/sce/rp/session/ctrl"}
		}
		p.listen(p.port, p.discovery)
		p.listen(9295, p.search)
		ctx, cancel := context.WithCancel(t.Context())
		defer p.close()
		defer cancel()
		test(ctx, t, p)
	})
}

func (p *peer) listen(port uint16, answer func(string) string) {
	conn, err := p.network.ListenPacket(p.t.Context(), "udp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		p.t.Fatal(err)
	}
	p.closers = append(p.closers, conn)
	p.group.Go(func() { p.answerAll(conn, answer) })
}

// answerAll answers datagrams until the socket is closed.
func (p *peer) answerAll(conn net.PacketConn, answer func(string) string) {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := answer(string(buf[:n])); reply != "" {
			conn.WriteTo([]byte(reply), from)
		}
	}
}

func (p *peer) close() {
	p.mu.Lock()
	closers := p.closers
	p.mu.Unlock()
	for _, c := range closers {
		c.Close()
	}
	p.group.Wait()
}

func (p *peer) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, time.Since(p.start).String()+" "+fmt.Sprintf(format, args...))
}

func (p *peer) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

// happened checks what the peer saw since the last call.
func (p *peer) happened(want ...string) {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	got := p.events
	p.events = nil
	p.mu.Unlock()
	if !slices.Equal(got, want) {
		p.t.Errorf("the console saw\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func (p *peer) discovery(datagram string) string {
	if strings.HasPrefix(datagram, "WAKEUP * HTTP/1.1\n") {
		_, after, _ := strings.Cut(datagram, "user-credential:")
		credential, _, _ := strings.Cut(after, "\n")
		p.note("WAKEUP %s", credential)
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	phrase := "Ok"
	switch p.code {
	case 0:
		return ""
	case 620:
		phrase = "Server Standby"
	}
	return fmt.Sprintf("HTTP/1.1 %d %s\nhost-id:%s\nhost-type:%s\nhost-name:Den\nhost-request-port:997\n"+
		"device-discovery-protocol-version:00030010\nsystem-version:%s\n", p.code, phrase, hostID, p.host, p.system)
}

func (p *peer) search(word string) string {
	p.note("%s", word)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.answers:
		return ""
	case word == "SRC3" && p.host == "PS5":
		return "RES3"
	case word == "SRC2" && p.host == "PS4":
		return "RES2\x01\x05\x00"
	}
	return ""
}

// line is a client's end of a connection, which shows how it closes.
type line struct {
	net.Conn
	p      *peer
	linger bool
	once   sync.Once
}

func (l *line) SetLinger(sec int) error { l.linger = sec == 0; return nil }

func (l *line) Close() error {
	l.once.Do(func() {
		how := "FIN"
		if l.linger {
			how = "RST"
		}
		l.p.note("%s", how)
	})
	return l.Conn.Close()
}

func (p *peer) dial(_ context.Context, network, address string) (net.Conn, error) {
	if network != "tcp4" || address != "127.0.0.1:9295" {
		return nil, fmt.Errorf("dialled %s %s", network, address)
	}
	p.mu.Lock()
	refuse := p.refusals > 0
	reason := syscall.ECONNREFUSED
	if p.refusals == 1 { // either may be how a console refuses
		reason = syscall.ECONNRESET
	}
	if refuse {
		p.refusals--
	}
	p.mu.Unlock()
	if refuse {
		p.note("refused")
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: reason}
	}
	client, server := net.Pipe()
	p.mu.Lock()
	p.closers = append(p.closers, client, server)
	p.mu.Unlock()
	p.group.Go(func() { p.serve(server) })
	return &line{Conn: client, p: p}, nil
}

// serve reads the head of a request byte by byte, and its body.
func (p *peer) serve(conn net.Conn) {
	defer conn.Close()
	c := &call{peer: p, conn: conn}
	for b := make([]byte, 1); !strings.HasSuffix(c.head, "\r\n\r\n"); c.head += string(b) {
		if _, err := conn.Read(b); err != nil {
			return
		}
	}
	if length, err := strconv.Atoi(c.header("Content-Length")); err == nil {
		c.body = make([]byte, length)
		if _, err := io.ReadFull(conn, c.body); err != nil {
			return
		}
	}
	method, rest, _ := strings.Cut(c.head, " ")
	path, _, _ := strings.Cut(rest, " HTTP/1.1\r\n")
	p.note("%s %s", method, path)
	p.mu.Lock()
	handlers := []func(*call){p.register, p.init, p.control}
	p.mu.Unlock()
	if i := slices.Index(p.paths[:], path); i >= 0 {
		handlers[i](c)
		return
	}
	c.say("HTTP/1.1 404 Not Found\r\n\r\n")
}

// header returns a header of the request.
func (c *call) header(name string) string {
	for line := range strings.SplitSeq(c.head, "\r\n") {
		if key, value, found := strings.Cut(line, ": "); found && key == name {
			return value
		}
	}
	return ""
}

func (c *call) say(text string) { c.conn.Write([]byte(text)) }

func (c *call) refuse(reason string) {
	c.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nRP-Application-Reason: " + reason + "\r\n\r\n")
}

// linger reads until the client closes.
func (c *call) linger() { io.Copy(io.Discard, c.conn) }

// registered answers a registration with the PIN.
func (c *call) registered() {
	number, err := strconv.ParseUint(pin, 10, 32)
	if err != nil {
		panic(err)
	}
	request := rp.Request{Header: rp.Header{{Name: "Host", Value: c.header("HOST")}}, Body: c.body}
	r, err := rp.ParseRegisterRequest(c.family, uint32(number), request)
	if err != nil {
		c.refuse("80108b09")
		return
	}
	if r.AccountID != accountID {
		c.refuse("80108b02")
		return
	}
	text := fmt.Sprintf("AP-Bssid: 000000000000\r\n%[1]s-Mac: 0123456789ab\r\n%[1]s-RegistKey: %[2]s\r\n%[1]s-Nickname: Den\r\nRP-KeyType: 2\r\nRP-Key: %[3]s\r\n",
		c.host, wireKey, hexKey)
	sealed := r.Cipher().Seal(0, []byte(text))
	c.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d   \r\n\r\n%s", len(sealed), sealed))
}

// initialized answers init.
func (c *call) initialized() {
	if c.header("RP-Registkey") != wireKey || c.header("Content-Length") != "0" || c.header("Rp-Version") != c.family.Dialect().Version {
		c.refuse("80108bff")
		return
	}
	c.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nrp-nonce: " + base64.StdEncoding.EncodeToString(nonce[:]) + "\r\n\r\n")
}

// opened checks the control request and returns the reply to it.
func (c *call) opened() string {
	key, err := hex.DecodeString(hexKey)
	if err != nil {
		panic(err)
	}
	c.cipher = rp.SessionCipher(c.family, nonce, rp.Block(key))
	want := map[string]string{
		"RP-Auth":   registKey + strings.Repeat("\x00", 8),
		"RP-Did":    "\x00\x18\x00\x00\x00\x07\x00\x40\x00\x80" + strings.Repeat("\x07", 16) + strings.Repeat("\x00", 6),
		"RP-OSType": "Win10.0.0\x00",
	}
	names := []string{"RP-Auth", "RP-Did", "RP-OSType"}
	if c.family == rp.PS5 || c.family == rp.PS4 {
		names, want["RP-StartBitrate"] = append(names, "RP-StartBitrate"), "\x00\x00\x00\x00"
	}
	if c.family == rp.PS5 {
		names, want["RP-StreamingType"] = append(names, "RP-StreamingType"), "\x01\x00\x00\x00"
	}
	for _, name := range names {
		sealed, err := base64.StdEncoding.DecodeString(c.header(name))
		if got := string(c.cipher.Open(c.received, sealed)); err != nil || got != want[name] {
			c.t.Errorf("%s is %q, %v", name, got, err)
		}
		c.received++
	}
	c.sent = 1
	return "HTTP/1.1 200 OK\r\nRP-Server-Type: " +
		base64.StdEncoding.EncodeToString(c.cipher.Seal(0, append([]byte{2}, make([]byte, 15)...))) + "\r\n\r\n"
}

// frame returns a frame of the console.
func (c *call) frame(kind uint16, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	b = binary.BigEndian.AppendUint16(b, kind)
	b = append(b, 0, 0)
	if payload != "" {
		b = append(b, c.cipher.Seal(c.sent, []byte(payload))...)
		c.sent++
	}
	return string(b)
}

// next reads a frame of the client, and notes it unless it is a heartbeat's
// answer. It returns 0 at the end.
func (c *call) next() (kind uint16, payload string) {
	header := make([]byte, 8)
	if _, err := io.ReadFull(c.conn, header); err != nil {
		return 0, ""
	}
	body := make([]byte, binary.BigEndian.Uint32(header))
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return 0, ""
	}
	if len(body) > 0 {
		body = c.cipher.Open(c.received, body)
		c.received++
	}
	kind = binary.BigEndian.Uint16(header[4:])
	c.note("frame %#x %q", kind, body)
	return kind, string(body)
}

// loggedIn is a console that signs the user in and obeys.
func (c *call) loggedIn() {
	c.say(c.opened())
	time.Sleep(50 * time.Millisecond)
	c.say(c.frame(0x05, "\x00"))
	c.obey()
}

// obey serves commands until the client closes.
func (c *call) obey() {
	for {
		switch kind, _ := c.next(); kind {
		case 0:
			return
		case 0x50:
			time.Sleep(100 * time.Millisecond)
			c.say(c.frame(0x8050, "\x00\x00\x00\x00"))
			c.change(func() { c.code = 620 })
		}
	}
}

// console returns a client of the peer.
func (p *peer) console(o *remoteplay.Options) *remoteplay.Console {
	p.t.Helper()
	r, err := remoteplay.Stored{HostID: hostID, HostType: p.host, RegistKey: registKey, RPKey: hexKey}.Registration()
	if err != nil {
		p.t.Fatal(err)
	}
	c := remoteplay.New(p.found(), r, p.options(o))
	p.t.Cleanup(func() { c.Close() })
	return c
}

func (p *peer) found() *ps4.Console {
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), p.port)
	return ps4.NewConsole(addr, ps4.Credential{}, &ps4.Options{ListenPacket: p.network.ListenPacket})
}

func (p *peer) options(o *remoteplay.Options) *remoteplay.Options {
	if o == nil {
		o = &remoteplay.Options{}
	}
	o.Dial, o.ListenPacket = p.dial, p.network.ListenPacket
	for i := range o.DeviceID {
		o.DeviceID[i] = 7
	}
	return o
}

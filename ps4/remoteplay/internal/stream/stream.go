// Package stream opens the stream of a Remote Play session to press buttons, and
// drops all pictures and sound unread (docs/protocol.md §15).
//
//	UDP 9297  INIT … COOKIE_ACK, VERSIONS, BIG -> BANG, DISCONNECT    the probe, optional
//	UDP 9296  INIT … COOKIE_ACK, BIG -> BANG, STREAMINFO -> ACK, CONTROLLERCONNECTION
//	          heartbeats, states, reports, and a history for each press or release
//	          DISCONNECT
package stream

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/takion"
)

// Errors of a Conn.
var (
	ErrSilent       = errors.New("stream: the console does not answer")
	ErrRefused      = errors.New("stream: the console refused the stream")
	ErrDisconnected = errors.New("stream: the console ended the stream") // wrapped with its reason
	ErrClosed       = errors.New("stream: closed")
)

// What only a console can settle (docs/protocol.md §15).
const (
	maxFPS = 0 // no pictures, as in chiaki-ng; some firmware may refuse it

	probeLimit    = 2 * time.Second        // for the whole probe, which may be useless
	versionsLimit = 500 * time.Millisecond // for the answer to VERSIONS, which may not come
	settle        = 100 * time.Millisecond // from the controller's connection to the first press
	tap           = 90 * time.Millisecond  // how long a tap holds a button: others take 80 to 100 ms
	gap           = 50 * time.Millisecond  // between a release and the next press: 50 to 100 ms

	// A history is sent again as it is, because nothing acknowledges it and the
	// last release has no later packet that repeats it.
	repeats     = 2
	repeatAfter = 20 * time.Millisecond
)

// Timings from other clients.
const (
	stepLimit      = 5 * time.Second // for each answer on the way to the stream
	heartbeatEvery = time.Second
	reportEvery    = 200 * time.Millisecond // of the state and of the media received
	leaveLimit     = 500 * time.Millisecond // for the acknowledgement of DISCONNECT
)

// Config describes the stream of a session.
type Config struct {
	Console      netip.AddrPort // of the session, port 9295
	PS5          bool
	SessionID    string
	Cipher       func(counter uint64, plain []byte) []byte // seals with the session's cipher
	ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	Logf         func(format string, args ...any)
}

func (c *Config) version() uint64 {
	if c.PS5 {
		return takion.VersionPS5
	}
	return takion.VersionPS4
}

func (c *Config) addr(offset uint16) netip.AddrPort {
	return netip.AddrPortFrom(c.Console.Addr(), c.Console.Port()+offset)
}

// Conn is an open stream. One goroutine at a time may press buttons; the other
// methods are safe for concurrent use.
type Conn struct {
	*link
	cfg       *Config
	handshake *takion.Handshake
	life      context.Context // ends with the stream
	end       context.CancelCauseFunc

	// guarded by link.mu
	started bool  // the console described the stream
	over    error // why it has to end
	leaving bool
	leaveBy time.Time
	left    bool // DISCONNECT was sent

	states    uint16 // sequences
	histories uint16
	events    []takion.Event // the newest first
	history   []byte         // the last packet, to be repeated
	repeats   int            // how often still
	repeatAt  time.Time
	heartbeat time.Time // when the next is due
	report    time.Time
	reported  uint64    // media packets
	free      time.Time // no button goes down before; of the goroutine that presses
}

// Open opens the stream. It fails with [ErrSilent], [ErrRefused],
// [ErrDisconnected], an error of the socket, or the cause of ctx's end.
func Open(ctx context.Context, cfg Config) (*Conn, error) {
	if err := probe(ctx, &cfg); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		cfg.Logf("probe of %v: %v; continuing without it", cfg.addr(takion.SenkushaPortOffset), err)
	}
	l, err := newLink(ctx, &cfg, cfg.addr(takion.PortOffset))
	if err != nil {
		return nil, err
	}
	c := &Conn{link: l, cfg: &cfg}
	c.life, c.end = context.WithCancelCause(context.Background())
	l.handle = c.handleMessage
	if err := c.start(ctx); err != nil {
		if c.open && !errors.Is(c.over, ErrDisconnected) {
			c.Say(takion.ChannelControl, takion.Disconnect{Reason: goodbye}.Message()) // once: nothing waits for an answer
		}
		_ = l.socket.Close()
		return nil, err
	}
	go c.run()
	return c, nil
}

// start opens the stream up to the point where buttons work. No other goroutine
// uses the stream yet.
func (c *Conn) start(ctx context.Context) error {
	if err := c.connect(ctx, stepLimit); err != nil {
		return err
	}
	key := make([]byte, takion.HandshakeKeyLen)
	_, _ = rand.Read(key)
	c.handshake = takion.NewHandshake(key)
	spec := takion.LaunchSpec{MaxFPS: maxFPS, PS5: c.cfg.PS5, HandshakeKey: key}
	public, signature := c.handshake.Public()
	big := takion.Big{
		Version: c.cfg.version(), SessionKey: c.cfg.SessionID, LaunchSpec: spec.Seal(c.cfg.Cipher),
		PublicKey: public, Signature: signature,
	}
	c.Say(takion.ChannelControl, big.Message())
	if err := c.step(ctx, func() bool { return c.Send != nil }); err != nil {
		return err
	}
	if err := c.step(ctx, func() bool { return c.started }); err != nil {
		return err
	}
	controller := takion.ControllerConnection{Connected: true, Controller: takion.DualShock4}
	if c.cfg.PS5 {
		controller.Controller = takion.DualSense
	}
	c.Say(takion.ChannelControl, controller.Message())
	if err := c.step(ctx, c.Out.Empty); err != nil {
		return err
	}
	c.free = time.Now().Add(settle)
	return nil
}

// step waits until ready returns true, or the stream has to end.
func (c *Conn) step(ctx context.Context, ready func() bool) error {
	err := c.await(ctx, stepLimit, func() bool { return c.over != nil || ready() })
	return cmp.Or(c.over, err)
}

// handleMessage takes in a message; mu is held.
func (c *Conn) handleMessage(m takion.Message) {
	switch m.Type {
	case takion.TypeBang:
		if c.Send == nil && c.over == nil {
			c.over = c.agree(m)
		}
	case takion.TypeStreamInfo:
		if c.Send != nil && !c.started {
			c.started = true
			c.Say(takion.ChannelStreamInfo, takion.Message{Type: takion.TypeStreamInfoAck})
		}
	case takion.TypeDisconnect:
		d, _ := takion.ParseDisconnect(m)
		c.over = fmt.Errorf("%w: %q", ErrDisconnected, d.Reason)
	}
}

// agree derives the keys from BANG.
func (c *Conn) agree(m takion.Message) error {
	bang, err := takion.ParseBang(m)
	if err == nil && (!bang.VersionAccepted || !bang.KeyAccepted) {
		err = fmt.Errorf("version %d accepted: %v, key accepted: %v", c.cfg.version(), bang.VersionAccepted, bang.KeyAccepted)
	}
	if err == nil {
		c.Send, c.Receive, err = c.handshake.Keys(bang.PublicKey, bang.Signature)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

// probe does as much of senkusha as consoles may want before the stream: an
// association and the versions.
func probe(ctx context.Context, cfg *Config) error {
	l, err := newLink(ctx, cfg, cfg.addr(takion.SenkushaPortOffset))
	if err != nil {
		return err
	}
	defer l.socket.Close()
	versions, bang := false, false
	l.handle = func(m takion.Message) {
		versions = versions || m.Type == takion.TypeVersionsAck
		bang = bang || m.Type == takion.TypeBang
	}
	say := func(m takion.Message) { l.Say(takion.ChannelControl, m) }
	ctx, cancel := context.WithTimeoutCause(ctx, probeLimit, ErrSilent)
	defer cancel()
	if err := l.connect(ctx, probeLimit); err != nil {
		return err
	}
	say(takion.Versions(takion.TypeVersions, takion.VersionSenkusha))
	if err := l.await(ctx, versionsLimit, func() bool { return versions }); err != nil && !errors.Is(err, ErrSilent) {
		return err
	}
	say(takion.Big{Version: takion.VersionSenkusha}.Message())
	if err := l.await(ctx, probeLimit, func() bool { return bang }); err != nil {
		return err
	}
	say(takion.Disconnect{Reason: goodbye}.Message())
	return l.await(ctx, probeLimit, l.Out.Empty)
}

// goodbye is the reason that other clients name.
const goodbye = "Client Disconnecting"

// Done returns a channel that is closed when the stream is over.
func (c *Conn) Done() <-chan struct{} { return c.life.Done() }

// Err returns nil while the stream is open, and then why it ended: [ErrClosed]
// after Close, [ErrDisconnected], [ErrSilent] or an error of the socket.
func (c *Conn) Err() error { return context.Cause(c.life) }

// Close releases the button, says goodbye and waits until the console
// acknowledges that, but no longer than leaveLimit.
func (c *Conn) Close() {
	c.mu.Lock()
	if !c.leaving && c.over == nil {
		if len(c.events) > 0 && c.events[0].Down {
			c.event(takion.Event{Button: c.events[0].Button})
		}
		c.leaving, c.leaveBy = true, time.Now().Add(leaveLimit)
	}
	c.mu.Unlock()
	<-c.Done()
}

// run keeps the stream alive until it is over.
func (c *Conn) run() {
	var err error
	for err == nil {
		c.mu.Lock()
		err = c.tick(time.Now())
		c.mu.Unlock()
		if err == nil {
			err = c.read()
		}
	}
	c.mu.Lock()
	c.over = err
	c.mu.Unlock()
	_ = c.socket.Close()
	c.cfg.Logf("stream with %v: %v; received %d bytes, dropped %d packets of media and %d bad ones", c.to, err, c.bytes, c.media, c.bad)
	c.end(err)
}

// tick sends what is due, and returns why the stream has to end.
func (c *Conn) tick(now time.Time) error {
	switch {
	case c.over != nil:
		return c.over
	case c.leaving && (c.left && c.Out.Empty() || !now.Before(c.leaveBy)):
		return ErrClosed
	case !c.Resend():
		return ErrSilent
	}
	if c.repeats > 0 && !now.Before(c.repeatAt) {
		c.Write(c.history)
		c.repeats, c.repeatAt = c.repeats-1, now.Add(repeatAfter)
	}
	if c.leaving {
		if c.repeats == 0 && !c.left { // no release may arrive later
			c.left = true
			c.Say(takion.ChannelControl, takion.Disconnect{Reason: goodbye}.Message())
		}
		return nil
	}
	if !now.Before(c.heartbeat) {
		c.heartbeat = now.Add(heartbeatEvery)
		c.Say(takion.ChannelControl, takion.Message{Type: takion.TypeHeartbeat})
	}
	if !now.Before(c.report) {
		c.report = now.Add(reportEvery)
		c.Feedback(takion.Feedback{
			Type: takion.TypeFeedbackState, Sequence: c.states, Payload: takion.IdleState(c.cfg.version()),
		})
		c.states++
		packet := takion.Congestion{Received: uint16(c.media - c.reported)}.Append(nil) //nolint:gosec // it may wrap around
		c.reported = c.media
		c.Sign(packet, len(packet))
		c.Write(packet)
	}
	return nil
}

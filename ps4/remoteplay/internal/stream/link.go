package stream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/takion"
)

// link is an association with one UDP port of the console. One goroutine at a
// time polls it; any may send with mu held.
type link struct {
	socket net.PacketConn
	to     netip.AddrPort
	buf    []byte
	handle func(takion.Message) // called with mu held

	mu sync.Mutex
	*takion.Endpoint
	cookie []byte // of INIT_ACK
	open   bool   // after COOKIE_ACK
	stats  Stats
}

// Stats counts what the console sent.
type Stats struct {
	Bytes        uint64 // of every datagram
	MediaPackets uint64 // dropped unread
	BadPackets   uint64 // malformed, or with a wrong signature
}

const maxPacket = 2048 // bytes

func newLink(ctx context.Context, cfg *Config, to netip.AddrPort) (*link, error) {
	socket, err := cfg.ListenPacket(ctx, "udp4", "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	addr := net.UDPAddrFromAddrPort(to)
	return &link{socket: socket, to: to, buf: make([]byte, maxPacket), Endpoint: takion.NewEndpoint(func(packet []byte) {
		_, _ = socket.WriteTo(packet, addr) // losing a packet is no error
	})}, nil
}

// connect opens the association. It repeats what is not answered until ctx is
// done.
func (l *link) connect(ctx context.Context) error {
	if err := l.repeat(ctx, takion.ChunkInit, l.Init(nil), func() bool { return l.cookie != nil }); err != nil {
		return err
	}
	return l.repeat(ctx, takion.ChunkCookie, l.cookie, func() bool { return l.open })
}

func (l *link) repeat(ctx context.Context, chunk takion.Chunk, body []byte, answered func() bool) error {
	for {
		l.Control(chunk, 0, body)
		again := time.Now().Add(takion.ResendAfter)
		for time.Now().Before(again) {
			if err := l.poll(ctx, again); err != nil {
				return err
			}
			if answered() {
				return nil
			}
		}
	}
}

// await polls until ready returns true. Nothing else may use the link meanwhile.
func (l *link) await(ctx context.Context, ready func() bool) error {
	for !ready() {
		if !l.Resend() {
			return ErrSilent
		}
		next := l.Out.NextDue()
		if next.IsZero() {
			next = time.Now().Add(takion.ResendAfter)
		}
		if err := l.poll(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// poll waits for a packet until a time, and handles it. It returns the cause of
// ctx's end.
func (l *link) poll(ctx context.Context, until time.Time) error {
	l.wake(until)
	defer context.AfterFunc(ctx, func() { l.wake(time.Unix(1, 0)) })()
	if ctx.Err() != nil { // checked now, because an earlier deadline is overwritten
		return context.Cause(ctx)
	}
	if err := l.read(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// wake makes a read end at a time.
func (l *link) wake(at time.Time) { _ = l.socket.SetReadDeadline(at) }

// read reads one packet and handles it. Reaching the deadline is no error.
func (l *link) read() error {
	n, from, err := l.socket.ReadFrom(l.buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		return err
	}
	udp, ok := from.(*net.UDPAddr)
	if !ok || n == 0 || udp.Port != int(l.to.Port()) || udp.AddrPort().Addr().Unmap() != l.to.Addr() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(l.buf[:n])
	return nil
}

// take handles a packet; mu is held.
func (l *link) take(packet []byte) {
	l.stats.Bytes += uint64(len(packet))
	switch takion.TypeOf(packet) {
	case takion.TypeVideo, takion.TypeAudio:
		l.stats.MediaPackets++
		return
	case takion.TypeControl:
	default:
		return // unknown
	}
	c, err := takion.ParseControl(packet)
	if err == nil && c.Tag == l.Local {
		err = l.takeChunk(c, packet)
	}
	if err != nil {
		l.stats.BadPackets++
	}
}

func (l *link) takeChunk(c takion.Control, packet []byte) error {
	switch c.Chunk {
	case takion.ChunkInitAck:
		ack, err := takion.ParseInit(c.Body)
		if err != nil || l.cookie != nil || len(ack.Cookie) == 0 {
			return err
		}
		l.Remote, l.cookie = ack.Tag, append([]byte(nil), ack.Cookie...)
		l.In.Reset(ack.Sequence)
	case takion.ChunkCookieAck:
		l.open = l.cookie != nil
	case takion.ChunkData, takion.ChunkDataAck:
		if !l.open {
			return nil
		}
		messages, err := l.Take(c, packet)
		for _, m := range messages {
			l.handle(m)
		}
		return err
	}
	return nil
}

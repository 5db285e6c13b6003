package stream

import (
	"cmp"
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

	bytes uint64 // received
	media uint64 // packets dropped unread
	bad   uint64 // packets that are malformed or have a wrong signature
}

const (
	maxPacket = 2048                  // bytes
	tickEvery = 20 * time.Millisecond // how long to wait for a packet before doing what is due
)

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

// connect opens the association. It repeats what is not answered.
func (l *link) connect(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrSilent)
	defer cancel()
	for !l.open {
		chunk, body := takion.ChunkInit, l.Init(nil)
		if l.cookie != nil {
			chunk, body = takion.ChunkCookie, l.cookie
		}
		l.Control(chunk, 0, body)
		err := l.await(ctx, takion.ResendAfter, func() bool { return l.open || chunk == takion.ChunkInit && l.cookie != nil })
		if ctx.Err() != nil || err != nil && !errors.Is(err, ErrSilent) {
			return cmp.Or(context.Cause(ctx), err)
		}
	}
	return nil
}

// await handles packets until ready returns true. It fails with ErrSilent after
// the limit. Nothing else may use the link meanwhile.
func (l *link) await(ctx context.Context, limit time.Duration, ready func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrSilent)
	defer cancel()
	for !ready() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !l.Resend() {
			return ErrSilent
		}
		if err := l.read(); err != nil {
			return err
		}
	}
	return nil
}

// read handles one packet, if one comes within tickEvery.
func (l *link) read() error {
	if err := l.socket.SetReadDeadline(time.Now().Add(tickEvery)); err != nil {
		return err
	}
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
	l.bytes += uint64(len(packet))
	switch takion.TypeOf(packet) {
	case takion.TypeVideo, takion.TypeAudio:
		l.media++
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
		l.bad++
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

package stream_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/ps4/internal/takion"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay/internal/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var console = netip.MustParseAddrPort("127.0.0.1:9295")

// cipher stands for that of the session.
func cipher(_ uint64, plain []byte) []byte { return plain }

// peer is a scripted console on the port of the stream; the probe's is silent.
type peer struct {
	*takion.Endpoint
	bang     func(takion.Big) takion.Message // nil: no answer to BIG
	then     func(p *peer)                   // called after BANG
	messages []takion.MessageType
}

// serve answers a client until the socket is closed.
func (p *peer) serve(conn net.PacketConn) {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		c, err := takion.ParseControl(buf[:n])
		if err != nil {
			continue
		}
		if p.Endpoint == nil {
			p.Endpoint = takion.NewEndpoint(func(packet []byte) { conn.WriteTo(packet, from) })
		}
		switch c.Chunk {
		case takion.ChunkInit:
			init, _ := takion.ParseInit(c.Body)
			p.Remote = init.Tag
			p.In.Reset(init.Sequence)
			p.Control(takion.ChunkInitAck, 0, p.Init(make([]byte, takion.CookieLen)))
		case takion.ChunkCookie:
			p.Control(takion.ChunkCookieAck, 0, nil)
		default:
			messages, _ := p.Take(c, buf[:n])
			for _, m := range messages {
				p.messages = append(p.messages, m.Type)
				if m.Type == takion.TypeBig && p.bang != nil {
					big, _ := takion.ParseBig(m)
					p.Say(takion.ChannelControl, p.bang(big))
					if p.then != nil {
						p.then(p)
					}
				}
			}
		}
	}
}

// accept answers BIG as a console does, and derives the keys.
func (p *peer) accept(big takion.Big) takion.Bang {
	key, err := takion.OpenLaunchSpec(big.LaunchSpec, cipher)
	if err != nil {
		panic(err)
	}
	h := takion.NewHandshake(key)
	public, signature := h.Public()
	p.then = func(p *peer) {
		if p.Receive, p.Send, err = h.Keys(big.PublicKey, big.Signature); err != nil {
			panic(err)
		}
	}
	return takion.Bang{Version: big.Version, KeyAccepted: true, VersionAccepted: true, PublicKey: public, Signature: signature}
}

// open opens a stream with a scripted console, which fails within the limit.
func open(t *testing.T, p *peer) error {
	t.Helper()
	network := ps4test.NewNetwork()
	socket, err := network.ListenPacket(t.Context(), "udp4", "127.0.0.1:9296")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		p.serve(socket)
	}()
	conn, err := stream.Open(t.Context(), stream.Config{
		Console: console, PS5: true, SessionID: "id", Cipher: cipher, ListenPacket: network.ListenPacket, Logf: t.Logf,
	})
	if err == nil {
		conn.Close()
		err = conn.Err()
	}
	synctest.Wait()
	socket.Close()
	<-served
	return err
}

// TestOpenFails checks that the client gives up in time and says goodbye.
func TestOpenFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		peer func() *peer
		want error
		took time.Duration
	}{
		"no answer to BIG": {func() *peer { return &peer{} }, stream.ErrSilent, 7 * time.Second},
		"other version": {func() *peer {
			return &peer{bang: func(takion.Big) takion.Message { return takion.Bang{KeyAccepted: true}.Message() }}
		}, stream.ErrRefused, 2 * time.Second},
		"other key": {func() *peer {
			return &peer{bang: func(takion.Big) takion.Message { return takion.Bang{VersionAccepted: true}.Message() }}
		}, stream.ErrRefused, 2 * time.Second},
		"malformed BANG": {func() *peer {
			return &peer{bang: func(takion.Big) takion.Message {
				return takion.Message{Type: takion.TypeBang, Payload: []byte{0x80}}
			}}
		}, stream.ErrRefused, 2 * time.Second},
		"wrong signature": {func() *peer {
			p := &peer{}
			p.bang = func(big takion.Big) takion.Message {
				b := p.accept(big)
				b.Signature[3] ^= 1
				return b.Message()
			}
			return p
		}, stream.ErrRefused, 2 * time.Second},
		"no STREAMINFO": {func() *peer {
			p := &peer{}
			p.bang = func(big takion.Big) takion.Message { return p.accept(big).Message() }
			return p
		}, stream.ErrSilent, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, start := tt.peer(), time.Now()
				if err := open(t, p); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if took := time.Since(start).Round(time.Second); took != tt.took {
					t.Errorf("it took %v", took)
				}
				// without the keys, the client cannot sign its goodbye
				if last := p.messages[len(p.messages)-1]; name != "wrong signature" && last != takion.TypeDisconnect {
					t.Errorf("the client left with message %d", last)
				}
			})
		})
	}
}

func TestOpenEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := stream.Open(ctx, stream.Config{
			Console: console, Cipher: cipher, ListenPacket: ps4test.NewNetwork().ListenPacket, Logf: t.Logf,
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// FuzzConsole sends a packet, and a message in a signed packet, to a client that
// is waiting for STREAMINFO. It survives both.
func FuzzConsole(f *testing.F) {
	for _, m := range []takion.Message{
		takion.StreamInfo(640, 360, nil, nil), takion.Bang{}.Message(), takion.Disconnect{Reason: "bye"}.Message(), {Type: 99},
	} {
		f.Add(m.Append(nil), takion.Control{Chunk: takion.ChunkData, Body: m.Append(make([]byte, 8))}.Append(nil))
	}
	f.Fuzz(func(t *testing.T, message, packet []byte) {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{}
			p.bang = func(big takion.Big) takion.Message {
				b := p.accept(big)
				keys := p.then
				p.then = func(p *peer) {
					keys(p)
					p.Write(packet)
					body := takion.Data{Sequence: p.Out.Next(), Channel: 9, Fragment: append([]byte{0}, message...)}.Append(nil)
					p.Control(takion.ChunkData, takion.FlagLast, body)
				}
				return b.Message()
			}
			m, err := takion.ParseMessage(message)
			info := err == nil && m.Type == takion.TypeStreamInfo
			if err := open(t, p); info != errors.Is(err, stream.ErrClosed) {
				t.Errorf("the stream opened: %v, after %v", err, m)
			}
		})
	})
}

package ps4test_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// FuzzStream sends a packet to the ports of the stream while nobody is signed in,
// which counts as an error and does nothing.
func FuzzStream(f *testing.F) {
	for _, body := range [][]byte{
		takion.Init{Tag: 1, Sequence: 1}.Append(nil), {}, make([]byte, takion.CookieLen),
		takion.Data{Sequence: 1, Channel: 1, Fragment: takion.Big{Version: 12}.Message().Append([]byte{0})}.Append(nil),
	} {
		for _, chunk := range []takion.Chunk{takion.ChunkInit, takion.ChunkCookie, takion.ChunkData, takion.ChunkDataAck, 99} {
			f.Add(takion.Control{Chunk: chunk, Flags: takion.FlagLast, Body: body}.Append(nil))
		}
	}
	f.Add(takion.Congestion{}.Append(nil))
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) == 0 {
			return
		}
		c := ps4test.Start(t, ps4test.Config{HostType: ps4.TypePS5, Network: ps4test.NewNetwork(), Timing: ps4test.FastTiming()})
		conn, err := c.RemotePlayOptions().ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, offset := range []uint16{takion.PortOffset, takion.SenkushaPortOffset} {
			to := netip.AddrPortFrom(c.RemotePlayAddr().Addr(), c.RemotePlayAddr().Port()+offset)
			if _, err := conn.WriteTo(packet, net.UDPAddrFromAddrPort(to)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.WaitFor(t.Context(), func(s ps4test.Snapshot) bool { return s.Counters.StreamErrors == 2 }); err != nil {
			t.Fatal(err)
		}
		if n := c.Counters(); n.StreamPackets != 2 || n.Streams != 0 {
			t.Errorf("counters %+v", n)
		}
	})
}

// TestStreamNeedsLogin: without a session the ports of the stream are silent.
func TestStreamNeedsLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ps4test.Start(t, ps4test.Config{HostType: ps4.TypePS5, Network: ps4test.NewNetwork()})
		conn, err := c.RemotePlayOptions().ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		to := netip.AddrPortFrom(c.RemotePlayAddr().Addr(), c.RemotePlayAddr().Port()+takion.PortOffset)
		packet := takion.Control{Chunk: takion.ChunkInit, Body: takion.Init{Tag: 1, Sequence: 1}.Append(nil)}.Append(nil)
		if _, err := conn.WriteTo(packet, net.UDPAddrFromAddrPort(to)); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n, _, err := conn.ReadFrom(make([]byte, 100)); err == nil {
			t.Errorf("%d bytes of answer", n)
		}
	})
}

// TestStreamRefusals sends packets that are wrong in an open session. Each one
// counts as an error and stays unanswered.
func TestStreamRefusals(t *testing.T) {
	onRemotePlay(t, ps4test.Config{PIN: pin}, func(t *testing.T, c *ps4test.Console, client *ps4.Console) {
		console := remoteplay.New(client, register(t, c, client), c.RemotePlayOptions())
		defer console.Close()
		listen := c.RemotePlayOptions().ListenPacket
		at := netip.AddrPortFrom(c.RemotePlayAddr().Addr(), c.RemotePlayAddr().Port()+takion.PortOffset)
		err := console.Do(t.Context(), func(ctx context.Context, _ *remoteplay.Session) error {
			conn, err := listen(ctx, "udp4", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer conn.Close()
			other, err := listen(ctx, "udp4", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer other.Close()
			// say returns the answer, or an empty one.
			say := func(conn net.PacketConn, packet takion.Control) (answer takion.Control) {
				t.Helper()
				conn.SetReadDeadline(time.Now().Add(time.Second))
				if _, err := conn.WriteTo(packet.Append(nil), net.UDPAddrFromAddrPort(at)); err != nil {
					t.Fatal(err)
				}
				buf := make([]byte, takion.MTU)
				if n, _, err := conn.ReadFrom(buf); err == nil {
					answer, err = takion.ParseControl(buf[:n])
					if err != nil {
						t.Fatal(err)
					}
				}
				return answer
			}
			errs := 0
			refused := func(what string, conn net.PacketConn, packet takion.Control) {
				t.Helper()
				errs++
				if answer := say(conn, packet); answer.Tag != 0 || c.Counters().StreamErrors != errs {
					t.Errorf("%s: answer %+v, %d errors, want %d", what, answer, c.Counters().StreamErrors, errs)
				}
			}
			start := takion.Control{Chunk: takion.ChunkInit, Body: takion.Init{Tag: 1, Sequence: 1}.Append(nil)}
			ack, err := takion.ParseInit(say(conn, start).Body)
			if err != nil {
				return err
			}
			heartbeat := takion.Data{Sequence: 1, Channel: takion.ChannelControl, Fragment: []byte{0, 8, 3}}.Append(nil)
			refused("DATA too early", conn, takion.Control{Tag: ack.Tag, Body: heartbeat})
			refused("another tag", conn, takion.Control{Tag: ack.Tag + 1, Chunk: takion.ChunkCookie, Body: ack.Cookie})
			refused("another cookie", conn, takion.Control{Tag: ack.Tag, Chunk: takion.ChunkCookie, Body: make([]byte, takion.CookieLen)})
			if answer := say(conn, takion.Control{Tag: ack.Tag, Chunk: takion.ChunkCookie, Body: ack.Cookie}); answer.Chunk != takion.ChunkCookieAck {
				t.Fatalf("answer %+v to the cookie", answer)
			}
			refused("another client", other, start)
			refused("unknown chunk", conn, takion.Control{Tag: ack.Tag, Chunk: 99})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

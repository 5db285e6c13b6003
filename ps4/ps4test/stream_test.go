package ps4test_test

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
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

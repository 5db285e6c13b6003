package ps4test_test

import (
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// FuzzDatagram checks that each datagram is counted as one kind, that only a
// WAKEUP with a credential wakes the console, and that it still answers.
func FuzzDatagram(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "SRCH * HTTP/1.1\n", "SRCH * HTTP/1.1\ndevice-discovery-protocol-version:00020020\n",
		string(ddp.NewWakeup(account).Marshal()), string(ddp.NewWakeup("12345").Marshal()), string(ddp.NewLaunch(account).Marshal()),
		"HTTP/1.1 200 Ok\nhost-id:A0B1C2D3E4F5\n", strings.Repeat("a:b\n", 65), "\xff\xfe",
		"WAKEUP * HTTP/1.1\nuser-credential:" + account + "\nauth-type:R\n", strings.Repeat("x", 3000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		timing := ps4test.FastTiming()
		timing.Wake = 0
		c := ps4test.Start(t, ps4test.Config{Standby: true, Network: ps4test.NewNetwork(), Timing: timing})
		p := newPeer(t, c)
		p.datagram(datagram)
		n := c.Counters()
		if n.Datagrams != 1 || n.BadDatagrams+n.Searches+n.Wakeups+n.Launches != 1 {
			t.Errorf("%q counted as %+v", datagram, n)
		}
		woken := c.State() == ps4.StateAwake
		if woken && !(strings.Contains(string(datagram), "WAKEUP") && n.Wakeups == 1 && n.WakeupsIgnored == 0) {
			t.Errorf("%q woke the console", datagram)
		}
		if got := p.code(); got != ddp.CodeStandby && !woken || got != ddp.CodeAwake && woken {
			t.Errorf("status %d after %q", got, datagram)
		}
	})
}

// raw is a packet with any type and body.
type raw struct {
	t    wire.Type
	body []byte
}

func (r raw) Marshal() []byte {
	b := make([]byte, 8, 8+len(r.body))
	length := 8 + len(r.body)
	b[0], b[1] = byte(length), byte(length>>8)
	b[4], b[5], b[6], b[7] = byte(r.t), byte(r.t>>8), byte(r.t>>16), byte(r.t>>24)
	return append(b, r.body...)
}

// FuzzPacket checks that any packet after the login does only what its type can
// do, and that the next client can log in.
func FuzzPacket(f *testing.F) {
	for _, t := range []wire.Type{
		wire.TypeHello, wire.TypeBye, wire.TypeLogin, wire.TypeBoot, wire.TypeKeyboardStart, wire.TypeKeyboardText,
		wire.TypeKeyboardControl, wire.TypeStatus, wire.TypeRemote, wire.TypeLogout, 0, 0x7fff,
	} {
		f.Add(uint32(t), []byte{})
		f.Add(uint32(t), []byte("CUSA00129\x00\x00\x00\x00\x00\x00\x00"))
		f.Add(uint32(t), make([]byte, 376))
	}
	f.Fuzz(func(t *testing.T, kind uint32, body []byte) {
		if len(body) > wire.MaxLength-8 || wire.Type(kind) == wire.TypeStandby {
			return // rest mode ends sessions
		}
		c := ps4test.Start(t, ps4test.Config{Linked: true, Network: ps4test.NewNetwork(), Timing: ps4test.FastTiming()})
		c.OpenKeyboard("abc", 8)
		first := newPeer(t, c)
		first.signIn()
		startKeyboard(first)
		first.drain()
		before := c.Counters().Packets
		first.send(raw{wire.Type(kind), body})
		first.wait(func(now ps4test.Snapshot) bool { return now.Counters.Packets > before })
		first.close()
		now := first.wait(func(now ps4test.Snapshot) bool { return now.Connections == 0 })
		if now.State != ps4.StateAwake || now.Title.ID != "" && wire.Type(kind) != wire.TypeBoot ||
			now.Counters.Operations > 0 && wire.Type(kind) != wire.TypeRemote {
			t.Errorf("packet type %d: %+v", kind, now)
		}
		second := newPeer(t, c)
		second.signIn()
		if got := second.boot("CUSA00129"); got != 0 && wire.Type(kind) != wire.TypeBoot {
			t.Errorf("boot of the next client: %v", got)
		}
	})
}

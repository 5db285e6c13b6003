package ps4test_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// faulty runs a test in a bubble with an awake, linked console.
func faulty(t *testing.T, test func(t *testing.T, c *ps4test.Console, p *peer)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{Linked: true})
		test(t, c, newPeer(t, c))
	})
}

func TestFaultLoss(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{LoseRequests: 1, LoseReplies: 2})
		for i, want := range []int{0, 0, 0, ddp.CodeAwake} {
			if got := p.code(); got != want {
				t.Errorf("search %d: status %d, want %d", i, got, want)
			}
		}
		n := c.Counters()
		if n.Datagrams != 4 || n.DatagramsLost != 1 || n.Searches != 3 || n.RepliesLost != 2 || n.Replies != 1 {
			t.Errorf("counted %+v", n)
		}
		c.SetFaults(ps4test.Faults{LoseReplies: ps4test.Always})
		for range 3 {
			if got := p.code(); got != 0 {
				t.Errorf("status %d", got)
			}
		}
	})
}

func TestFaultGarbageDatagrams(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{GarbageDDP: true})
		s := p.socket()
		defer s.Close()
		_, err := s.WriteTo(ddp.NewSearch("").Marshal(), udpAddr(c))
		p.must(err)
		buf, bad := make([]byte, 8192), 0
		for {
			n, _, err := s.ReadFrom(buf)
			p.must(err)
			if _, err := ddp.ParseReply(buf[:n]); err == nil {
				break
			}
			bad++
		}
		if bad != 5 {
			t.Errorf("%d malformed datagrams before the reply", bad)
		}
	})
}

func TestFaultDelay(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		p.signIn()
		c.SetFaults(ps4test.Faults{Delay: 700 * time.Millisecond})
		start := time.Now()
		if got := p.code(); got != ddp.CodeAwake || time.Since(start) != 700*time.Millisecond {
			t.Errorf("status %d after %v", got, time.Since(start))
		}
		start = time.Now()
		if got := p.boot("CUSA00129"); got != 0 || time.Since(start) != 700*time.Millisecond {
			t.Errorf("boot: %d after %v", got, time.Since(start))
		}
	})
}

func TestFaultSplit(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		p.signIn()
		c.SetFaults(ps4test.Faults{Split: 5})
		p.send(wire.Boot{TitleID: "CUSA00129"})
		buf := make([]byte, 64)
		var sizes []int
		for total := 0; total < 16; {
			n, err := p.conn.Read(buf)
			p.must(err)
			sizes = append(sizes, n)
			total += n
		}
		if len(sizes) != 4 || sizes[0] != 5 || sizes[3] != 1 {
			t.Errorf("16 bytes came as %v", sizes)
		}
	})
}

func TestFaultCoalesce(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{Coalesce: true})
		p.signIn()
		p.send(wire.Empty{Type: wire.TypeLogout})
		buf := make([]byte, 64)
		if n, err := p.conn.Read(buf); n != 32 || err != nil {
			t.Errorf("one read has %d bytes, %v; want two packets", n, err)
		}
	})
}

func TestFaultReset(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{Reset: 1})
		p.launch()
		p.must(p.dial())
		if _, err := wire.ReadClear(p.conn); !isReset(err) {
			t.Errorf("reading after a reset: %v", err)
		}
		p.greet()
		if got := p.login(goodLogin()); got != 0 {
			t.Errorf("login after the fault: %v", got)
		}
		c.ResetConnections()
		if err := p.ended(); !isReset(err) {
			t.Errorf("after ResetConnections: %v", err)
		}
	})
}

func TestFaultRefuse(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{Refuse: 1})
		p.datagram(ddp.NewLaunch(account).Marshal())
		time.Sleep(time.Second)
		if err := p.dial(); !isRefused(err) {
			t.Errorf("dialling: %v", err)
		}
		p.launch()
		p.must(p.dial())
	})
}

func TestFaultGarbageTCP(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		p.launch()
		c.SetFaults(ps4test.Faults{GarbageTCP: 1})
		p.must(p.dial())
		p.write(wire.Hello{Version: wire.ProtocolVersion}.Marshal())
		packet, err := wire.ReadClear(p.conn)
		if err == nil {
			_, err = wire.UnmarshalHelloReply(packet)
		}
		if err == nil {
			t.Error("garbage reads as a hello")
		}
		p.greet() // the fault is used up
	})
}

func TestFaultHoldBeats(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{HoldBeats: true})
		p.signIn()
		time.Sleep(14 * time.Second)
		if n := c.Counters().Heartbeats; n != 0 {
			t.Errorf("%d heartbeats", n)
		}
	})
}

func TestFaultResults(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{
			HelloStatus: -7, Login: ps4.ErrLoginManagerBusy, Boot: ps4.ErrDownloading, Standby: ps4.ErrProhibited,
		})
		p.launch()
		p.must(p.dial())
		if got := p.hello().Status; got != -7 {
			t.Errorf("hello's status %d", got)
		}
		p.greet()
		results := []struct{ got, want ps4.ResultError }{
			{p.login(goodLogin()), ps4.ErrLoginManagerBusy},
			{p.boot("CUSA00129"), ps4.ErrNotLoggedIn},
			{p.ask(wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult), ps4.ErrProhibited},
			{p.ask(wire.Empty{Type: wire.TypeLogout}, wire.TypeLogoutResult), ps4.ErrAlreadyLoggedOut},
			{ps4.ResultError(startKeyboard(p).Result), ps4.ErrNotLoggedIn},
		}
		for i, r := range results {
			if r.got != r.want {
				t.Errorf("result %d: %d, want %d", i, r.got, r.want)
			}
		}
	})
}

func TestFaultLostBoot(t *testing.T) {
	faulty(t, func(t *testing.T, c *ps4test.Console, p *peer) {
		c.SetFaults(ps4test.Faults{LoseBoots: 1})
		p.signIn()
		if got := p.boot("CUSA00129"); got != 0 {
			t.Errorf("boot: %v", got)
		}
		p.drain()
		time.Sleep(time.Minute)
		if got := c.RunningTitle().ID; got != "" {
			t.Errorf("%s runs", got)
		}
	})
}

package ps4test_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func TestDoorOpensForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, memory(t, ps4test.Config{Linked: true}))
		if err := p.dial(); !isRefused(err) {
			t.Fatalf("before LAUNCH: %v", err)
		}
		start := time.Now()
		p.datagram(ddp.NewLaunch(account).Marshal())
		if err := p.dial(); !isRefused(err) {
			t.Fatalf("at once after LAUNCH: %v", err)
		}
		time.Sleep(200*time.Millisecond - time.Since(start))
		synctest.Wait()
		p.greet()
		time.Sleep(10*time.Second + 200*time.Millisecond - time.Since(start))
		synctest.Wait()
		if err := p.dial(); !isRefused(err) {
			t.Fatalf("10 s later: %v", err)
		}
		if result := p.login(goodLogin()); result != 0 {
			t.Errorf("the connection that was open: %v", result)
		}
	})
}

func TestLaunchKeepsTheDoorOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, memory(t, ps4test.Config{}))
		p.launch()
		time.Sleep(9 * time.Second)
		p.launch()
		time.Sleep(9 * time.Second)
		if err := p.dial(); err != nil {
			t.Errorf("9 s after the second LAUNCH: %v", err)
		}
	})
}

func TestHandshakeLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, memory(t, ps4test.Config{}))
		p.launch()
		p.must(p.dial())
		p.hello()
		start := time.Now()
		if _, err := wire.ReadClear(p.conn); err == nil {
			t.Fatal("an answer to a hello alone")
		}
		if waited := time.Since(start); waited != 10*time.Second {
			t.Errorf("dropped after %v", waited)
		}
	})
}

func TestOnlySoManyConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, ps4test.Config{})
		newPeer(t, c).launch()
		for range 20 {
			newPeer(t, c).must(newPeer(t, c).dial())
		}
		synctest.Wait()
		if now := c.Snapshot(); now.Connections != 16 || now.Counters.Connections != 20 {
			t.Errorf("%d open of %d", now.Connections, now.Counters.Connections)
		}
	})
}

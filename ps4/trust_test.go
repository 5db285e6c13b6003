package ps4_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// A console is off and another one has its address. The
// WAKEUP, which has the credential in clear text, must not go to that one.
func TestWakeupGoesToNoOtherConsole(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		credential, err := ps4.ParseCredential(strings.Repeat("0123456789abcdef", 4))
		ok(t, err)
		c.SetUser(ps4.User{Credential: credential})
		l.set(oldAddr, "0A0000000BAD")
		time.Sleep(5 * time.Second) // the watch has heard it
		l.takeSent()
		_ = c.Wake(t.Context())
		for _, sent := range l.takeSent() {
			if strings.HasPrefix(sent, "WAKEUP") {
				t.Errorf("the credential went to another console: %s", sent)
			}
		}
	})
}

// A session that dies in the middle of several keys must
// not press the first ones again; only the key that was lost is sent once more.
func TestKeeperPressesNoKeyTwice(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		ok(t, k.Do(ctx, press(ps4.Up)))
		f.take()
		line := f.line
		time.AfterFunc(500*time.Millisecond, line.hangUp)
		_ = k.Do(ctx, func(ctx context.Context, s *ps4.Session) error {
			return s.Keys(ctx, ps4.Key{Button: ps4.Down}, ps4.Key{Button: ps4.Down}, ps4.Key{Button: ps4.Down}, ps4.Key{Button: ps4.Down}, ps4.Key{Button: ps4.Enter})
		})
		downs := 0
		for _, sent := range f.takeTCP() {
			if strings.HasSuffix(sent, "remote down 0") {
				downs++
			}
		}
		if downs > 4 {
			t.Errorf("down was pressed %d times, want 4", downs)
		}
	})
}

// A Watch whose network is closed, a Status meanwhile, and a Discover:
// nothing may race or hang.
func TestCloseDuringUse(t *testing.T) {
	for range 30 {
		t.Run("", func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				l := newLAN(t)
				l.set(oldAddr, hostID)
				ctx, cancel := context.WithCancel(ctx)
				var group sync.WaitGroup
				for i := range 8 {
					c := l.network.Console(testAddr, ps4.Credential{})
					if i%2 == 0 {
						c.SetHostID(hostID)
					}
					group.Go(func() {
						for range ps4.Watch(ctx, c, nil) {
						}
					})
					group.Go(func() { _, _ = c.Status(ctx) })
					group.Go(func() { _, _ = l.network.Discover(ctx, 2*time.Second) })
					group.Go(func() {
						for range 50 {
							l.forge(thirdAddr, hostID)
							l.forge(newAddr, hostID)
							l.forge(oldAddr, "0A0000000BAD")
							c.SetAddr(testAddr)
							time.Sleep(17 * time.Millisecond)
						}
					})
				}
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
				ok(t, l.network.Close())
				time.Sleep(time.Second)
				cancel()
				group.Wait()
			})
		})
	}
}

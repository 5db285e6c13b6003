package ps4_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// BREAK (issue 13 §3): a console is off and another one has its address. The
// WAKEUP, which has the credential in clear text, must not go to that one.
func TestBreakWakeupGoesToNoOtherConsole(t *testing.T) {
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

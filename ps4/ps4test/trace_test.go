package ps4test_test

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// lines collects what Config.Trace receives.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, line)
}

func (l *lines) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list
	l.list = nil
	return list
}

// Every datagram and packet is traced in one line with its direction and fields,
// and without secrets.
func TestTrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l lines
		c := memory(t, ps4test.Config{
			Name: "Den", DDPPort: 987, TCPPort: 997, PIN: pin, Passcode: "2468", Credentials: []string{account},
			StrictKeys: true, Trace: l.add,
		})
		c.OpenKeyboard("", 64)
		p := newPeer(t, c)
		p.search()
		p.datagram([]byte("WAKEUP * HTTP/1.1\nuser-credential:" + account + "\nclient-type:a\nauth-type:C\n"))
		p.datagram([]byte("LAUNCH * HTTP/1.1\nuser-credential:" + stranger + "\n"))
		p.datagram([]byte("user-credential:" + account))
		p.launch()
		p.greet()
		login := goodLogin()
		p.login(login)
		login.PIN, login.Passcode = pin, "2468"
		p.login(login)
		p.send(wire.Word{Type: wire.TypeStatus})
		p.press(wire.OpOpenRC)
		time.Sleep(1500 * time.Millisecond)
		p.press(wire.OpOpenRC)
		time.Sleep(200 * time.Millisecond)
		p.press(wire.OpUp)
		p.send(wire.Remote{Operation: wire.OpUp, HoldMS: 700})
		p.press(wire.OpKeyOff, wire.OpDown, wire.OpCloseRC)
		p.boot("CUSA00129")
		startKeyboard(p)
		p.send(wire.NewKeyboardText("my password"))
		p.send(wire.Word{Type: wire.TypeKeyboardControl, Value: wire.KeyboardReturn})
		p.send(wire.Word{Type: wire.TypeKeyboardControl, Value: wire.KeyboardClose})
		p.send(wire.Word{Type: wire.TypeKeyboardControl, Value: 7})
		p.ask(wire.Empty{Type: wire.TypeLogout}, wire.TypeLogoutResult)
		p.ask(wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult)
		p.send(raw{t: 99, body: make([]byte, 4)})
		p.send(wire.Empty{Type: wire.TypeBye})
		if err := p.ended(); !isClosed(err) {
			t.Fatal(err)
		}
		synctest.Wait()
		got := l.take()
		udp, tcp := "-> 127.0.0.1:987 ", "-> 127.0.0.1:997 "
		want := []string{
			udp + `SRCH version="00020020"`,
			udp + `WAKEUP credential=[redacted] client-type="a" auth-type="C" version="00020020": ignored`,
			udp + `LAUNCH credential=[redacted] version="00020020": ignored`,
			udp + `datagram of 80 bytes: malformed: unknown method`,
			udp + `LAUNCH credential=[redacted] client-type="a" auth-type="C" version="00020020"`,
			tcp + `hello`,
			tcp + `handshake`,
			tcp + `login label="test" model="bench" os="4.4" credential=[redacted]: result 20`,
			tcp + `login label="test" model="bench" os="4.4" credential=[redacted] PIN=[redacted] passcode=[redacted]: result 0`,
			tcp + `status`,
			tcp + `remote open_rc: ignored: too soon after the connection`,
			tcp + `remote open_rc`,
			tcp + `remote up`,
			tcp + `remote up:700`,
			tcp + `remote key_off`,
			tcp + `remote down: ignored: too soon after the last key`,
			tcp + `remote close_rc`,
			tcp + `boot title="CUSA00129": result 0`,
			tcp + `keyboard start: result 0`,
			tcp + `keyboard text of 11 bytes`,
			tcp + `keyboard return`,
			tcp + `keyboard close`,
			tcp + `keyboard command 7`,
			tcp + `logout: result 0`,
			tcp + `standby: result 11`,
			tcp + `type 99 with 4 bytes of fields`,
			tcp + `bye`,
		}
		peers := regexp.MustCompile(`^Den 127\.0\.0\.1: 127\.0\.0\.1:\d+ `)
		for i, line := range got {
			got[i] = peers.ReplaceAllString(line, "")
		}
		if !slices.Equal(got, want) {
			t.Errorf("lines\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// FuzzTrace checks that no request adds a line or reveals its credential.
func FuzzTrace(f *testing.F) {
	f.Add("WAKEUP * HTTP/1.1\n")
	f.Add("LAUNCH * HTTP/1.1\nclient-type:\x1b[2J\n")
	f.Add("SRCH * HTTP/1.1\nauth-type:\xff\n")
	f.Fuzz(func(t *testing.T, start string) {
		var l lines
		c := ps4test.Start(t, ps4test.Config{Network: ps4test.NewNetwork(), Trace: l.add, Timing: ps4test.FastTiming()})
		p := newPeer(t, c)
		p.datagram([]byte(start + "\nuser-credential:" + account + "\n"))
		_ = c.Close()
		if got := l.take(); len(got) != 1 || strings.ContainsAny(got[0], "\r\n\x1b") || strings.Contains(got[0], account) {
			t.Errorf("lines %q", got)
		}
	})
}

// Lost datagrams are traced too.
func TestTraceLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l lines
		c := memory(t, ps4test.Config{Trace: l.add})
		c.SetSilent()
		newPeer(t, c).datagram(ddp.NewSearch("").Marshal())
		synctest.Wait()
		if got := l.take(); len(got) != 1 || !strings.HasSuffix(got[0], ` SRCH version="00020020": lost`) {
			t.Errorf("lines %q", got)
		}
	})
}

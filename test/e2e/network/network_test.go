//go:build linux

package network_test

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
	"github.com/ps4kit/ps4kit/test/need"
)

// A firewall that admits UDP only to port 1987 is no obstacle, with consoles
// that don't answer as well.
func TestRepliesToPort1987Only(t *testing.T) {
	if !isolate(t) {
		return
	}
	pollForAMinute(t, newLAN(t), true)
}

// The same with a real firewall on the server's machine.
func TestStatefulFirewall(t *testing.T) {
	if !isolate(t) {
		return
	}
	need.Tools(t, "nft")
	l := newLAN(t)
	peer.Shell(t, `nft -f - <<end
table ip filter {
	chain input {
		type filter hook input priority 0; policy drop;
		iif lo accept
		udp dport 1987 accept
		meta l4proto tcp ct state established accept
	}
}
end`)
	pollForAMinute(t, l, false)
}

// pollForAMinute lets a server poll a console that is on, one that rests and one
// that is not there. With rule set, the consoles themselves answer only questions
// from port 1987.
func pollForAMinute(t *testing.T, l *lan, rule bool) {
	t.Helper()
	den := l.console(l.machine(denAddr), peer.Args{"host_id": denID, "rule": rule})
	attic := l.console(l.machine(atticAddr), peer.Args{"host_id": atticID, "rule": rule, "state": "standby"})
	s := l.serve([]string{known("Den", denAddr, denID), known("Attic", atticAddr, atticID), known("Dead", newAddr, deadID)})
	s.waitFor(denID, "awake", denAddr)
	s.waitFor(atticID, "standby", atticAddr)
	began := time.Now()
	const commands = 3
	for range commands {
		time.Sleep(18 * time.Second)
		if out, code := s.run("status", "--host-id", denID, "-o", "json"); code != 0 {
			t.Errorf("status of the console that is on: code %d, %s", code, out)
		}
		if out, code := s.run("status", "--host-id", atticID, "-o", "json"); code != 1 {
			t.Errorf("status of the console that rests: code %d, %s", code, out)
		}
	}
	time.Sleep(time.Until(began.Add(time.Minute)))
	minutes := time.Since(began).Minutes()
	for _, c := range []struct {
		*console
		name, id string
		perMin   float64
	}{{den, "awake", denID, 60}, {attic, "resting", atticID, 30}} {
		list := c.datagrams(began)
		searches, polls := count(list, datagram.searched), count(list, polled)
		t.Logf("%s console: %d datagrams a minute: %d polls, %d by broadcast; told %q", c.name, len(list), polls, searches, s.told(c.id))
		if n := count(list, func(d datagram) bool { return d.Port != 1987 }); n > 0 {
			t.Errorf("%s console: %d of %d datagrams from another port than 1987", c.name, n, len(list))
		}
		if most := c.perMin*minutes + commands + 1; float64(polls) > most || float64(polls) < c.perMin/2 {
			t.Errorf("%s console: %d polls in a minute, want at most %.0f", c.name, polls, most)
		}
		if h := s.told(c.id); len(h) > 2 { // the first one may be of before the first answer
			t.Errorf("%s console: told %q", c.name, h)
		}
		if searches == 0 || searches > 30 { // both broadcast addresses, twice in each 30 s, and for the dead one
			t.Errorf("%s console: %d broadcasts in a minute", c.name, searches)
		}
	}
	if v := s.now(deadID); v.State != "unreachable" {
		t.Errorf("the dead console is %s", v.State)
	}
}

// Losing the link says nothing about the console.
func TestNoCarrier(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	loseNetwork(t, l, func() { l.sw.Shell(t, "ip link set port0 down") }, func() { l.sw.Shell(t, "ip link set port0 up") })
}

// Nor does losing the address.
func TestNoRoute(t *testing.T) {
	if !isolate(t) {
		return
	}
	loseNetwork(t, newLAN(t), func() { peer.Shell(t, "ip addr del 192.0.2.1/24 dev lan0") }, func() { peer.Shell(t, serverRoutes) })
}

func loseNetwork(t *testing.T, l *lan, cut, restore func()) {
	t.Helper()
	den := l.console(l.machine(denAddr), nil)
	s := l.serve([]string{known("Den", denAddr, denID)})
	s.waitFor(denID, "awake", denAddr)
	time.Sleep(3 * time.Second)
	before := len(s.told(denID))
	cut()
	began := time.Now()
	time.Sleep(25 * time.Second)
	if n := len(den.datagrams(began.Add(500 * time.Millisecond))); n > 0 {
		t.Errorf("the console got %d datagrams without a link", n)
	}
	restore()
	time.Sleep(5 * time.Second)
	if told := s.told(denID); len(told) != before {
		t.Errorf("the console was on all the time; told: %q", told)
	}
	den.set(peer.Args{"state": "standby"})
	s.waitFor(denID, "standby", denAddr)
}

// A console that gets another address is found there.
func TestConsoleMoves(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	den := l.console(l.machine(denAddr), nil)
	s := l.serve([]string{known("Den", denAddr, denID)})
	s.waitFor(denID, "awake", denAddr)
	time.Sleep(3 * time.Second)
	began := time.Now()
	den.machine.Shell(t, readdress(denAddr, newAddr))
	took := s.waitFor(denID, "awake", newAddr).Sub(began)
	t.Logf("followed after %.1f s", took.Seconds())
	if took > 10*time.Second {
		t.Errorf("followed after %v, want at most 10 s; told %q", took, s.told(denID))
	}
	time.Sleep(3 * time.Second)
	if w := s.warnings("192.0.2."); len(w) != 1 || !strings.Contains(w[0], newAddr) {
		t.Errorf("warnings: %q", w)
	}
	if n := count(den.datagrams(began.Add(took)), polled); n == 0 {
		t.Error("the console is not polled at its new address")
	}
}

// readdress gives a machine another address.
func readdress(from, to string) string {
	return "ip addr del " + from + "/24 dev lan0; ip addr add " + to + "/24 broadcast + dev lan0"
}

// No other address gets a console's place while it answers, or while several
// claim it. The credential stays with the console.
func TestClaimedHostID(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	den := l.console(l.machine(denAddr), peer.Args{"state": "standby"})
	rivals := []*console{l.console(l.machine(newAddr), nil), l.console(l.machine(thirdAddr), nil)}
	for _, r := range rivals {
		r.set(peer.Args{"silent": true})
	}
	s := l.serve([]string{known("Den", denAddr, denID)})
	s.waitFor(denID, "standby", denAddr)
	time.Sleep(time.Second)

	// One rival, and the console answers.
	rivals[0].set(peer.Args{"silent": false, "shout": serverAddr})
	time.Sleep(6 * time.Second)
	stays(t, s, den, rivals, "which answers")

	// Two rivals, and the console is silent.
	rivals[1].set(peer.Args{"silent": false, "shout": serverAddr})
	time.Sleep(time.Second)
	den.set(peer.Args{"silent": true})
	time.Sleep(12 * time.Second)
	stays(t, s, den, rivals, "whose host id two others claim")
	if w := s.warnings("claim"); len(w) != 1 {
		t.Errorf("warnings: %q", w)
	}
}

// A reply from beyond a router moves no console.
func TestForgedReplyFromAfar(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	den := l.console(l.machine(denAddr), peer.Args{"state": "standby"})
	far := l.console(l.farMachine(farAddr), nil)
	s := l.serve([]string{known("Den", denAddr, denID)})
	s.waitFor(denID, "standby", denAddr)
	const dropped = `ps4kit_search_datagrams_total\{kind="dropped"\}`
	before := s.metric(dropped)
	far.set(peer.Args{"shout": serverAddr})
	time.Sleep(4 * time.Second)
	stays(t, s, den, []*console{far}, "which answers")
	den.set(peer.Args{"silent": true})
	time.Sleep(12 * time.Second)
	stays(t, s, den, []*console{far}, "which is silent")
	if n := s.metric(dropped) - before; n < 20 {
		t.Errorf("%.0f forged replies were dropped: they did not arrive", n)
	}
}

// stays wakes a console and checks that it is still where it was, and that
// nobody else was asked or given the credential.
func stays(t *testing.T, s *server, den *console, others []*console, what string) {
	t.Helper()
	began := time.Now()
	s.run("wakeup")
	time.Sleep(time.Second)
	if v := s.now(denID); v.Address != denAddr {
		t.Errorf("a console %s has moved: %q", what, s.told(denID))
	}
	woken := func(d datagram) bool { return d.Kind == "WAKEUP" }
	if count(den.datagrams(began), woken) == 0 {
		t.Errorf("a console %s got no WAKEUP", what)
	}
	for _, o := range others {
		list := o.datagrams(time.Time{})
		if n := count(list, func(d datagram) bool { return d.Kind != "SRCH" || polled(d) }); n > 0 {
			t.Errorf("%d datagrams for a console %s went to another address: %+v", n, what, list)
		}
	}
}

// The port may be taken when the server starts.
func TestPortTaken(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	den := l.console(l.machine(denAddr), peer.Args{"rule": false})
	other, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", "0.0.0.0:1987")
	if err != nil {
		t.Fatal(err)
	}
	s := l.serve([]string{known("Den", denAddr, denID)})
	s.waitFor(denID, "awake", denAddr)
	time.Sleep(12 * time.Second) // it has tried again meanwhile
	if _, code := s.run("status", "-i", denAddr); code != 0 {
		t.Errorf("status: code %d", code)
	}
	if w := s.warnings("1987"); len(w) != 1 {
		t.Errorf("warnings: %q", w)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	freed := time.Now()
	from1987 := func(d datagram) bool { return d.Port == 1987 }
	for count(den.datagrams(freed), from1987) == 0 && time.Since(freed) < 20*time.Second {
		time.Sleep(200 * time.Millisecond)
	}
	took := time.Since(freed)
	t.Logf("back on port 1987 after %.1f s", took.Seconds())
	if took > 15*time.Second {
		t.Error("the server does not go back to port 1987")
	}
	moved := time.Now()
	time.Sleep(3 * time.Second)
	if n := count(den.datagrams(moved), func(d datagram) bool { return !from1987(d) }); n > 0 {
		t.Errorf("%d datagrams from another port than 1987 after the server is back on it", n)
	}
	if told := s.told(denID); len(told) > 2 {
		t.Errorf("told %q", told)
	}
}

// A PS5 is asked from the same port.
func TestPS5(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	den := l.console(l.machine(denAddr), nil)
	ps5 := l.console(l.machine(atticAddr), peer.Args{"type": "PS5", "host_id": atticID, "name": "PS5-123"})
	s := l.serve([]string{known("Den", denAddr, denID)}, `discovery: {broadcast: ["255.255.255.255:987", "255.255.255.255:9302"]}`)
	s.waitFor(denID, "awake", denAddr)
	out, code := s.run("search", "-o", "json")
	want := fmt.Sprintf(`"address":"%s:9302"`, atticAddr)
	if code != 0 || !strings.Contains(out, want) || !strings.Contains(out, `"host_type":"PS5"`) || !strings.Contains(out, denID) {
		t.Errorf("search: code %d, %s", code, out)
	}
	if out, code := s.run("status", "-i", atticAddr+":9302", "-o", "json"); code != 0 || !strings.Contains(out, atticID) {
		t.Errorf("status: code %d, %s", code, out)
	}
	list := ps5.datagrams(time.Time{})
	if n := count(list, polled); n == 0 || count(list, datagram.searched) == 0 {
		t.Errorf("datagrams %+v", list)
	}
	for _, d := range append(list, den.datagrams(time.Time{})...) {
		if d.Port != 1987 {
			t.Errorf("a datagram from another port than 1987: %+v", d)
		}
	}
}

// Doctor runs beside the server, whose socket is no fault.
func TestDoctorBesideServer(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	l.console(l.machine(denAddr), nil)
	s := l.serve([]string{known("Den", denAddr, denID)})
	s.waitFor(denID, "awake", denAddr)
	out, _ := s.run("doctor", "-o", "json")
	var findings []struct{ Check, Status, Message, Hint string }
	if err := json.Unmarshal([]byte(out), &findings); err != nil || len(findings) < 5 {
		t.Fatalf("doctor: %v in %s", err, out)
	}
	reached := false
	for _, f := range findings {
		if f.Status != "ok" && strings.Contains(f.Check+f.Message+f.Hint, "1987") {
			t.Errorf("doctor beside the server: %+v", f)
		}
		reached = reached || f.Status == "ok" && strings.Contains(f.Message, denAddr)
	}
	if !reached {
		t.Errorf("doctor does not reach the console: %s", out)
	}
}

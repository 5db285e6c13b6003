package mdns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"github.com/ps4kit/ps4kit/test/need"
)

// observer reads multicast DNS on one interface with its own socket.
type observer struct {
	conn  *ipv4.PacketConn
	index int
	group *net.UDPAddr
}

func observe(t *testing.T, ifi *net.Interface, port int) observer {
	t.Helper()
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: port}
	conn, err := net.ListenMulticastUDP("udp4", ifi, group)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := ipv4.NewPacketConn(conn)
	if err := errors.Join(p.SetControlMessage(ipv4.FlagInterface, true), p.SetMulticastLoopback(true)); err != nil {
		t.Fatal(err)
	}
	return observer{p, ifi.Index, group}
}

// until returns the first response on the interface that has all wanted texts,
// or nil after the limit.
func (o observer) until(limit time.Duration, want ...string) *dns.Msg {
	deadline := time.Now().Add(limit)
	buf := make([]byte, 9000)
	for o.conn.SetReadDeadline(deadline) == nil {
		n, cm, _, err := o.conn.ReadFrom(buf)
		if err != nil {
			return nil
		}
		m := new(dns.Msg)
		if cm == nil || cm.IfIndex != o.index || m.Unpack(buf[:n]) != nil || !m.Response {
			continue
		}
		text := strings.Join(recordLines(slices.Concat(m.Answer, m.Extra)), "\n")
		if !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(text, w) }) {
			return m
		}
	}
	return nil
}

// ask multicasts a question on the interface.
func (o observer) ask(t *testing.T, m *dns.Msg) {
	t.Helper()
	data, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.conn.WriteTo(data, &ipv4.ControlMessage{IfIndex: o.index}, o.group); err != nil {
		t.Fatal(err)
	}
}

func loopback(t *testing.T) *net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, ifi := range all {
		if ifi.Flags&net.FlagLoopback != 0 && ifi.Flags&net.FlagUp != 0 {
			return &ifi
		}
	}
	t.Skip("this machine has no loopback interface")
	return nil
}

// freePort returns a free UDP port.
func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// Real sockets on loopback with a port of our own, so that no other test hears
// them.
func TestPublishOnLoopback(t *testing.T) {
	t.Parallel()
	lo, port := loopback(t), freePort(t)
	// Both listen on the port. A unicast reaches the socket that was opened
	// last, which must be the responder's.
	o := observe(t, lo, port)
	r := New(&Options{Log: testLog{t}, network: &sockets{names: []string{lo.Name}, udpPort: uint16(port)}})
	t.Cleanup(r.Close)
	h := publish(t, r, den())
	if o.until(5*time.Second, ptrLine, srvLine, txtLine, denHost+" 120 IN A 127.0.0.1") == nil {
		t.Fatal("no announcement within 5 s")
	}
	askLegacy(t, port)
	h.Update(map[string]string{"sf": "0"})
	if o.until(5*time.Second, `"sf=0"`) == nil {
		t.Error("no announcement of the update")
	}
	h.Close()
	if o.until(5*time.Second, "_hap._tcp.local. 0 IN PTR "+denInstance) == nil {
		t.Error("no goodbye")
	}
}

// askLegacy asks as a plain DNS client, from any port.
func askLegacy(t *testing.T, port int) {
	t.Helper()
	c := &dns.Client{Net: "udp4", Timeout: 5 * time.Second}
	m := question(denInstance, dns.TypeSRV)
	m.Id = 99
	r, _, err := c.Exchange(m, (&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String())
	if err != nil || len(r.Answer) != 1 {
		t.Errorf("legacy question: %v, %v", r, err)
	}
}

func TestInterfaceChoice(t *testing.T) {
	t.Parallel()
	const up = net.FlagUp
	for name, c := range map[string]struct {
		names []string
		ifi   net.Interface
		want  bool
	}{
		"ethernet":            {nil, net.Interface{Name: "eth0", Flags: up | net.FlagMulticast}, true},
		"down":                {nil, net.Interface{Name: "eth0", Flags: net.FlagMulticast}, false},
		"no multicast":        {nil, net.Interface{Name: "eth0", Flags: up}, false},
		"loopback":            {nil, net.Interface{Name: "lo", Flags: up | net.FlagLoopback | net.FlagMulticast}, false},
		"a VPN":               {nil, net.Interface{Name: "wg0", Flags: up | net.FlagPointToPoint | net.FlagMulticast}, false},
		"chosen":              {[]string{"wlan0", "eth0"}, net.Interface{Name: "eth0", Flags: up | net.FlagMulticast}, true},
		"not chosen":          {[]string{"wlan0"}, net.Interface{Name: "eth0", Flags: up | net.FlagMulticast}, false},
		"loopback, chosen":    {[]string{"lo"}, net.Interface{Name: "lo", Flags: up | net.FlagLoopback}, true},
		"chosen and down":     {[]string{"eth0"}, net.Interface{Name: "eth0"}, false},
		"part of a name only": {[]string{"eth"}, net.Interface{Name: "eth0", Flags: up | net.FlagMulticast}, false},
	} {
		if got := (&sockets{names: c.names}).uses(c.ifi); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

const inNamespace = "PS4KIT_TEST_IN_NAMESPACE"

// The real port 5353, in a network namespace without a way out.
func TestPublishInNamespace(t *testing.T) {
	if os.Getenv(inNamespace) != "" {
		testInNamespace(t)
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--net",
		"sh", "-c", `ip link set lo up && ip link add d1 type veth peer name p1 || exit 77; exec "$0" -test.run='^TestPublishInNamespace$' -test.v`, os.Args[0])
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		t.Logf("%s", out)
	case cmd.ProcessState != nil && strings.Contains(string(out), "=== RUN"):
		t.Fatalf("%s", out)
	default:
		need.Skip(t, fmt.Sprintf("no network namespace: %v\n%s", err, out))
	}
}

func testInNamespace(t *testing.T) {
	run(t, "ip addr add 198.51.100.1/24 dev d1; ip link set d1 up; ip link set p1 up")
	d1, err := net.InterfaceByName("d1")
	if err != nil {
		t.Fatal(err)
	}
	other := observe(t, d1, mdnsPort)
	r := New(&Options{Log: testLog{t}, Interfaces: []string{"d0"}})
	t.Cleanup(r.Close)
	publish(t, r, den())
	run(t, "ip link add d0 type veth peer name p0; ip addr add 192.0.2.5/24 dev d0; ip link set d0 up; ip link set p0 up")
	d0, err := net.InterfaceByName("d0")
	if err != nil {
		t.Fatal(err)
	}
	o := observe(t, d0, mdnsPort)
	if o.until(5*time.Second, ptrLine, srvLine, txtLine, aLine) == nil {
		t.Fatal("a late network: not announced within 5 s")
	}
	run(t, "ip addr del 192.0.2.5/24 dev d0; ip addr add 192.0.2.77/24 dev d0")
	m := o.until(5*time.Second, ptrLine, denHost+" 120 IN A 192.0.2.77")
	if m == nil || slices.Contains(recordLines(m.Answer), aLine) {
		t.Fatalf("a renumbered network: not announced within 5 s, or with its old address: %v", m)
	}
	run(t, "ip link del d0; ip link add d0 type veth peer name p0; ip addr add 192.0.2.78/24 dev d0; ip link set d0 up; ip link set p0 up")
	if d0, err = net.InterfaceByName("d0"); err != nil {
		t.Fatal(err)
	}
	o = observe(t, d0, mdnsPort)
	if o.until(5*time.Second, denHost+" 120 IN A 192.0.2.78") == nil {
		t.Fatal("a replaced network: not announced within 5 s")
	}
	other.ask(t, question("_hap._tcp.local.", dns.TypePTR)) // github.com/brutella/dnssd answers this on every interface
	o.ask(t, question(denInstance, dns.TypeSRV))
	if o.until(5*time.Second, srvLine) == nil {
		t.Error("a question on the chosen interface is not answered")
	}
	r.Close()
	if o.until(time.Second, "_hap._tcp.local. 0 IN PTR "+denInstance) == nil {
		t.Error("no goodbye")
	}
	if m := other.until(200*time.Millisecond, "local."); m != nil {
		t.Errorf("sent on an interface that was not chosen: %v", m)
	}
}

func run(t *testing.T, script string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "sh", "-ec", script).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// TestPortTakenAtStart has another program hold the port for IPv4 when the
// responder starts: it announces by IPv6, and by IPv4 once the port is free.
func TestPortTakenAtStart(t *testing.T) {
	t.Parallel()
	lo := loopback(t)
	blocker, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocker.Close() }()
	port := blocker.LocalAddr().(*net.UDPAddr).Port
	network := &sockets{names: []string{lo.Name}, udpPort: uint16(port)}
	links, err := network.links()
	if err != nil || len(links) != 1 {
		t.Fatalf("%v, %v", links, err)
	}
	r := New(&Options{Log: testLog{t}, network: network})
	t.Cleanup(r.Close)
	h := publish(t, r, den())
	if slices.Contains(links[0].families(), true) {
		for end := time.Now().Add(5 * time.Second); !h.Published(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("not announced by IPv6 within 5 s")
			}
		}
	} else {
		t.Log("loopback has no IPv6 address")
	}
	if err := blocker.Close(); err != nil {
		t.Fatal(err)
	}
	if observe(t, lo, port).until(10*time.Second, ptrLine, srvLine) == nil {
		t.Fatal("not announced by IPv4 within 10 s of the port becoming free")
	}
}

func TestCheckPort(t *testing.T) {
	t.Parallel()
	holder, err := net.ListenUDP("udp4", &net.UDPAddr{}) // doesn't share
	if err != nil {
		t.Fatal(err)
	}
	port := holder.LocalAddr().(*net.UDPAddr).Port
	if err := checkPort(uint16(port)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	observe(t, loopback(t), port) // shares
	if err := checkPort(uint16(port)); err != nil {
		t.Errorf("a shared port: %v", err)
	}
}

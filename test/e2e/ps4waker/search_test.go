//go:build linux

package ps4waker_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// TestSearchSimulate searches for `ps4kit simulate` from the machine that it runs
// on and from another one, with ps4-waker's own command and with the bytes of
// pyps4-2ndscreen.
func TestSearchSimulate(t *testing.T) {
	if !isolate(t) {
		return
	}
	other := connectMachines(t)
	lines := startSimulate(t, "ip=192.0.2.5,name=Den,host_id="+denID, "ip=192.0.2.6,name=Attic,host_id="+atticID+",standby=true")
	want := []string{"192.0.2.5 " + denID, "192.0.2.6 " + atticID}
	for name, ns := range map[string]string{"this machine": "/proc/self/ns/net", "another machine": other} {
		t.Run("ps4-waker on "+name, func(t *testing.T) {
			if got := searchPS4Waker(t, ns); !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
		for _, to := range []string{"255.255.255.255", "192.0.2.255", "192.0.2.5"} {
			t.Run("pyps4 on "+name+" to "+to, func(t *testing.T) {
				want := want
				if to == "192.0.2.5" {
					want = want[:1]
				}
				if got := searchPyps4(t, ns, to, len(want)); !slices.Equal(got, want) {
					t.Errorf("found %q, want %q", got, want)
				}
			})
		}
	}
	for _, want := range []string{
		`Den 192.0.2.5: 192.0.2.9:1987 -> 255.255.255.255:987 SRCH version="00020020"`,
		`Attic 192.0.2.6: 192.0.2.9:1987 -> 192.0.2.255:987 SRCH version="00020020"`,
		`Den 192.0.2.5: 192.0.2.9:1987 -> 192.0.2.5:987 SRCH version="00020020"`,
	} {
		waitForLine(t, lines, want)
	}
}

// connectMachines gives this network namespace a network 192.0.2.0/24 with three
// addresses, and returns the path of a namespace with the address 192.0.2.9.
func connectMachines(t *testing.T) (other string) {
	t.Helper()
	m := peer.NewMachine(t)
	peer.Shell(t, fmt.Sprintf(`
ip route del 255.255.255.255/32 dev lo
ip link add lan0 type veth peer name lan1 netns %d
ip addr add 192.0.2.1/24 dev lan0
ip addr add 192.0.2.5/24 dev lan0
ip addr add 192.0.2.6/24 dev lan0
ip link set lan0 up
ip route add default dev lan0
`, m.PID))
	m.Shell(t, `
ip addr add 192.0.2.9/24 dev lan1
ip link set lan1 up
ip route add default dev lan1
`)
	return m.Namespace()
}

// startSimulate runs ps4kit simulate until the test ends, and returns the lines
// that follow its list of consoles.
func startSimulate(t *testing.T, consoles ...string) <-chan string {
	t.Helper()
	args := []string{"simulate", "--key", filepath.Join(t.TempDir(), "key.pem")}
	for _, c := range consoles {
		args = append(args, "--console", c)
	}
	cmd := exec.CommandContext(t.Context(), peer.Binary(t), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	waitForLine(t, lines, "public key in ")
	return lines
}

func waitForLine(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	for limit := time.After(20 * time.Second); ; {
		select {
		case line, open := <-lines:
			if !open {
				t.Fatalf("simulate ended before the line %q", want)
			}
			if strings.Contains(line, want) {
				return
			}
		case <-limit:
			t.Fatalf("no line %q", want)
		}
	}
}

// searchPS4Waker runs ps4-waker's search command in a network namespace and
// returns the address and the host id of each console that it lists.
func searchPS4Waker(t *testing.T, ns string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "--net="+ns, "node", "node_modules/ps4-waker/dist/cli.js", "search", "--timeout", "2000") //nolint:gosec // constants
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	must(t, err)
	var found []string
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var console device
		if err := d.Decode(&console); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		found = append(found, console.Address+" "+console.HostID)
	}
	slices.Sort(found)
	return found
}

// searchPyps4 sends what pyps4-2ndscreen sends, from UDP port 1987 of a network
// namespace, and returns the address and the host id of each of n replies.
func searchPyps4(t *testing.T, ns, to string, n int) []string {
	t.Helper()
	s := listenIn(t, ns, "0.0.0.0:1987")
	defer s.Close()
	search := []byte("SRCH * HTTP/1.1\ndevice-discovery-protocol-version:00020020\n")
	_, err := s.WriteTo(search, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(to), ddpPort)))
	must(t, err)
	must(t, s.SetReadDeadline(time.Now().Add(20*time.Second)))
	var found []string
	buf := make([]byte, 1024)
	for range n {
		size, from, err := s.ReadFrom(buf)
		must(t, err)
		_, rest, _ := strings.Cut(string(buf[:size]), "\nhost-id:")
		id, _, _ := strings.Cut(rest, "\n")
		found = append(found, from.(*net.UDPAddr).IP.String()+" "+id) //nolint:forcetypeassert // a UDP socket
	}
	slices.Sort(found)
	return found
}

// listenIn opens a UDP socket in another network namespace. Go allows broadcasts
// on every UDP socket.
func listenIn(t *testing.T, ns, address string) net.PacketConn {
	t.Helper()
	f, err := os.Open(ns)
	must(t, err)
	defer f.Close()
	type result struct {
		conn net.PacketConn
		err  error
	}
	opened := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
			opened <- result{nil, os.NewSyscallError("setns", err)}
			return
		}
		conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", address)
		opened <- result{conn, err}
	}()
	r := <-opened
	must(t, r.err)
	return r.conn
}

package app_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// A command that meets a console of the configuration before the server does must not keep it from HomeKit.
func TestConsoleThatACommandMeetsFirstIsOffered(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{Name: "Loft", Timing: ps4test.FastTiming()})
	console.SetSilent()
	const never = "10m" // the server asks no second time
	r := serve(t, shortDir(t), fmt.Sprintf(`
discovery: {enabled: false}
poll: {interval: %s}
consoles: [{address: "%s"}]
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
`, never, console.Addr()), 0)
	console.SetAwake()
	var commands sync.WaitGroup
	for range 4 { // at once: the console gets one unit all the same
		commands.Go(func() {
			if c, err := r.api.Status(t.Context(), ""); err != nil || c.HostID != console.HostID() {
				t.Errorf("status: %+v, %v", c, err)
			}
		})
	}
	commands.Wait()
	if list, err := r.api.Homekit(t.Context()); err != nil || len(list) != 1 || list[0].HostID != console.HostID() {
		t.Errorf("HomeKit has %+v, %v", list, err)
	}
	if status, body := get(t, r, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

func TestConsoleThatIsOnlyTriedChangesNothing(t *testing.T) {
	t.Parallel()
	five := ps4test.Start(t, ps4test.Config{Name: "Five", HostType: ps4.TypePS5, Timing: ps4test.FastTiming()})
	r := serve(t, shortDir(t), loopback, 1)
	if c, err := r.api.Status(t.Context(), app.FormatAddress(five.Addr())); err != nil || c.HostType != ps4.TypePS5 {
		t.Fatalf("status: %+v, %v", c, err)
	}
	if c, err := r.api.Status(t.Context(), ""); err != nil || c.HostType != ps4.TypePS4 {
		t.Errorf("the only PS4: %+v, %v", c, err)
	}
	if list, err := r.api.Homekit(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("HomeKit has %+v, %v", list, err)
	}
	if status, body := get(t, r, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

// One machine in the network may pretend to be any number of consoles.
func TestConsolesThatAreFoundAreBounded(t *testing.T) {
	t.Parallel()
	const pretended, most = 80, 64
	crowd := startCrowd(t, pretended)
	r := serve(t, shortDir(t), fmt.Sprintf(`
discovery: {interval: 200ms, local_port: 0, broadcast: ["%s"]}
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
log: {level: warn}
`, crowd), 0)
	waitUntil(t, "a warning", func() bool { return strings.Contains(r.log.String(), "too many consoles") })
	if list, err := r.api.Consoles(t.Context()); err != nil || len(list) != most {
		t.Errorf("%d consoles, %v, want %d", len(list), err, most)
	}
	r.stop()
	store := open(t, r.state)
	defer store.Close()
	if all, err := store.Consoles().Load(); err != nil || len(all.Consoles) != most {
		t.Errorf("%d consoles are remembered, %v, want %d", len(all.Consoles), err, most)
	}
	if n := strings.Count(r.log.String(), "too many consoles"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, r.log)
	}
}

// startCrowd answers each SRCH as so many consoles, and returns its address.
func startCrowd(t *testing.T, n int) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for buf := make([]byte, 2048); ; {
			_, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			for i := range n {
				_, _ = fmt.Fprintf(packetWriter{conn, from}, "HTTP/1.1 620 Server Standby\nhost-id:0A%010X\nhost-type:PS4\nhost-name:Crowd %d\n", i, i)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-answered })
	return conn.LocalAddr().String()
}

type packetWriter struct {
	net.PacketConn
	to net.Addr
}

func (w packetWriter) Write(p []byte) (int, error) { return w.WriteTo(p, w.to) }

package remoteplay_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// TestOverLoopback uses the operating system's sockets: a session that fails
// before its login has to end with RST, and any other works.
func TestOverLoopback(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	console := overLoopback(t, func(c *call) {
		c.change(func() { c.control = (*call).loggedIn })
		c.say(c.opened() + c.frame(0x04, "")) // there is no passcode
		_, err := c.conn.Read(make([]byte, 1))
		ended <- err
	})
	fails(t, console.Do(t.Context(), nothing), ps4.ErrPasscodeNeeded, "passcode_needed")
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the console saw %v, want a reset", err)
	}
	if err := console.Standby(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestEndWithoutReset checks that a session reads until the console closes: a
// reset because of unread frames could cost the console the last frame of ours.
func TestEndWithoutReset(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	console := overLoopback(t, func(c *call) {
		c.loggedIn() // until FIN
		var err error
		for range 10 {
			_, failed := c.conn.Write([]byte(c.frame(0xfe, "")))
			err = errors.Join(err, failed)
		}
		ended <- err
	})
	if err := console.Do(t.Context(), func(ctx context.Context, s *remoteplay.Session) error { return s.Home(ctx) }); err != nil {
		t.Fatal(err)
	}
	console.Drop()
	if err := <-ended; err != nil {
		t.Errorf("the connection broke: %v", err)
	}
}

// overLoopback returns a client of a peer on sockets of the operating system,
// which answers control requests with control.
func overLoopback(t *testing.T, control func(*call)) *remoteplay.Console {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	discovery, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{
		t: t, start: time.Now(), family: rp.PS5, host: "PS5", system: "13600007", code: 200,
		init: (*call).initialized, control: control,
		paths:   [3]string{"/sie/ps5/rp/sess/rgst", "/sie/ps5/rp/sess/init", "/sie/ps5/rp/sess/ctrl"},
		closers: []io.Closer{listener, discovery},
	}
	t.Cleanup(p.close)
	p.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.serve(conn) })
		}
	})
	p.group.Go(func() { p.answerAll(discovery, p.discovery) })

	r, err := remoteplay.Stored{HostID: hostID, HostType: "PS5", RegistKey: registKey, RPKey: hexKey}.Registration()
	if err != nil {
		t.Fatal(err)
	}
	found := ps4.NewConsole(address(t, discovery.LocalAddr()), ps4.Credential{}, nil)
	console := remoteplay.New(found, r, &remoteplay.Options{
		Port:     address(t, listener.Addr()).Port(),
		DeviceID: [16]byte{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7},
	})
	t.Cleanup(func() { console.Close() })
	return console
}

func address(t *testing.T, a net.Addr) netip.AddrPort {
	t.Helper()
	parsed, err := netip.ParseAddrPort(a.String())
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

package ps4_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// capturing starts a capture on a free port of the loopback interface.
func capturing(ctx context.Context, t *testing.T, logf func(string, ...any)) (phone net.Conn, result func() (ps4.Credential, error)) {
	t.Helper()
	listening := make(chan net.Addr, 1)
	o := &ps4.CaptureOptions{
		Name: "Den's helper",
		Addr: netip.MustParseAddrPort("127.0.0.1:0"),
		Logf: logf,
		ListenPacket: func(ctx context.Context, network, address string) (net.PacketConn, error) {
			conn, err := (&net.ListenConfig{}).ListenPacket(ctx, network, address)
			if err == nil {
				listening <- conn.LocalAddr()
			}
			return conn, err
		},
	}
	var got ps4.Credential
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		got, failed = ps4.CaptureCredential(ctx, o)
	}()
	phone, err := net.Dial("udp4", (<-listening).String())
	ok(t, err)
	t.Cleanup(func() { _ = phone.Close(); <-done })
	ok(t, phone.SetDeadline(time.Now().Add(5*time.Second)))
	return phone, func() (ps4.Credential, error) { <-done; return got, failed }
}

func TestCapture(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var logged strings.Builder
	phone, result := capturing(t.Context(), t, func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&logged, format+"\n", args...)
	})
	for _, ignored := range []string{
		"", "garbage", "\xff\xfe\x00", strings.Repeat("x", 4000), "WAKEUP", "HTTP/1.1 200 Ok\nhost-id:1\n",
		"WAKEUP * HTTP/1.1\n",
		"WAKEUP * HTTP/1.1\nauth-type:C\n",
		"WAKEUP * HTTP/1.1\nauth-type:C\nuser-credential:" + testHex[:63] + "\n",
		"WAKEUP * HTTP/1.1\nclient-type: vr\nauth-type: R\nuser-credential: -123456789\n",
		"WAKEUP * HTTP/1.1\nauth-type:R\nuser-credential:" + testHex + "\n",
		"WAKEUP * HTTP/1.1\nuser-credential:" + testHex + "\n",
		string(ddp.NewLaunch(testHex).Marshal()),
	} {
		_, err := phone.Write([]byte(ignored))
		ok(t, err)
	}
	// The phone app omits the last LF.
	_, err := phone.Write([]byte("SRCH * HTTP/1.1\ndevice-discovery-protocol-version:00020020"))
	ok(t, err)
	buf := make([]byte, 2048)
	n, err := phone.Read(buf)
	ok(t, err)
	const want = "HTTP/1.1 620 Server Standby\nhost-id:1234567890AB\nhost-type:PS4\nhost-name:Den's helper\nhost-request-port:997\n" +
		"device-discovery-protocol-version:00020020\nsystem-version:09508011\n"
	if got := string(buf[:n]); got != want {
		t.Errorf("answered %q, want %q", got, want)
	}
	_, err = phone.Write([]byte("WAKEUP * HTTP/1.1\nclient-type:i\nauth-type:C\nuser-credential:" + testHex + "\ndevice-discovery-protocol-version:00020020\n"))
	ok(t, err)
	got, err := result()
	if err != nil || got.Reveal() != testHex {
		t.Errorf("captured nothing: %v", err)
	}
	hidden(t, "the log", logged.String())
	if n := strings.Count(logged.String(), "ignored"); n != 13 {
		t.Errorf("%d datagrams ignored, want 13: %s", n, logged.String())
	}
}

func TestCaptureEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, result := capturing(ctx, t, nil)
	cancel()
	_, err := result()
	wantErr(t, err, context.Canceled)
}

func TestCaptureCannotListen(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]error{
		syscall.EACCES: ps4.ErrPortRights, syscall.EADDRINUSE: ps4.ErrPortTaken, syscall.ENODEV: syscall.ENODEV,
	} {
		_, err := ps4.CaptureCredential(t.Context(), &ps4.CaptureOptions{
			ListenPacket: func(_ context.Context, network, address string) (net.PacketConn, error) {
				if network != "udp4" || address != "0.0.0.0:987" {
					t.Errorf("listens on %s %s", network, address)
				}
				return nil, &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", cause)}
			},
		})
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

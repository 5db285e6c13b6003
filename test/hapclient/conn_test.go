package hapclient_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/hapclient"
)

// long is a time that no test takes.
const long = time.Minute

// says connects to an accessory that says something to each request, in the clear.
func says(t *testing.T, said ...string) *hapclient.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		in := bufio.NewReader(c)
		for _, s := range said {
			r, err := http.ReadRequest(in)
			if err != nil {
				break
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(c, strings.ReplaceAll(s, "\n", "\r\n"))
		}
		_, _ = in.ReadByte() // until the controller goes
		_ = c.Close()
	}()
	c, err := hapclient.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]hapclient.Answer{
		"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody": {Status: 200, Body: []byte("body")},
		"HTTP/1.1 204 No Content\n\n":                {Status: 204},
		"HTTP/1.1 207 Multi-Status\ntransfer-encoding: chunked\n\n4\nin c\nA\nhunks of h\n3\nex.\n0\n\n": {Status: 207, Body: []byte("in chunks of hex.")},
	} {
		c := says(t, said, said)
		for range 2 { // nothing of the first one is left
			got, err := c.Get("/accessories")
			if err != nil || got.Status != want.Status || string(got.Body) != string(want.Body) {
				t.Errorf("%q is %d %q, %v", said, got.Status, got.Body, err)
			}
		}
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"HTTP/1.0 200 OK\nContent-Length: 0\n\n",
		"EVENT/1.0 404 Not Found\nContent-Length: 0\n\n",
		"HTTP/1.1 200 OK\n\n",
		"HTTP/1.1 200 OK\nContent-Length: -1\n\n",
		"HTTP/1.1 200 OK\nContent-Length: 99999999\n\n",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nx\n",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n4\nlonger\n0\n\n",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\nafter\n\n",
	} {
		if a, err := says(t, said).Get("/accessories"); err == nil {
			t.Errorf("%q is taken: %d %q", said, a.Status, a.Body)
		}
	}
}

const (
	first    = "EVENT/1.0 200 OK\nContent-Length: 5\n\nfirst"
	second   = "EVENT/1.0 200 OK\nContent-Length: 6\n\nsecond"
	accepted = "HTTP/1.1 204 No Content\n\n"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	c := says(t, first+accepted+second)
	if a, err := c.Put("/characteristics", nil); err != nil || a.Status != http.StatusNoContent {
		t.Fatalf("%d, %v", a.Status, err)
	}
	for _, want := range []string{"first", "second"} {
		if got, err := c.Await(long); err != nil || string(got) != want {
			t.Errorf("got %q, %v instead of %q", got, err, want)
		}
	}
	if got, err := c.Await(time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("no event is %q, %v", got, err)
	}
}

func TestAnswerToNothing(t *testing.T) {
	t.Parallel()
	c := says(t, accepted+accepted)
	if _, err := c.Put("/characteristics", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Await(long); err == nil {
		t.Errorf("an answer is taken for an event: %q", got)
	}
}

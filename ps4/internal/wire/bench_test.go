package wire_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

func BenchmarkSealKey(b *testing.B) {
	public := &testKey().PublicKey
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.SealKey(public, [16]byte{1}, [16]byte{2}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteRemote(b *testing.B) { benchmarkWrite(b, wire.Remote{Operation: wire.OpUp}) }

func BenchmarkWriteLogin(b *testing.B) {
	benchmarkWrite(b, wire.Login{Credential: strings.Repeat("0123456789abcdef", 4), AppLabel: "ps4kit", OSVersion: "4.4", Model: "ps4kit"})
}

func benchmarkWrite(b *testing.B, m wire.Message) {
	c := wire.NewConn(readWriter{nil, io.Discard}, [16]byte{1}, [16]byte{2})
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Write(m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadRemote reads the packets of another connection.
func BenchmarkReadRemote(b *testing.B) {
	const packets = 1024
	var stream bytes.Buffer
	w := wire.NewConn(&stream, [16]byte{1}, [16]byte{2})
	for range packets {
		if err := w.Write(wire.Remote{Operation: wire.OpUp}); err != nil {
			b.Fatal(err)
		}
	}
	var in *bytes.Reader
	var c *wire.Conn
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%packets == 0 {
			in = bytes.NewReader(stream.Bytes())
			c = wire.NewConn(readWriter{in, nil}, [16]byte{1}, [16]byte{2})
		}
		p, err := c.Read()
		if err == nil {
			_, err = wire.UnmarshalRemote(p)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

type readWriter struct {
	io.Reader
	io.Writer
}

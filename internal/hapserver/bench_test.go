package hapserver

import (
	"bytes"
	"io"
	"testing"
)

func BenchmarkPairVerify(b *testing.B) {
	f := newPaired(b, quiet).start(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.verifyAndAsk(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetAccessories(b *testing.B) { benchmarkRequest(b, "GET", "/accessories", nil, 200) }

func BenchmarkGetCharacteristics(b *testing.B) {
	benchmarkRequest(b, "GET", "/characteristics?id=1.11,1.15", nil, 200)
}

func BenchmarkPutCharacteristics(b *testing.B) {
	benchmarkRequest(b, "PUT", "/characteristics", putBody(iidKey, "4"), 204)
}

// benchmarkRequest counts the controller's allocations too.
func benchmarkRequest(b *testing.B, method, path string, body any, want int) {
	c := newPaired(b, quiet).start(b).connect(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		if a := c.must(b, method, path, body); a.status != want {
			b.Fatalf("status %d", a.status)
		}
	}
}

// BenchmarkEvent is the way of a value to one controller, without the delay
// that lets others share its message.
func BenchmarkEvent(b *testing.B) {
	f := newPaired(b, quiet).start(b)
	c := f.connect(b, nil)
	p := f.peers.all()[0]
	p.events.on[f.db.byC[f.m.cs[iidInput]]] = true // by no request, which would start the delivery
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.Set(f.m.cs[iidInput], i%2+2, nil)
		p.sendEvents()
		if _, err := c.nextEvent(); err != nil {
			b.Fatal(err)
		}
	}
}

// benchMessage is as long as the answer to /accessories of a television with 40
// inputs.
func benchMessage() []byte { return make([]byte, 33<<10) }

func BenchmarkSealFrames(b *testing.B) {
	s, message := frameSealer{aead: testAEAD(b)}, benchMessage()
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		s.seal(message)
	}
}

func BenchmarkOpenFrames(b *testing.B) {
	sealer := frameSealer{aead: testAEAD(b)}
	sealed, aead := sealer.seal(benchMessage()), testAEAD(b)
	b.SetBytes(int64(len(benchMessage())))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, &frameReader{r: bytes.NewReader(sealed), aead: aead}); err != nil {
			b.Fatal(err)
		}
	}
}

func quiet(o *Options) { o.Log = nil }

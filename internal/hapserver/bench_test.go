package hapserver

import "testing"

func BenchmarkPairVerify(b *testing.B) {
	f := newPaired(b, quiet).start(b)
	for b.Loop() {
		if err := f.verifyAndAsk(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetAccessories(b *testing.B) { benchmarkRequest(b, "GET", "/accessories", nil, 200) }

func BenchmarkPutCharacteristics(b *testing.B) {
	benchmarkRequest(b, "PUT", "/characteristics", putBody(iidKey, "4"), 204)
}

func benchmarkRequest(b *testing.B, method, path string, body any, want int) {
	c := newPaired(b, quiet).start(b).connect(b, nil)
	for b.Loop() {
		if a := c.must(b, method, path, body); a.status != want {
			b.Fatalf("status %d", a.status)
		}
	}
}

func quiet(o *Options) { o.Logf = nil }

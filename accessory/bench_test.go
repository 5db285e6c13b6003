package accessory_test

import (
	"testing"

	hapmodel "github.com/brutella/hap/accessory"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/hapserver"
)

// BenchmarkAccessoriesJSON is the body of GET /accessories of a television with 40 inputs.
func BenchmarkAccessoriesJSON(b *testing.B) {
	tv := newTV(b, accessory.Config{Name: "Den", Slots: 40})
	s, err := hapserver.New(&hapserver.Options{Name: "Den", Category: 31, Accessories: []*hapmodel.A{tv.Accessory()}, Store: &records{}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		body, err := s.AccessoriesJSON()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(body)))
	}
}

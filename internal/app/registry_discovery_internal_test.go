package app

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
)

// One address that invents new host ids in each search
// must not keep the console that answers at another address from being noticed.
func TestInventedConsolesHideNoRealOne(t *testing.T) {
	t.Parallel()
	var s sightings
	bad, den := netip.MustParseAddrPort("192.0.2.66:987"), netip.MustParseAddrPort("192.0.2.20:987")
	invented, noticed := 0, false
	for search := range 50 {
		s.next()
		for range maxSightings {
			invented++
			s.repeated(ps4.Status{HostID: fmt.Sprintf("00%010X", invented), Addr: bad})
		}
		if search > 0 && s.repeated(ps4.Status{HostID: "A0B1C2D3E4F5", Addr: den}) {
			noticed = true
		}
	}
	if !noticed {
		t.Error("the real console was never noticed in 50 searches")
	}
}

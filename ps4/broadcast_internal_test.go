package ps4

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

func TestBroadcastOf(t *testing.T) {
	t.Parallel()
	for cidr, want := range map[string]string{
		"192.168.1.20/24": "192.168.1.255", "10.1.2.3/8": "10.255.255.255", "172.16.5.4/20": "172.16.15.255",
		"192.168.1.20/30": "192.168.1.23", "192.168.1.20/31": "", "192.168.1.20/32": "", "fe80::1/64": "",
	} {
		got, ok := ddp.Broadcast(netip.MustParsePrefix(cidr))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v, %v, want %q", cidr, got, ok, want)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	all := netip.AddrPortFrom(ddp.LimitedBroadcast, ddp.PortPS5)
	got := newSettings(nil).expand(all)
	if len(got) == 0 || got[0] != all || slices.ContainsFunc(got, func(a netip.AddrPort) bool { return a.Port() != ddp.PortPS5 }) {
		t.Errorf("255.255.255.255 became %v", got)
	}
	if got := newSettings(&Options{Interfaces: []string{"none such"}}).expand(all); len(got) != 0 {
		t.Errorf("no interface became %v", got)
	}
	one := netip.MustParseAddrPort("127.0.0.1:987")
	if got := newSettings(nil).expand(one); !slices.Equal(got, []netip.AddrPort{one}) {
		t.Errorf("one address became %v", got)
	}
}

func TestSearchForPS5(t *testing.T) {
	t.Parallel()
	r, err := ddp.ParseRequest(searchFor(ddp.PortPS5))
	if err != nil || r.Version != ddp.VersionPS5 {
		t.Errorf("%+v, %v", r, err)
	}
}

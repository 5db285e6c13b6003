package doctor_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/ps4kit/ps4kit/internal/doctor"
)

// loopback is the interface that stays inside this machine.
func loopback(t *testing.T) *net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, ifi := range all {
		if ifi.Flags&net.FlagLoopback != 0 && ifi.Flags&net.FlagUp != 0 {
			return &ifi
		}
	}
	t.Skip("this machine has no loopback interface")
	return nil
}

func record(t testing.TB, text string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	return rr
}

// answer is what an accessory says.
func answer(t testing.TB, name, id string) *dns.Msg {
	t.Helper()
	m := &dns.Msg{Answer: []dns.RR{record(t, "_hap._tcp.local. 10 IN PTR "+name+"._hap._tcp.local.")}}
	m.Response = true
	if id != "" {
		m.Extra = []dns.RR{record(t, name+`._hap._tcp.local. 10 IN TXT "c#=1" "id=`+id+`"`)}
	}
	return m
}

func packed(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	data, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// respond answers the first question on loopback with some packets. It listens on a port of its own, where nobody else hears.
func respond(t *testing.T, packets ...[]byte) (ifi *net.Interface, port int) {
	t.Helper()
	ifi = loopback(t)
	conn, err := net.ListenMulticastUDP("udp4", ifi, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		n, from, err := conn.ReadFromUDP(buf)
		if err != nil || !from.IP.IsLoopback() { // from off the link
			return
		}
		var m dns.Msg
		if m.Unpack(buf[:n]) != nil || len(m.Question) != 1 || m.Question[0].Name != "_hap._tcp.local." || m.Question[0].Qtype != dns.TypePTR {
			return
		}
		for _, p := range packets {
			_, _ = conn.WriteTo(p, from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return ifi, conn.LocalAddr().(*net.UDPAddr).Port
}

func TestBrowse(t *testing.T) {
	t.Parallel()
	ifi, port := respond(t, []byte("x"), packed(t, answer(t, "Den", "A3:FB:3D:4D:2E:AC")), packed(t, answer(t, "Den", "A3:FB:3D:4D:2E:AC")),
		packed(t, answer(t, "Lamp", "")))
	got, err := doctor.Browse(t.Context(), []string{ifi.Name}, port, 500*time.Millisecond)
	want := []doctor.Service{{Name: "Den", DeviceID: "A3:FB:3D:4D:2E:AC"}, {Name: "Lamp"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestBrowseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ifi, port := respond(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := doctor.Browse(ctx, []string{ifi.Name}, port, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestBrowseWithoutInterface(t *testing.T) {
	t.Parallel()
	if _, err := doctor.Browse(t.Context(), []string{"there is none"}, 9, time.Hour); err == nil {
		t.Error("it asked nobody and said nothing")
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	question := answer(t, "Den", "x")
	question.Response = false
	other := &dns.Msg{Answer: []dns.RR{record(t, "_airplay._tcp.local. 10 IN PTR TV._airplay._tcp.local.")}}
	other.Response = true
	for name, test := range map[string]struct {
		packet []byte
		want   []doctor.Service
	}{
		"an accessory":     {packed(t, answer(t, "Den", "x")), []doctor.Service{{Name: "Den", DeviceID: "x"}}},
		"without TXT":      {packed(t, answer(t, "Den", "")), []doctor.Service{{Name: "Den"}}},
		"a question":       {packed(t, question), nil},
		"another service":  {packed(t, other), nil},
		"nothing":          {nil, nil},
		"no packet at all": {[]byte("hello"), nil},
	} {
		if got := doctor.Services(test.packet); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// FuzzServices: what is found was asked for, whatever the packet holds.
func FuzzServices(f *testing.F) {
	f.Add(packed(f, answer(f, "Den", "A3:FB:3D:4D:2E:AC")))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		found := doctor.Services(packet)
		if len(found) == 0 {
			return
		}
		var m dns.Msg
		if err := m.Unpack(packet); err != nil || !m.Response || len(m.Answer) < len(found) {
			t.Errorf("%d services in %q", len(found), packet)
		}
	})
}

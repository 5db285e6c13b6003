package doctor

import (
	"context"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/ps4kit/ps4kit/internal/mdns"
	"github.com/ps4kit/ps4kit/internal/phone"
	"github.com/ps4kit/ps4kit/internal/state"
)

// System is the machine, as far as the checks need it. See ThisMachine.
type System struct {
	Now        func() time.Time
	Interfaces func() ([]Interface, error)
	Inspect    func(stateDir string) (state.Inspection, error)
	Bind       func(ctx context.Context, port uint16) error // opens and closes a UDP port on every address
	Multicast  func() error                                 // opens and closes the port of multicast DNS, which programs can share
	// Holder finds the process, other than except, that has a UDP port open: see
	// phone.Holder.
	Holder func(port uint16, except int) (name string, pid int)
	Root   fs.FS                                           // "/"
	Dial   func(ctx context.Context, address string) error // opens and closes a TCP connection
	// Browse lists the HomeKit accessories announced on these interfaces; none: all that are up.
	Browse func(ctx context.Context, interfaces []string) ([]Service, error)
}

// ThisMachine returns the machine that this program runs on.
func ThisMachine() System {
	return System{
		Now:        time.Now,
		Interfaces: interfaces,
		Inspect:    state.Inspect,
		Bind:       bind,
		Multicast:  mdns.CheckPort,
		Holder:     phone.Holder,
		Root:       os.DirFS("/"),
		Dial:       dial,
		Browse: func(ctx context.Context, interfaces []string) ([]Service, error) {
			return browse(ctx, interfaces, mdnsPort, browseTime)
		},
	}
}

func interfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	list := make([]Interface, 0, len(all))
	for _, ifi := range all {
		i := Interface{Name: ifi.Name, Flags: ifi.Flags}
		addrs, _ := ifi.Addrs() // the interface may have disappeared
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				i.Addrs = append(i.Addrs, p)
			}
		}
		list = append(list, i)
	}
	return list, nil
}

func bind(ctx context.Context, port uint16) error {
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, "udp4", net.JoinHostPort("0.0.0.0", strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	return conn.Close()
}

func dial(ctx context.Context, address string) error {
	d := net.Dialer{Timeout: 3 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

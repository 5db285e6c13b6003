package doctor

import (
	"context"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// System is the machine, as far as checks ask about it. Every field is needed; see ThisMachine.
type System struct {
	Now        func() time.Time
	Interfaces func() ([]Interface, error)
	Inspect    func(stateDir string) (state.Inspection, error)
	Bind       func(ctx context.Context, port uint16) error // UDP, on every address, for an instant
	Holder     func(port uint16) string                     // names who holds a UDP port
	Executable string                                       // the path of this program, as for a shell
	Root       fs.FS                                        // "/"
	// Knock sends a console LAUNCH and connects to its TCP port.
	Knock func(ctx context.Context, c api.Console, credential string) error
	Dial  func(ctx context.Context, address string) error // TCP, for an instant
	// Browse lists the HomeKit accessories that are announced on these interfaces; none: all that are up.
	Browse func(ctx context.Context, interfaces []string) ([]Service, error)
}

// ThisMachine is the machine that this program runs on.
func ThisMachine(holder func(port uint16) string, executable string) System {
	return System{
		Now:        time.Now,
		Interfaces: interfaces,
		Inspect:    state.Inspect,
		Bind:       bind,
		Holder:     holder,
		Executable: executable,
		Root:       os.DirFS("/"),
		Knock:      knock,
		Dial:       dial,
		Browse:     (&browser{port: mdnsPort, wait: browseTime}).browse,
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
		addrs, _ := ifi.Addrs() // it may just have gone
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

const dialLimit = 3 * time.Second

func dial(ctx context.Context, address string) error {
	d := net.Dialer{Timeout: dialLimit}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// The door needs a moment after LAUNCH, and now and then another one (docs/protocol.md §3).
const (
	knocks    = 5
	knockWait = 500 * time.Millisecond
)

func knock(ctx context.Context, c api.Console, credential string) error {
	addr, err := parseAddress(c.Address)
	if err != nil {
		return err
	}
	parsed, err := ps4.ParseCredential(credential)
	if err != nil {
		return err
	}
	console := ps4.NewConsole(addr, parsed, nil)
	door := netip.AddrPortFrom(addr.Addr(), c.RequestPort).String()
	for range knocks {
		if err = console.Launch(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(knockWait):
		}
		if err = dial(ctx, door); err == nil {
			return nil
		}
	}
	return err
}

// parseAddress reads ADDR or ADDR:DDPPORT.
func parseAddress(text string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, ps4.DefaultPort), nil
	}
	return netip.ParseAddrPort(text)
}

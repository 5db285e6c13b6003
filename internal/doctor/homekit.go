package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
)

// homekit looks whether the televisions can be reached and found by controllers. Without a server there are none.
func (e *examination) homekit(ctx context.Context, c Connection) {
	var offered []api.Accessory
	if c.Running {
		list, err := c.Backend.Homekit(ctx)
		if err != nil {
			e.fail("homekit", hintOf(err), "%s", sentence(err))
			return
		}
		offered = list
		e.listening(ctx, list)
	}
	e.multicast(ctx, c.Running, offered)
}

func (e *examination) listening(ctx context.Context, list []api.Accessory) {
	if len(list) == 0 {
		e.warn("homekit", "It is offered as soon as it has been found.", "no console is offered to HomeKit yet")
		return
	}
	good := 0
	for _, a := range list {
		address := net.JoinHostPort(cmp.Or(a.Address, "127.0.0.1"), strconv.Itoa(a.Port))
		if err := e.System.Dial(ctx, address); err != nil {
			e.fail("homekit", "Look at the server's log, and at homekit.bind and homekit.port.", "%s does not listen on %s: %v", a.Name, address, err)
			continue
		}
		good++
	}
	if good == len(list) {
		e.ok("homekit", "%s", plural(good, "television listens", "televisions listen"))
	}
}

// multicast looks whether this machine sees the televisions announced. That no server runs is no fault.
func (e *examination) multicast(ctx context.Context, running bool, offered []api.Accessory) {
	const check = "mdns"
	seen, err := e.System.Browse(ctx, e.Config.HomeKit.Interfaces)
	if err != nil && running {
		e.fail(check, "Look at homekit.interfaces, and whether a firewall drops UDP port 5353.", "HomeKit accessories cannot be searched: %v", err)
		return
	}
	if err != nil {
		e.warn(check, "Look at homekit.interfaces, and whether a firewall drops UDP port 5353.", "HomeKit accessories cannot be searched: %v", err)
		return
	}
	var missing []string
	for _, a := range offered {
		if !announced(seen, a) {
			missing = append(missing, a.Name)
		}
	}
	switch {
	case len(missing) > 0:
		e.fail(check, "Wait some seconds after a start. Then look at homekit.interfaces, and whether a firewall drops UDP port 5353.",
			"not announced in this network: %s", list(missing))
	case running:
		e.ok(check, "every television is announced; %s in this network in all", plural(len(seen), "HomeKit accessory", "HomeKit accessories"))
	default:
		e.ok(check, "%s in this network; ps4kit's are announced while the server runs", plural(len(seen), "HomeKit accessory", "HomeKit accessories"))
	}
}

func announced(seen []Service, a api.Accessory) bool {
	for _, s := range seen {
		if strings.EqualFold(s.DeviceID, a.DeviceID) {
			return true
		}
	}
	return false
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

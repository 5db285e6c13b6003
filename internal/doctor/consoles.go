package doctor

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

const (
	searchTime = 2 * time.Second
	loginLimit = 40 * time.Second // longer than opening the TCP port and the login may take together (docs/protocol.md §3)
)

// connected reports whether there is a connection to examine the consoles with.
func (e *examination) connected(err error) bool {
	switch {
	case e.ConfigErr != nil:
		e.warn("consoles", "Correct the configuration first.", "not tried")
		return false
	case err == nil && e.Running:
		e.ok("server", "running")
		return true
	case err == nil:
		e.ok("server", "not running; ps4kit serve starts it")
		return true
	}
	answer := api.AsError(err)
	switch {
	case answer.Hint != "":
	case errors.Is(err, state.ErrLocked):
		answer.Hint = "Wait for that process, or stop it."
	case errors.Is(err, fs.ErrPermission):
		answer.Hint = "Run ps4kit as the server's user, or join the group of " + e.StateDir + "."
	}
	e.failErr("server", "", answer)
	e.warn("consoles", "", "not tried")
	return false
}

// failErr reports an error with its hint. name is the console, or empty.
func (e *examination) failErr(check, name string, err error) {
	answer := api.AsError(err)
	if name != "" {
		answer.Message = name + ": " + answer.Message
	}
	e.fail(check, answer.Hint, "%s", answer.Message)
}

// consoles examines the requested console, or the known consoles and those that
// answer a search.
func (e *examination) consoles(ctx context.Context) {
	var found []api.Console
	if e.Host != "" {
		found = e.status(ctx, e.Host)
	} else {
		found = e.find(ctx)
	}
	for _, console := range found {
		if ctx.Err() == nil {
			e.console(ctx, console)
		}
	}
}

func (e *examination) find(ctx context.Context) []api.Console {
	found, err := api.Search.Do(ctx, e.Client, api.SearchRequest{Wait: searchTime.String()})
	switch {
	case err != nil:
		e.fail("broadcast", "Check the interfaces above, and whether a firewall blocks outgoing packets.", "can't search the network: %s", api.AsError(err).Message)
	case len(found) == 0:
		e.warn("broadcast", "Turn a console on, or wait a minute after it enters rest mode. In rest mode it answers only if it stays connected to the internet.",
			"no console answered a search")
	default:
		e.ok("broadcast", "%s a search", plural(len(found), "console answered", "consoles answered"))
	}
	if e.known, err = api.Consoles.Do(ctx, e.Client, api.None{}); err != nil {
		e.failErr("consoles", "", err)
		return found
	}
	for _, k := range e.known {
		if !slices.ContainsFunc(found, func(f api.Console) bool { return f.HostID == k.HostID }) {
			found = append(found, e.status(ctx, cmp.Or(k.HostID, k.Address))...)
		}
	}
	if len(found) == 0 {
		e.fail("consoles", "Turn the console on and connect it to this machine's network (not a guest network), or give its address: consoles in config.yaml, or --ip-address.",
			"no console is known or was found")
	}
	return found
}

func (e *examination) status(ctx context.Context, host string) []api.Console {
	st, err := api.Status.Do(ctx, e.Client, api.HostRequest{Host: host})
	if err != nil {
		e.failErr("consoles", "", err)
		return nil
	}
	if st.HostID == "" && st.Name == "" {
		st.Name = host
	}
	return []api.Console{st}
}

func (e *examination) console(ctx context.Context, console api.Console) {
	name := cmp.Or(console.Name, console.Address, console.HostID)
	host := cmp.Or(console.HostID, console.Address, console.Name)
	switch {
	case console.State == api.StateUnreachable:
		advice := api.AsError(ps4.ErrUnreachable).Hint
		if console.HostType == ps4.TypePS5 {
			advice = "Turn it on, and check that no firewall blocks UDP port 9302. In rest mode it answers only with " + restModePS5 + "."
		}
		e.fail("console", advice, "%s does not answer at %s", name, cmp.Or(console.Address, "any address"))
	case console.State == api.StateStandby:
		e.ok("console", "%s (%s) is in rest mode", name, console.Address)
	default:
		e.ok("console", "%s (%s) is on", name, console.Address)
	}
	if e.Host == "" && !e.isAccepted(console) { // a login would send it the credential
		e.warn("login", "Accept it with \"ps4kit consoles add "+console.Address+"\", or link with it.",
			"%s was found, but you have not accepted it yet", name)
		return
	}
	if console.HostType == ps4.TypePS5 || console.Protocol == api.ProtocolRemotePlay {
		e.remotePlay(ctx, console, name, host)
		return
	}
	if console.State == api.StateAwake && !e.NoLogin {
		e.login(ctx, console, name, host)
		return
	}
	if _, err := api.Credential.Do(ctx, e.Client, api.HostRequest{Host: host}); err != nil {
		e.noCredential(name, err)
		return
	}
	e.ok("credential", "%s: stored", name)
	if console.State == api.StateStandby {
		e.warn("login", "Turn it on and try again.", "%s: not tried in rest mode", name)
	}
}

// Settings and menus of a console that hints name.
const (
	restModePS5 = `"Stay Connected to the Internet" and "Enable Turning On PS5 from Network" turned on under ` +
		"Settings > System > Power Saving > Features Available in Rest Mode"
	remotePlayPS5 = "Settings > System > Remote Play > Enable Remote Play"
	remotePlayPS4 = "Settings > Remote Play Connection Settings > Enable Remote Play"
	addDevicePS4  = "Settings > Mobile App Connection Settings > Add Device"
)

// remotePlay checks the link with a console for Remote Play, and opens a session
// if the console is on. Asking for the on-screen keyboard changes nothing.
func (e *examination) remotePlay(ctx context.Context, console api.Console, name, host string) {
	const check = "remote play"
	enable, verb := remotePlayPS5, "ps4kit link"
	if console.HostType == ps4.TypePS4 {
		enable, verb = remotePlayPS4, "ps4kit link --remote-play"
	}
	switch {
	case console.State == api.StateUnreachable && console.Registered:
		return
	case !console.Registered:
		e.fail(check, "Turn on "+enable+", then link it: "+verb+".", "%s is not linked for Remote Play", name)
		return
	case console.State == api.StateStandby && console.HostType == ps4.TypePS5:
		e.warn(check, "To wake it from here, it needs "+restModePS5+".", "%s is linked; not tried in rest mode", name)
		return
	case console.State == api.StateStandby || e.NoLogin:
		e.ok(check, "%s is linked", name)
		return
	}
	code, err := e.openSession(ctx, host)
	switch code {
	case "", "keyboard_closed":
		e.ok(check, "%s opens TCP port 9295 and accepts a session", name)
	case "in_use":
		e.fail(check, "Wait two minutes without trying again, and quit Remote Play on other devices.", "%s: Remote Play is in use", name)
	case "remote_play_off":
		e.fail(check, "Turn on "+enable+", and check that no firewall blocks TCP and UDP port 9295.", "%s refuses connections to TCP port 9295", name)
	default:
		e.failErr(check, name, err)
	}
}

// isAccepted reports whether the owner has accepted a console, or config.yaml
// names it.
func (e *examination) isAccepted(console api.Console) bool {
	addr, _ := ps4.ParseAddress(console.Address)
	for _, configured := range e.Config.Consoles {
		if configured.HostID == console.HostID || configured.Address.IsValid() && configured.Address == addr {
			return true
		}
	}
	return slices.ContainsFunc(e.known, func(k api.Console) bool {
		return k.HostID == console.HostID && k.Origin != api.OriginFound
	})
}

func (e *examination) noCredential(name string, err error) {
	e.fail("credential", "Get one: ps4kit credential.", "%s: %s", name, api.AsError(err).Message)
}

// openSession opens a session and returns the code of the error, or "": asking
// for the on-screen keyboard requires a session and changes nothing.
func (e *examination) openSession(ctx context.Context, host string) (code string, err error) {
	ctx, cancel := context.WithTimeout(ctx, loginLimit)
	defer cancel()
	if _, err = api.GetKeyboard.Do(ctx, e.Client, api.HostRequest{Host: host}); err != nil {
		code = api.AsError(err).Code
	}
	return code, err
}

// login checks that a console accepts the credential.
func (e *examination) login(ctx context.Context, console api.Console, name, host string) {
	code, err := e.openSession(ctx, host)
	if code == "no_credential" {
		e.noCredential(name, err)
		return
	}
	e.ok("credential", "%s: stored", name)
	switch code {
	case "door_closed", "service_hung":
		e.failErr("door", name, err)
	case "", "keyboard_closed", "keyboard_other_user", "no_client":
		e.ok("door", "%s opens TCP port %d", name, console.RequestPort)
		e.ok("login", "%s accepts the credential", name)
	case "pin_needed", "not_linked":
		e.fail("login", "Link it with ps4kit link and the PIN of "+addDevicePS4+".", "%s: %s", name, api.AsError(err).Message)
	default:
		e.failErr("login", name, err)
	}
}

// homekit checks whether phones can find and reach the televisions. There are none
// without a server.
func (e *examination) homekit(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	var offered []api.Accessory
	if e.Running {
		var err error
		if offered, err = api.Homekit.Do(ctx, e.Client, api.None{}); err != nil {
			e.failErr("homekit", "", err)
			return
		}
		e.listening(ctx, offered)
	}
	e.multicast(ctx, offered)
}

func (e *examination) listening(ctx context.Context, televisions []api.Accessory) {
	if len(televisions) == 0 {
		e.warn("homekit", "Find the console first: it is offered as soon as it is found.", "no console is offered to HomeKit yet")
		return
	}
	good := 0
	for _, a := range televisions {
		address := net.JoinHostPort(cmp.Or(a.Address, "127.0.0.1"), strconv.Itoa(a.Port))
		if err := e.System.Dial(ctx, address); err != nil {
			e.fail("homekit", "Check the server's log, homekit.bind and homekit.port.", "%s does not listen on %s: %v", a.Name, address, err)
			continue
		}
		if a.PairingLocked {
			locked := a.LockedError()
			e.warn("homekit", locked.Hint, "%s", locked.Message)
			continue
		}
		good++
	}
	if good == len(televisions) {
		e.ok("homekit", "%s", plural(good, "television listens", "televisions listen"))
	}
}

// multicast checks whether this machine receives the announcements of the
// televisions.
func (e *examination) multicast(ctx context.Context, offered []api.Accessory) {
	const check = "mdns"
	seen, err := e.System.Browse(ctx, e.Config.HomeKit.Interfaces)
	if err != nil {
		status := Warn
		if e.Running {
			status = Fail
		}
		e.report(check, status, "Check homekit.interfaces, and whether a firewall blocks UDP port 5353.", "can't search for HomeKit accessories: %v", err)
		return
	}
	var missing []string
	for _, a := range offered {
		if !slices.ContainsFunc(seen, func(s Service) bool { return strings.EqualFold(s.DeviceID, a.DeviceID) }) {
			missing = append(missing, a.Name)
		}
	}
	count := plural(len(seen), "HomeKit accessory", "HomeKit accessories")
	switch {
	case len(missing) > 0:
		e.fail(check, "Wait a few seconds after a start. Then check homekit.interfaces, and whether a firewall blocks UDP port 5353.",
			"not announced in this network: %s", list(missing))
	case e.Running:
		e.ok(check, "every television is announced; found %s in this network", count)
	default:
		e.ok(check, "found %s in this network; a running server announces the televisions", count)
	}
}

package doctor

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

const (
	searchTime = 2 * time.Second
	loginLimit = 40 * time.Second // longer than the door and the login may take together (docs/protocol.md §3)
)

// reach examines the state directory, and what can be reached through its owner.
func (e *examination) reach(ctx context.Context) {
	seen, inspectErr := e.System.Inspect(e.StateDir)
	if e.ConfigErr != nil {
		e.state(seen, inspectErr, false)
		e.warn("consoles", "Mend the configuration first.", "not tried")
		return
	}
	c, err := e.Connect(ctx)
	e.state(seen, inspectErr, c.Running)
	if err != nil {
		e.unconnected(err)
		return
	}
	defer c.Close()
	if c.Running {
		e.ok("server", "running")
	} else {
		e.ok("server", "not running; ps4kit serve starts it")
	}
	e.consoles(ctx, c)
	if ctx.Err() == nil {
		e.homekit(ctx, c)
	}
}

func (e *examination) unconnected(err error) {
	hint := hintOf(err)
	switch {
	case hint != "":
	case errors.Is(err, state.ErrLocked):
		hint = "Wait for that process, or stop it."
	case errors.Is(err, fs.ErrPermission):
		hint = "Run it as the user of the server, or become a member of the group of " + e.StateDir + "."
	}
	e.fail("server", hint, "%s", strings.TrimPrefix(err.Error(), "state: "))
	e.warn("consoles", "", "not tried")
}

func (e *examination) consoles(ctx context.Context, c Connection) {
	for _, console := range e.find(ctx, c) {
		if ctx.Err() != nil {
			return
		}
		e.console(ctx, c, console)
	}
}

// find lists the consoles to examine: the one that was asked for, or else those that are known and those that a search finds.
func (e *examination) find(ctx context.Context, c Connection) []api.Console {
	if c.Host != "" {
		return e.status(ctx, c, c.Host)
	}
	found, err := c.Backend.Search(ctx, searchTime)
	switch {
	case err != nil:
		e.fail("broadcast", "Look at the interfaces above, and whether a firewall keeps this machine from sending.", "the network cannot be searched: %s", sentence(err))
	case len(found) == 0:
		e.warn("broadcast", "A console answers when it is on, or in rest mode with the network kept alive, and not for the first minute of rest mode.",
			"no console answered a search")
	default:
		e.ok("broadcast", "%s", plural(len(found), "console answered", "consoles answered")+" a search")
	}
	known, err := c.Backend.Consoles(ctx)
	if err != nil {
		e.fail("consoles", hintOf(err), "%s", sentence(err))
		return found
	}
	for _, k := range known {
		if !slices.ContainsFunc(found, func(f api.Console) bool { return f.HostID == k.HostID }) {
			found = append(found, e.status(ctx, c, cmp.Or(k.HostID, k.Address))...)
		}
	}
	if len(found) == 0 {
		e.fail("consoles", "Switch the PS4 on. It must be in the same network as this machine (no guest network). Else name its address: consoles in config.yaml, or --ip-address.",
			"no console is known, and none was found")
	}
	return found
}

func (e *examination) status(ctx context.Context, c Connection, host string) []api.Console {
	st, err := c.Backend.Status(ctx, host)
	if err != nil {
		e.fail("consoles", hintOf(err), "%s", sentence(err))
		return nil
	}
	if st.HostID == "" && st.Name == "" {
		st.Name = host
	}
	return []api.Console{st}
}

func (e *examination) console(ctx context.Context, c Connection, console api.Console) {
	name := cmp.Or(console.Name, console.Address, console.HostID)
	switch {
	case console.State == api.StateUnreachable:
		e.fail("console", hintOf(ps4.ErrUnreachable), "%s does not answer at %s", name, cmp.Or(console.Address, "any address"))
	case console.HostType == ps4.TypePS5:
		e.ok("console", "%s (%s) is a PS5: it is shown, and cannot be driven", name, console.Address)
		return
	case console.State == api.StateStandby:
		e.ok("console", "%s (%s) is in rest mode", name, console.Address)
	default:
		e.ok("console", "%s (%s) is on", name, console.Address)
	}
	if console.State == api.StateAwake && !e.NoLogin {
		e.login(ctx, c, console, name)
		return
	}
	credential, present := e.credential(ctx, c, console, name)
	switch {
	case !present:
	case console.State == api.StateStandby:
		e.warn("login", "Switch it on and try again.", "%s: not tried, it is in rest mode", name)
	case console.State == api.StateAwake && !c.Running: // a server may hold the console's only session
		e.door(ctx, console, name, credential)
	}
}

// credential looks whether there is one.
func (e *examination) credential(ctx context.Context, c Connection, console api.Console, name string) (string, bool) {
	user, err := c.Backend.Credential(ctx, hostOf(console))
	if err != nil {
		e.noCredential(name, err)
		return "", false
	}
	e.ok("credential", "%s: there is one", name)
	return user.Credential, true
}

func (e *examination) noCredential(name string, err error) {
	e.fail("credential", "Get one: ps4kit credential.", "%s: %s", name, sentence(err))
}

// login opens a session. Asking for the on-screen keyboard needs one and changes nothing.
func (e *examination) login(ctx context.Context, c Connection, console api.Console, name string) {
	ctx, cancel := context.WithTimeout(ctx, loginLimit)
	defer cancel()
	_, err := c.Backend.Keyboard(ctx, hostOf(console))
	code := codeOf(err)
	if code == "no_credential" {
		e.noCredential(name, err)
		return
	}
	e.ok("credential", "%s: there is one", name)
	switch code {
	case "door_closed", "service_hung":
		e.fail("door", hintOf(err), "%s: %s", name, sentence(err))
	case "", "keyboard_closed", "keyboard_other_user", "no_client":
		e.ok("door", "%s opens TCP port %d", name, console.RequestPort)
		e.ok("login", "%s accepts the credential", name)
	default:
		e.fail("login", hintOf(err), "%s: %s", name, sentence(err))
	}
}

// door looks whether the console opens its TCP port.
func (e *examination) door(ctx context.Context, console api.Console, name, credential string) {
	if err := e.System.Knock(ctx, console, credential); err != nil {
		e.fail("door", hintOf(ps4.ErrDoorClosed), "%s keeps TCP port %d shut: %v", name, console.RequestPort, err)
		return
	}
	e.ok("door", "%s opens TCP port %d", name, console.RequestPort)
}

func hostOf(c api.Console) string { return cmp.Or(c.HostID, c.Address, c.Name) }

// codeOf returns the code of an error, or "" for nil.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return api.AsError(err).Code
}

// hintOf returns the hint of an error as a sentence.
func hintOf(err error) string {
	hint := api.AsError(err).Hint
	if hint == "" {
		return ""
	}
	return strings.ToUpper(hint[:1]) + strings.TrimSuffix(hint[1:], ".") + "."
}

func sentence(err error) string { return api.AsError(err).Message }

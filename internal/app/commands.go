package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/titles"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// commands carries out what verbs and the API ask of consoles. With setup it
// implements api.Backend.
type commands struct {
	env
	registry *registry
	homekit  *homekit
	art      *art
}

func (c *commands) Search(ctx context.Context, in api.SearchRequest) ([]api.Console, error) {
	wait, err := time.ParseDuration(in.Wait)
	if err != nil {
		return nil, err
	}
	found, err := c.registry.scan(ctx, wait)
	if err != nil {
		return nil, err
	}
	list := []api.Console{}
	for _, st := range found {
		shown := apiConsole(st, st.HostName, st.HostType == ps4.TypePS5)
		if u := c.registry.unit(st.HostID); u != nil {
			shown = u.shown(st, st.HostName)
		}
		list = append(list, shown)
	}
	sortConsoles(list)
	return list, nil
}

// apiConsole returns a console without a unit as the API shows it.
func apiConsole(st ps4.Status, name string, remotePlay bool) api.Console {
	protocol, can := api.ProtocolSecondScreen, api.Can{Titles: true, Keys: true, Keyboard: true}
	if remotePlay {
		protocol, can = api.ProtocolRemotePlay, api.Can{Keyboard: true} // besides power and the PS button
	}
	return api.Console{
		Protocol: protocol, Can: can,
		Address: FormatAddress(st.Addr), HostID: st.HostID, HostType: cmp.Or(st.HostType, ps4.TypePS4), Name: name,
		State: st.State.String(), RequestPort: st.RequestPort, SystemVersion: st.SystemVersion,
		TitleID: st.TitleID, TitleName: st.TitleName,
	}
}

func sortConsoles(list []api.Console) {
	slices.SortFunc(list, func(a, b api.Console) int { return byName(a.Name, a.HostID, b.Name, b.HostID) })
}

func (c *commands) Consoles(context.Context, api.None) ([]api.Console, error) {
	list := []api.Console{}
	for _, u := range c.registry.list() {
		shown := u.lastSeen()
		shown.Origin = u.origin()
		list = append(list, shown)
	}
	sortConsoles(list)
	return list, nil
}

func (c *commands) Status(ctx context.Context, in api.HostRequest) (api.Console, error) {
	_, shown, err := c.ask(ctx, in.Host)
	return shown, err
}

// ask asks one console for its status, and returns its unit too, nil if host is
// an address where none answers. A console that doesn't answer in the minute
// after a standby counts as resting.
func (c *commands) ask(ctx context.Context, host string) (*unit, api.Console, error) {
	u, err := c.registry.find(ctx, host)
	if errors.Is(err, ps4.ErrUnreachable) {
		addr, _ := ps4.ParseAddress(host)
		return nil, api.Console{Address: FormatAddress(addr), State: api.StateUnreachable}, nil
	}
	if err != nil {
		return nil, api.Console{}, err
	}
	st, err := u.console.Status(ctx)
	switch {
	case errors.Is(err, ps4.ErrUnreachable):
		shown := u.lastSeen()
		if shown.State != api.StateStandby {
			shown.State, shown.TitleID, shown.TitleName = api.StateUnreachable, "", ""
		}
		return u, shown, nil
	case err != nil:
		return nil, api.Console{}, err
	case st.State == ps4.StateStandby && st.HostType == "": // it is silent after a standby
		st = u.lastStatus()
		st.State = ps4.StateStandby
	default:
		u = c.registry.withType(ctx, u) // it may have been silent when find asked
		c.registry.note(u, st)
	}
	return u, u.shown(st, u.tv.Snapshot().Name), nil
}

// answering returns the unit and the state of a console, or ps4.ErrUnreachable if
// it doesn't answer. The owner accepts a console by naming it.
func (c *commands) answering(ctx context.Context, host string) (*unit, api.Console, error) {
	u, shown, err := c.ask(ctx, host)
	switch {
	case err != nil:
	case shown.State == api.StateUnreachable:
		err = ps4.ErrUnreachable
	case host != "" && api.IsOwner(ctx):
		u, err = c.registry.accept(u, accepted)
	}
	return u, shown, err
}

// reach returns the unit of a console for a session. It first asks a console
// that has not been heard yet: a session would take longer to fail.
func (c *commands) reach(ctx context.Context, host string) (*unit, error) {
	u, err := c.registry.findAccepted(ctx, host)
	if err == nil && u.tv.Snapshot().LastSeen.IsZero() {
		u, _, err = c.answering(ctx, host)
	}
	return u, err
}

func (c *commands) Power(ctx context.Context, in api.PowerRequest) error {
	u, shown, err := c.answering(ctx, in.Host)
	if err != nil {
		return err
	}
	now := u.tv.Snapshot()
	if in.State == api.StateStandby {
		if shown.State == api.StateStandby && !now.Active { // an active one is about to wake
			return nil
		}
		if err := u.tv.Standby(ctx); err != nil {
			return u.advised(err)
		}
		c.registry.proved(u, &u.rested, func(stored *state.Console) { stored.Rested = time.Now() })
		return nil
	}
	on := shown.State == api.StateAwake
	switch {
	case on && now.Active && !now.Working:
		return nil
	case !on && !in.Wait:
		return u.tv.SendWake(ctx)
	}
	// A console that reports being on may be entering rest mode. Its television
	// knows, and then wakes it.
	if err := u.tv.Wake(ctx); err != nil {
		return u.advised(err)
	}
	if shown.State == api.StateStandby {
		c.registry.proved(u, &u.woken, func(stored *state.Console) { stored.Woken = true })
	}
	return nil
}

// advised returns an error of power or of keys with the advice for the console's
// protocol.
func (u *unit) advised(err error) error {
	switch {
	case u.remote == nil:
	case errors.Is(err, remoteplay.ErrPSOnly):
		return &api.Error{Code: "ps_only", Message: "the remote control of this console is off; without it, only PS can be pressed", Err: err,
			Hint: "Set remote_play_keys: true for host_id: " + u.hostID + " in config.yaml. While it is in use, the TV shows that " +
				"Remote Play is connected, the linked user is signed in, and their controller may disconnect."}
	case errors.Is(err, accessory.ErrNotWoken):
		return remoteplay.ErrNotWoken
	case errors.Is(err, accessory.ErrStillAwake):
		return remoteplay.ErrStandbyIgnored
	}
	return err
}

func (c *commands) Start(ctx context.Context, in api.StartRequest) error {
	u, _, err := c.answering(ctx, in.Host)
	if err != nil {
		return err
	}
	id, err := u.titleID(in.Title)
	if app, appErr := titles.Find(in.Title, c.config.Art.Country); err != nil && appErr == nil {
		id, err = app.ID, nil
	}
	if id != homeScreenID && !u.tv.Can().Titles {
		return accessory.ErrNoTitles
	}
	if err != nil {
		return err
	}
	if id == homeScreenID {
		return u.tv.Home(ctx)
	}
	if !u.isAccepted() {
		return u.errNotAccepted() // at once: the television would wait for a wake-up
	}
	return u.tv.StartTitle(ctx, id, in.NoQuit)
}

func (c *commands) Keys(ctx context.Context, in api.KeysRequest) error {
	var pressed []ps4.Key
	for _, text := range in.Keys {
		k, err := ps4.ParseKey(text)
		if err != nil {
			return err
		}
		pressed = append(pressed, k)
	}
	u, err := c.reach(ctx, in.Host)
	if err != nil {
		return err
	}
	return u.advised(u.tv.Keys(ctx, pressed))
}

func (c *commands) Keyboard(ctx context.Context, in api.HostRequest) (shown api.Keyboard, err error) {
	err = c.withKeyboard(ctx, in.Host, func(_ context.Context, k accessory.Keyboard) error {
		shown = api.Keyboard{Text: k.Text(), MaxLength: k.MaxLength()}
		return nil
	})
	return shown, err
}

func (c *commands) SetText(ctx context.Context, in api.TextRequest) error {
	return c.withKeyboard(ctx, in.Host, func(ctx context.Context, k accessory.Keyboard) error { return k.SetText(ctx, *in.Text) })
}

func (c *commands) Submit(ctx context.Context, in api.SubmitRequest) error {
	return c.withKeyboard(ctx, in.Host, func(ctx context.Context, k accessory.Keyboard) error {
		if in.Text != nil {
			if err := k.SetText(ctx, *in.Text); err != nil {
				return err
			}
		}
		return k.Submit(ctx)
	})
}

func (c *commands) CloseKeyboard(ctx context.Context, in api.HostRequest) error {
	return c.withKeyboard(ctx, in.Host, func(ctx context.Context, k accessory.Keyboard) error { return k.Close(ctx) })
}

// withKeyboard calls do with the on-screen keyboard of a console.
func (c *commands) withKeyboard(ctx context.Context, host string, do func(context.Context, accessory.Keyboard) error) error {
	u, err := c.reach(ctx, host)
	if err != nil {
		return err
	}
	return u.tv.WithSession(ctx, func(ctx context.Context, session accessory.Session) error {
		keyboard, err := session.Keyboard(ctx)
		if err != nil {
			return err
		}
		return do(ctx, keyboard)
	})
}

func (c *commands) Homekit(context.Context, api.None) ([]api.Accessory, error) {
	return c.homekit.list(), nil
}

// ResetHomekit sets a damaged file aside and serves the accessory at once, with
// a new identity.
func (c *commands) ResetHomekit(ctx context.Context, in api.HostRequest) error {
	if strings.EqualFold(in.Host, state.Companion) {
		return c.homekit.resetCompanion()
	}
	refused := c.registry.refusals()
	for _, k := range c.registry.known() {
		if refused[k.hostID] == nil || !strings.EqualFold(in.Host, k.hostID) && !strings.EqualFold(in.Host, k.name) {
			continue
		}
		switch mended, err := c.homekit.mend(k.hostID); {
		case err != nil:
			return err
		case mended:
			return c.registry.restart(k)
		}
	}
	u, err := c.registry.find(ctx, in.Host)
	switch {
	case err != nil:
		return err
	case u.hap == nil:
		return errNotOffered(u.name)
	}
	return u.hap.Unpair()
}

func errNotOffered(name string) error {
	return &api.Error{Code: "not_offered", Message: name + " is not offered to HomeKit"}
}

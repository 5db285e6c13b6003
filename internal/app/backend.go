package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// backend*.go implement api.Backend.

var _ api.Backend = (*server)(nil)

// Search implements api.Backend.
func (s *server) Search(ctx context.Context, wait time.Duration) ([]api.Console, error) {
	var also []netip.AddrPort
	for _, u := range s.list() {
		if addr := u.tv.Snapshot().Addr; addr.IsValid() && addr.Port() != ps4.DefaultPort {
			also = append(also, addr) // broadcasts don't reach a simulated console
		}
	}
	found, err := s.network.Discover(ctx, wait, also...)
	if err != nil {
		return nil, err
	}
	list := []api.Console{}
	for _, st := range found {
		list = append(list, apiConsole(st, st.HostName))
	}
	sortConsoles(list)
	return list, nil
}

// apiConsole is a console as the API shows it, under a name.
func apiConsole(st ps4.Status, name string) api.Console {
	return api.Console{
		Address: FormatAddress(st.Addr), HostID: st.HostID, HostType: cmp.Or(st.HostType, hostTypePS4), Name: name,
		State: st.State.String(), RequestPort: st.RequestPort, SystemVersion: st.SystemVersion,
		TitleID: st.TitleID, TitleName: st.TitleName,
	}
}

func sortConsoles(list []api.Console) {
	slices.SortFunc(list, func(a, b api.Console) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.HostID, b.HostID))
	})
}

// Consoles implements api.Backend.
func (s *server) Consoles(context.Context) ([]api.Console, error) {
	list := []api.Console{}
	for _, u := range s.list() {
		c := u.lastSeen()
		c.Origin = u.origin()
		list = append(list, c)
	}
	sortConsoles(list)
	return list, nil
}

// lastSeen returns the console as its television knows it.
func (u *unit) lastSeen() api.Console {
	snapshot := u.tv.Snapshot()
	return apiConsole(snapshot.Status, snapshot.Name)
}

// Status implements api.Backend. A console that doesn't answer right after a
// standby counts as resting.
func (s *server) Status(ctx context.Context, host string) (api.Console, error) {
	u, err := s.find(ctx, host)
	if errors.Is(err, ps4.ErrUnreachable) {
		addr, _ := ps4.ParseAddress(host)
		return api.Console{Address: FormatAddress(addr), State: api.StateUnreachable}, nil
	}
	if err != nil {
		return api.Console{}, err
	}
	st, err := u.console.Status(ctx)
	switch {
	case errors.Is(err, ps4.ErrUnreachable):
		return s.silent(u), nil
	case err != nil:
		return api.Console{}, err
	}
	if s.alone && u.accepted.Load() { // else the search does it
		s.remember(u.now(), st)
	}
	return apiConsole(st, u.tv.Snapshot().Name), nil
}

// silent returns a console that doesn't answer.
func (s *server) silent(u *unit) api.Console {
	c := u.lastSeen()
	if c.State != api.StateStandby {
		c.State, c.TitleID, c.TitleName = api.StateUnreachable, "", ""
	}
	return c
}

// answering returns the unit and the state of a console, or ps4.ErrUnreachable if
// it doesn't answer. A console that doesn't answer in the minute after a standby
// counts as resting.
func (s *server) answering(ctx context.Context, host string) (*unit, api.Console, error) {
	c, err := s.Status(ctx, host)
	if err != nil {
		return nil, c, err
	}
	switch {
	case c.State == api.StateUnreachable:
		return nil, c, ps4.ErrUnreachable
	case c.HostType != hostTypePS4:
		return nil, c, ps4.ErrUnsupported
	}
	u, err := s.find(ctx, cmp.Or(c.HostID, host))
	if err == nil && host != "" && s.isOwner(ctx) {
		u, err = s.accept(u, false)
	}
	return u, c, err
}

// reach returns the unit of a console for a session. A running server knows the
// address of the console; a command without one asks for it first.
func (s *server) reach(ctx context.Context, host string) (*unit, error) {
	if !s.alone {
		return s.findAccepted(ctx, host)
	}
	u, _, err := s.answering(ctx, host)
	return u, err
}

// Wake implements api.Backend. A console that reports being on may be entering
// rest mode; its television knows and then wakes it.
func (s *server) Wake(ctx context.Context, host string, wait bool) error {
	u, c, err := s.answering(ctx, host)
	if err != nil {
		return err
	}
	on := c.State == api.StateAwake
	if now := u.tv.Snapshot(); on && now.Active && !now.Working {
		return nil
	}
	if on || wait {
		return u.tv.Wake(ctx)
	}
	return u.tv.SendWake(ctx)
}

// Standby implements api.Backend. It also sends a standby to a resting console
// that is about to wake.
func (s *server) Standby(ctx context.Context, host string) error {
	u, c, err := s.answering(ctx, host)
	if err != nil || c.State == api.StateStandby && !u.tv.Snapshot().Active {
		return err
	}
	if err := u.tv.Standby(ctx); err != nil {
		return err
	}
	s.files.rested(u.hostID)
	return nil
}

// Start implements api.Backend.
func (s *server) Start(ctx context.Context, host, title string, noQuit bool) error {
	u, _, err := s.answering(ctx, host)
	if err != nil {
		return err
	}
	id, err := u.titleID(title)
	if err != nil {
		return err
	}
	if id == homeScreenID {
		return u.tv.Home(ctx)
	}
	return u.tv.StartTitle(ctx, id, noQuit)
}

// Keys implements api.Backend.
func (s *server) Keys(ctx context.Context, host string, keys []string) error {
	var pressed []ps4.Key
	for _, text := range keys {
		k, err := ps4.ParseKey(text)
		if err != nil {
			return err
		}
		pressed = append(pressed, k)
	}
	u, err := s.reach(ctx, host)
	if err != nil {
		return err
	}
	return u.tv.Keys(ctx, pressed)
}

// Link implements api.Backend.
func (s *server) Link(ctx context.Context, host, pin string) error {
	parsed, err := ps4.ParsePIN(pin)
	if err != nil {
		return err
	}
	u, err := s.findPS4(ctx, host)
	if err != nil {
		return err
	}
	if err := u.tv.WithoutSession(ctx, func(ctx context.Context) error { return s.link(ctx, u, parsed) }); err != nil {
		return err
	}
	_, err = s.accept(u, false) // typing the PIN requires seeing its screen
	return err
}

// link links a console, which may be a stranger: it gets the credential.
func (s *server) link(ctx context.Context, u *unit, pin ps4.PIN) error {
	user, err := s.user(u.known)
	if err != nil {
		return err
	}
	u.console.SetUser(user)
	err = u.console.Link(ctx, pin)
	if err != nil && !u.accepted.Load() {
		u.console.SetUser(ps4.User{})
	}
	return err
}

// SetCredential implements api.Backend.
func (s *server) SetCredential(ctx context.Context, host string, user api.User) error {
	return s.storeUser(ctx, host, user.Passcode, func(context.Context) (ps4.Credential, error) {
		return ps4.ParseCredential(user.Credential)
	})
}

// Credential implements api.Backend.
func (s *server) Credential(ctx context.Context, host string) (api.User, error) {
	var k known // zero for the default user
	if host != "" {
		u, err := s.findPS4(ctx, host)
		if err != nil {
			return api.User{}, err
		}
		k = u.known
	}
	user, err := s.user(k)
	switch {
	case err != nil:
		return api.User{}, err
	case user.Credential.IsZero():
		return api.User{}, ps4.ErrNoCredential
	}
	return api.User{Credential: user.Credential.Reveal(), Passcode: user.Passcode.Reveal()}, nil
}

// Backup implements api.Backend.
func (s *server) Backup(context.Context) ([]byte, error) {
	var archive bytes.Buffer
	if err := s.State.Backup(&archive); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}

// titleID returns the id of a title, given by id or by the name of an input; that
// of the home screen is HOME.
func (u *unit) titleID(title string) (string, error) {
	var ids []string
	for _, in := range u.tv.Snapshot().Inputs {
		id := inputID(in)
		switch {
		case id == otherID: // nothing to start
		case strings.EqualFold(id, title):
			return id, nil
		case strings.EqualFold(in.Name, title) || in.Title != "" && strings.EqualFold(in.Title, title):
			ids = append(ids, id)
		}
	}
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) > 1:
		return "", &api.Error{Code: "ambiguous", Message: "several titles have the name " + title + ": " + strings.Join(ids, ", "),
			Hint: "Give the title id."}
	}
	if id, err := ps4.ParseTitleID(title); err == nil {
		return id, nil
	}
	return "", &api.Error{Code: "not_found", Message: "no title is known as " + title,
		Hint: "Give its id, like CUSA00129, or see ps4kit titles."}
}

package app

import (
	"bytes"
	"cmp"
	"context"
	"net/netip"
	"strconv"
	"sync"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/phone"
	"github.com/ps4kit/ps4kit/internal/psn"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/titles"
	"github.com/ps4kit/ps4kit/internal/web"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// setup links consoles and stores PSN users, passwords and backups. Its exported
// methods are those of api.Backend and api.Page.
type setup struct {
	env
	users    users
	registry *registry
	guard    *web.Guard     // of the page; nil in a command without a server
	phone    netip.AddrPort // where the phone app looks for consoles; not valid: UDP port 987 of every address

	capturing sync.Mutex // held while the phone app is awaited
	askingPSN sync.Mutex // held during a sign-in with an npsso: PSN gets one request at a time
}

func (s *setup) Link(ctx context.Context, in api.LinkRequest) error {
	pin, err := ps4.ParsePIN(in.PIN)
	if err != nil {
		return err
	}
	u, err := s.registry.find(ctx, in.Host)
	if err != nil {
		return err
	}
	if in.RemotePlay || u.remote != nil {
		return s.register(ctx, u, pin, in.AccountID)
	}
	user := s.users.of(u.known)
	err = u.tv.WithoutSession(ctx, func(ctx context.Context) error {
		u.console.SetUser(user) // gives a stranger the credential
		err := u.console.Link(ctx, pin)
		if err != nil && !u.isAccepted() {
			u.console.SetUser(ps4.User{})
		}
		return err
	})
	if err != nil {
		return err
	}
	u, err = s.registry.accept(u, accepted) // typing the PIN requires seeing its screen
	if err != nil {
		return err
	}
	s.proveLink(u)
	return nil
}

func (s *setup) proveLink(u *unit) {
	s.registry.proved(u, &u.linked, func(stored *state.Console) { stored.Linked = true })
}

// register links a console for Remote Play.
func (s *setup) register(ctx context.Context, u *unit, pin ps4.PIN, accountID string) error {
	if u.config.Protocol == config.ProtocolSecondScreen {
		hint := "Remove protocol: second_screen there and restart the server, or link without --remote-play."
		if u.hostType == ps4.TypePS5 {
			hint = "Remove protocol: second_screen there and restart the server: a PS5 has only Remote Play."
		}
		return &api.Error{Code: "config", Message: "config.yaml says that this console is driven with the 2nd Screen protocol", Hint: hint}
	}
	account, err := s.users.account(u.known, accountID)
	if err != nil {
		return err
	}
	var registration remoteplay.Registration
	err = u.tv.WithoutSession(ctx, func(ctx context.Context) error {
		registration, err = remoteplay.Register(ctx, u.console, account, pin, s.registry.remotePlayOptions(u))
		return err
	})
	if err != nil {
		return err
	}
	return s.store(u, registration)
}

// store stores the Remote Play registration of a console, which the owner thereby
// accepts, and drives the console with it.
func (s *setup) store(u *unit, registration remoteplay.Registration) error {
	if err := s.files.setRegistration(registration); err != nil {
		return err
	}
	u, err := s.registry.accept(u, accepted)
	if err != nil {
		return err
	}
	return s.registry.linked(u)
}

func (s *setup) SetRegistration(ctx context.Context, in api.RegistrationRequest) error {
	stored := remoteplay.Stored{
		HostID: in.HostID, HostType: in.HostType, Nickname: in.Nickname, RegistKey: in.RegistKey, RPKey: in.RPKey, KeyType: in.KeyType,
	}
	if in.AccountID != "" {
		account, err := ps4.ParseAccountID(in.AccountID)
		if err != nil {
			return err
		}
		stored.AccountID = account
	}
	registration, err := stored.Registration()
	if err != nil {
		return err
	}
	ctx = api.AsOwner(ctx) // the access that this operation requires is the owner's
	u, err := s.registry.findAccepted(ctx, cmp.Or(in.Host, registration.HostID))
	switch {
	case err != nil:
		return err
	case registration.HostID == "":
		registration.HostID = u.hostID
	case registration.HostID != u.hostID:
		return &ps4.OtherConsoleError{Addr: u.console.Addr(), Want: registration.HostID, Got: u.hostID}
	}
	return s.store(u, registration)
}

func (s *setup) PermitKeys(ctx context.Context, in api.PermitKeysRequest) error {
	u, err := s.registry.findAccepted(ctx, in.Host)
	switch {
	case err != nil:
		return err
	case !u.isAccepted():
		return u.errNotAccepted()
	case u.config.RemotePlayKeys != nil && *u.config.RemotePlayKeys != *in.On:
		return &api.Error{Code: "config", Message: "config.yaml decides about the remote control of this console",
			Hint: "Change remote_play_keys there and restart the server."}
	}
	return s.registry.permitKeys(u, *in.On)
}

func (s *setup) SetCredential(ctx context.Context, in api.CredentialRequest) error {
	return s.storeUser(ctx, in.Host, in.Passcode, func(context.Context) (ps4.Credential, string, error) {
		credential, err := ps4.ParseCredential(in.Credential)
		return credential, in.AccountID, err
	})
}

func (s *setup) Credential(ctx context.Context, in api.HostRequest) (api.User, error) {
	var k known // zero for the default user
	if in.Host != "" {
		u, err := s.registry.find(ctx, in.Host)
		if err != nil {
			return api.User{}, err
		}
		k = u.known
	}
	user := s.users.of(k)
	if user.Credential.IsZero() {
		return api.User{}, ps4.ErrNoCredential
	}
	_, _, account := s.files.credential(k.hostID)
	return api.User{Credential: user.Credential.Reveal(), Passcode: user.Passcode.Reveal(), AccountID: account}, nil
}

func (s *setup) Backup(context.Context, api.None) (api.Archive, error) {
	var archive bytes.Buffer
	if err := s.files.store.Backup(&archive); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}

func (s *setup) SetAccount(ctx context.Context, in api.AccountRequest) error {
	return s.storeUser(ctx, in.Host, in.Passcode, func(context.Context) (ps4.Credential, string, error) {
		if err := ps4.CheckTypedAccountID(in.AccountID); err != nil {
			return ps4.Credential{}, "", err
		}
		credential, err := ps4.CredentialFromAccountID(in.AccountID)
		return credential, in.AccountID, err
	})
}

func (s *setup) psn() *ps4.PSN { return &ps4.PSN{BaseURL: s.config.PSN.AuthURL} }

func (s *setup) AuthorizeURL() string { return s.psn().AuthorizeURL() }

func (s *setup) SignIn(ctx context.Context, in api.SignInRequest) error {
	return s.storeUser(ctx, in.Host, in.Passcode, func(ctx context.Context) (ps4.Credential, string, error) {
		account, err := s.psn().Account(ctx, in.Address)
		if err != nil {
			return ps4.Credential{}, "", err
		}
		credential, err := ps4.CredentialFromAccountID(account)
		return credential, account, err
	})
}

func (s *setup) PSNTitles(ctx context.Context, in api.PsnTitlesRequest) ([]api.ImportTitle, error) {
	token, err := psn.ParseNPSSO(in.NPSSO)
	if err != nil {
		return nil, err
	}
	if !s.askingPSN.TryLock() {
		return nil, &api.Error{Code: "busy", Message: "PSN is being asked already"}
	}
	defer s.askingPSN.Unlock()
	client := &psn.Client{AccountURL: s.config.PSN.AccountURL, TitlesURL: s.config.PSN.TitlesURL}
	list, account, err := client.Played(ctx, token, in.Credential)
	if err != nil || !in.Credential {
		return list, err
	}
	return list, s.SetAccount(ctx, api.AccountRequest{AccountID: account})
}

func (s *setup) Library(_ context.Context, in api.LibraryRequest) (api.Library, error) {
	list := api.Library{
		Country: cmp.Or(in.Country, s.config.Art.Country), Apps: []api.MediaApp{},
		ListURL: titles.ListURL, SignInURL: psn.SignInURL, NPSSOURL: psn.NPSSOURL,
	}
	for _, app := range titles.Apps() {
		if id := app.ID(list.Country); id != "" {
			list.Apps = append(list.Apps, api.MediaApp{Name: app.Name, ID: id})
		}
	}
	return list, nil
}

func (s *setup) Capture(ctx context.Context, in api.CaptureRequest) error {
	if !s.capturing.TryLock() {
		return &api.Error{Code: "busy", Message: "another capture is waiting for the phone app"}
	}
	defer s.capturing.Unlock()
	return s.storeUser(ctx, in.Host, in.Passcode, func(ctx context.Context) (ps4.Credential, string, error) {
		conn, err := phone.Listen(ctx, s.phone)
		if err != nil {
			return ps4.Credential{}, "", err
		}
		credential, err := phone.Credential(ctx, conn, phone.Limit, s.debugf("phone"))
		return credential, "", err
	})
}

// storeUser gets a credential, and the account id if that is known, and stores
// them. It validates host and passcode first, because getting a credential takes
// effort.
func (s *setup) storeUser(ctx context.Context, host, passcode string,
	get func(context.Context) (credential ps4.Credential, accountID string, err error),
) error {
	var code ps4.Passcode
	var err error
	if passcode != "" {
		if code, err = ps4.ParsePasscode(passcode); err != nil {
			return err
		}
	}
	hostID := ""
	if host != "" {
		u, err := s.registry.findAccepted(ctx, host)
		if err != nil {
			return err
		}
		if !u.config.Credential.IsZero() {
			return &api.Error{Code: "config", Message: "the credential of this console is set in config.yaml",
				Hint: "Change it there, or remove it (consoles: credential) and restart the server."}
		}
		hostID = u.hostID
	}
	credential, account, err := get(ctx)
	if err != nil {
		return err
	}
	if account != "" {
		number, err := ps4.ParseAccountID(account)
		if err != nil {
			return err
		}
		account = strconv.FormatUint(number, 10)
	}
	return s.saveUser(hostID, state.User{Credential: credential.Reveal(), Passcode: code.Reveal(), AccountID: account})
}

// saveUser stores the PSN user and updates every console that logs in as that
// user.
func (s *setup) saveUser(hostID string, user state.User) error {
	if err := s.files.setCredential(hostID, user); err != nil {
		return err
	}
	for _, u := range s.registry.list() {
		if !u.isAccepted() {
			continue
		}
		if u.hostID == hostID { // it may not know the new user
			u.linked.Store(false)
			_ = s.files.change(hostID, false, func(stored *state.Console) { stored.Linked = false }) // logged there
		}
		s.registry.authorize(u)
	}
	s.events.Changed()
	return nil
}

// Test closes an open session first, which may belong to another user.
func (s *setup) Test(ctx context.Context, in api.HostRequest) error {
	u, err := s.registry.find(ctx, in.Host)
	if err != nil {
		return err
	}
	if err := u.tv.WithoutSession(ctx, func(context.Context) error { return nil }); err != nil {
		return err
	}
	if err := u.tv.WithSession(ctx, func(context.Context, accessory.Session) error { return nil }); err != nil {
		return err
	}
	s.proveLink(u)
	return nil
}

// openGuard returns the guard of the server, or opens one for this command.
func (s *setup) openGuard() (*web.Guard, error) {
	if s.guard != nil {
		return s.guard, nil
	}
	return newGuard(s.env, nil)
}

func (s *setup) WebPassword(context.Context, api.None) (api.Password, error) {
	guard, err := s.openGuard()
	if err != nil {
		return api.Password{}, err
	}
	return guard.FirstPassword()
}

func (s *setup) RenewWebPassword(context.Context, api.None) (api.Password, error) {
	guard, err := s.openGuard()
	if err != nil {
		return api.Password{}, err
	}
	return guard.RenewPassword()
}

package app

import (
	"context"
	"net/netip"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/phone"
	"github.com/ps4kit/ps4kit/ps4"
)

// SetAccount implements api.Page.
func (s *server) SetAccount(ctx context.Context, host, accountID, passcode string) error {
	return s.storeUser(ctx, host, passcode, func(context.Context) (ps4.Credential, error) {
		return ps4.CredentialFromAccountID(accountID)
	})
}

func (s *server) psn() *ps4.PSN { return &ps4.PSN{BaseURL: s.Config.PSN.AuthURL} }

// AuthorizeURL implements api.Page.
func (s *server) AuthorizeURL() string { return s.psn().AuthorizeURL() }

// SignIn implements api.Page.
func (s *server) SignIn(ctx context.Context, host, address, passcode string) error {
	return s.storeUser(ctx, host, passcode, func(ctx context.Context) (ps4.Credential, error) {
		return s.psn().SignIn(ctx, address)
	})
}

// Capture implements api.Page.
func (s *server) Capture(ctx context.Context, host, passcode string) error {
	if !s.capturing.TryLock() {
		return &api.Error{Code: "busy", Message: "another capture is waiting for the phone app"}
	}
	defer s.capturing.Unlock()
	return s.storeUser(ctx, host, passcode, func(ctx context.Context) (ps4.Credential, error) {
		conn, err := phone.Listen(ctx, s.phoneAddr())
		if err != nil {
			return ps4.Credential{}, err
		}
		return phone.Credential(ctx, conn, phone.Limit, s.debugf("phone"))
	})
}

// phoneAddr returns the address that the phone app searches for consoles. It is
// a loopback address with simulated consoles.
func (s *server) phoneAddr() netip.AddrPort {
	if s.Simulate > 0 && !s.PhoneAddr.IsValid() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ps4.DefaultPort)
	}
	return s.PhoneAddr
}

// storeUser gets a credential and stores it. It validates host and passcode
// first, because getting a credential takes effort.
func (s *server) storeUser(ctx context.Context, host, passcode string, get func(context.Context) (ps4.Credential, error)) error {
	var code ps4.Passcode
	var err error
	if passcode != "" {
		if code, err = ps4.ParsePasscode(passcode); err != nil {
			return err
		}
	}
	hostID := ""
	if host != "" {
		u, err := s.findAccepted(ctx, host)
		if err != nil {
			return err
		}
		if !u.config.Credential.Empty() {
			return errConfigured()
		}
		hostID = u.hostID
	}
	credential, err := get(ctx)
	if err != nil {
		return err
	}
	return s.saveUser(hostID, credential, code)
}

// saveUser stores the PSN user and updates every console that logs in as that
// user.
func (s *server) saveUser(hostID string, credential ps4.Credential, passcode ps4.Passcode) error {
	if err := s.files.setCredential(hostID, credential, passcode); err != nil {
		return err
	}
	for _, u := range s.list() {
		if !u.accepted.Load() {
			continue
		}
		user, err := s.user(u.known)
		if err != nil {
			return err
		}
		u.console.SetUser(user)
		s.tellPage()
	}
	return nil
}

// errConfigured is the error of storing a credential that the configuration
// overrides.
func errConfigured() error {
	return &api.Error{Code: "config", Message: "the credential of this console is set in config.yaml",
		Hint: "Change it there, or remove it (consoles: credential) and restart the server."}
}

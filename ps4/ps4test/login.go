package ps4test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

const resultOK = 0

// Device is a device that is linked with a console. Its model identifies it
// here; how a real console does that is unknown (docs/protocol.md §5, §9).
type Device struct {
	Model      string
	Credential ps4.Credential
}

// Login is a login that a console received. Of its secrets it keeps only the
// credential, which tells accounts apart.
type Login struct {
	At                         time.Time
	AppLabel, Model, OSVersion string
	Credential                 ps4.Credential  // zero if malformed
	PIN, Passcode              bool            // whether one was sent
	Result                     ps4.ResultError // 0: accepted
}

// login answers a login and starts the heartbeats of an accepted one.
func (s *session) login(p wire.Packet) error {
	l, err := wire.UnmarshalLogin(p)
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	accepted, nth := false, 0
	err = s.decide(wire.TypeLoginResult, func(c *Console) uint32 {
		result := c.judgeLocked(s, l)
		accepted = result == resultOK
		if accepted {
			s.loggedIn, s.answered, c.active = true, time.Now(), s
			s.logins++
			nth = s.logins
		}
		c.log.addLogin(l, result)
		return uint32(result)
	})
	if accepted && err == nil {
		s.console.wg.Go(func() { s.beat(nth) })
	}
	return err
}

// judgeLocked returns the result of a login (docs/protocol.md §6). The order in
// which a real console checks the fields is unknown.
func (c *Console) judgeLocked(s *session, l wire.Login) ps4.ResultError {
	switch {
	case c.faults.Login != resultOK:
		return c.faults.Login
	case s.loggedIn:
		return ps4.ErrAlreadyConnected
	case c.active != nil:
		return ps4.ErrOtherAppConnected
	case !wellFormed(l):
		return ps4.ErrNotLinked
	case !c.knows(l.Credential):
		return ps4.ErrNoSuchAccount
	}
	if result := c.judgeLinkLocked(l); result != resultOK {
		return result
	}
	switch {
	case c.cfg.Passcode != "" && l.Passcode == "":
		return ps4.ErrPasscodeNeeded
	case c.cfg.Passcode != "" && l.Passcode != c.cfg.Passcode:
		return ps4.ErrPasscodeWrong
	}
	c.linkLocked(l)
	return resultOK
}

// judgeLinkLocked checks the PIN, or the link of a login without one.
func (c *Console) judgeLinkLocked(l wire.Login) ps4.ResultError {
	if l.PIN == "" {
		if c.cfg.Linked || c.isLinkedLocked(l) {
			return resultOK
		}
		return ps4.ErrPINNeeded
	}
	if l.PIN != c.cfg.PIN {
		return ps4.ErrPINWrong
	}
	if c.deviceLocked(l.Model) < 0 && len(c.linked) >= c.cfg.MaxDevices {
		return ps4.ErrTooManyDevices
	}
	return resultOK
}

// wellFormed reports whether the fields of a login have valid forms.
func wellFormed(l wire.Login) bool {
	return isHex(l.Credential, credentialDigits) && l.Model != "" &&
		(l.PIN == "" || isDigits(l.PIN, 8)) && (l.Passcode == "" || isDigits(l.Passcode, wire.PasscodeSize))
}

// knows reports whether an account is on this console.
func (c *Console) knows(credential string) bool {
	if !isHex(credential, credentialDigits) {
		return false
	}
	return c.cfg.Credentials == nil || slices.ContainsFunc(c.cfg.Credentials, func(known string) bool {
		return strings.EqualFold(known, credential)
	})
}

func (c *Console) deviceLocked(model string) int {
	return slices.IndexFunc(c.linked, func(d Device) bool { return d.Model == model })
}

func (c *Console) isLinkedLocked(l wire.Login) bool {
	i := c.deviceLocked(l.Model)
	return i >= 0 && c.linked[i].Credential.Equal(credentialOf(l))
}

// linkLocked stores the device of a login with a PIN. A link of a second user
// from the same model replaces the first (docs/protocol.md §5).
func (c *Console) linkLocked(l wire.Login) {
	if l.PIN == "" {
		return
	}
	device := Device{Model: l.Model, Credential: credentialOf(l)}
	if i := c.deviceLocked(l.Model); i >= 0 {
		c.linked[i] = device
		return
	}
	c.linked = append(c.linked, device)
}

// credentialOf returns the credential of a login, or none if it is malformed.
func credentialOf(l wire.Login) ps4.Credential {
	credential, err := ps4.ParseCredential(l.Credential)
	if err != nil {
		return ps4.Credential{}
	}
	return credential
}

// Devices returns the devices linked with the PIN.
func (c *Console) Devices() []Device {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.linked)
}

// SetPIN changes the PIN that "Add Device" shows. An empty PIN hides it.
func (c *Console) SetPIN(pin string) { c.update(func() { c.cfg.PIN = pin }) }

// SetPasscode changes the passcode of the users. An empty one removes it.
func (c *Console) SetPasscode(passcode string) { c.update(func() { c.cfg.Passcode = passcode }) }

// Unlink removes every linked device, as the console's menu can.
func (c *Console) Unlink() { c.update(func() { c.linked, c.cfg.Linked = nil, false }) }

// logout answers a logout and keeps the connection.
func (s *session) logout() error {
	return s.decide(wire.TypeLogoutResult, func(c *Console) uint32 {
		c.log.counters.Logouts++
		switch {
		case c.faults.Logout != resultOK:
			return uint32(c.faults.Logout)
		case !s.loggedIn:
			return uint32(ps4.ErrAlreadyLoggedOut)
		}
		c.logoutLocked(s)
		return resultOK
	})
}

func (c *Console) logoutLocked(s *session) {
	s.loggedIn, s.typing, s.remote = false, false, remote{}
	if c.active == s {
		c.active = nil
	}
}

// standby answers a standby request and starts to enter rest mode.
func (s *session) standby() error {
	accepted := false
	err := s.decide(wire.TypeStandbyResult, func(c *Console) uint32 {
		c.log.counters.Standbys++
		s.noteRemoteOpenLocked()
		switch {
		case c.faults.Standby != resultOK:
			return uint32(c.faults.Standby)
		case !s.loggedIn:
			return uint32(ps4.ErrNotLoggedIn)
		case c.cfg.StandbyDisabled:
			return uint32(ps4.ErrStandbyDisabled)
		}
		accepted = true
		return resultOK
	})
	if accepted {
		s.console.update(s.console.standbyLocked) // after the answer was sent
	}
	return err
}

package ps4test

import (
	"fmt"
	"maps"
	"slices"
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

func (s *session) handleLoginLocked(p wire.Packet) (what, outcome string, err error) {
	c := s.console
	l, err := wire.UnmarshalLogin(p)
	if err != nil {
		return "", "", fmt.Errorf("login: %w", err)
	}
	what = fields("login", "label", l.AppLabel, "model", l.Model, "os", l.OSVersion,
		"credential", l.Credential, "PIN", l.PIN, "passcode", l.Passcode)
	credential := credentialOf(l.Credential)
	result := s.judgeLocked(l, credential)
	c.log.counters.Logins++
	c.log.logins = add(c.log.logins, Login{
		At: time.Now(), AppLabel: l.AppLabel, Model: l.Model, OSVersion: l.OSVersion,
		Credential: credential, PIN: l.PIN != "", Passcode: l.Passcode != "", Result: result,
	})
	if result != resultOK {
		c.log.counters.LoginsRefused++
		return what, s.answerLocked(wire.TypeLoginResult, result), nil
	}
	if l.PIN != "" {
		c.linked[l.Model] = credential // a second user from the same model replaces the first (docs/protocol.md §5)
	}
	c.active = s
	s.logInLocked(s.heartbeatLocked, s.close)
	return what, s.answerLocked(wire.TypeLoginResult, result), nil
}

// judgeLocked returns the result of a login (docs/protocol.md §6). The order in
// which a real console checks the fields is unknown.
func (s *session) judgeLocked(l wire.Login, credential ps4.Credential) ps4.ResultError {
	c := s.console
	user, known := c.linked[l.Model]
	linked := c.cfg.Linked || known && user == credential
	switch {
	case c.faults.Login != resultOK:
		return c.faults.Login
	case s.loggedIn:
		return ps4.ErrAlreadyConnected
	case c.active != nil:
		return ps4.ErrOtherAppConnected
	case credential.IsZero() || l.Model == "" || l.PIN != "" && !isDigits(l.PIN, 8) ||
		l.Passcode != "" && !isDigits(l.Passcode, wire.PasscodeSize): // malformed
		return ps4.ErrNotLinked
	case !c.knows(credential):
		return ps4.ErrNoSuchAccount
	case l.PIN == "" && !linked:
		return ps4.ErrPINNeeded
	case l.PIN != "" && l.PIN != c.cfg.PIN:
		return ps4.ErrPINWrong
	case l.PIN != "" && !known && len(c.linked) >= c.cfg.MaxDevices:
		return ps4.ErrTooManyDevices
	case c.cfg.Passcode != "" && l.Passcode == "":
		return ps4.ErrPasscodeNeeded
	case c.cfg.Passcode != "" && l.Passcode != c.cfg.Passcode:
		return ps4.ErrPasscodeWrong
	}
	return resultOK
}

// knows reports whether an account is on this console.
func (c *Console) knows(credential ps4.Credential) bool {
	return !credential.IsZero() && (c.cfg.Credentials == nil ||
		slices.ContainsFunc(c.cfg.Credentials, func(known string) bool { return credentialOf(known) == credential }))
}

// Devices returns the devices linked with the PIN, by model.
func (c *Console) Devices() []Device {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Device
	for _, model := range slices.Sorted(maps.Keys(c.linked)) {
		list = append(list, Device{Model: model, Credential: c.linked[model]})
	}
	return list
}

// Unlink removes every linked device, as the console's menu can.
func (c *Console) Unlink() { c.update(func() { clear(c.linked); c.cfg.Linked = false }) }

// handleLogoutLocked logs the user out and keeps the connection.
func (s *session) handleLogoutLocked() (outcome string) {
	c := s.console
	c.log.counters.Logouts++
	if !s.loggedIn {
		return s.answerLocked(wire.TypeLogoutResult, ps4.ErrAlreadyLoggedOut)
	}
	c.logoutLocked(s)
	return s.answerLocked(wire.TypeLogoutResult, resultOK)
}

func (c *Console) logoutLocked(s *session) {
	s.loggedIn, s.typing, s.remote = false, false, remote{}
	s.epoch++
	if c.active == s {
		c.active = nil
	}
}

package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4"
)

// user is the PSN user as whom this program logs in with a console: what the command
// line says, then the configuration, then what is stored. Passcode and credential are
// looked for each by itself. None at all is no error: searching needs none.
func (s *server) user(k known) (ps4.User, error) {
	stored, passcode := s.files.credential(k.hostID)
	u := ps4.User{Credential: stored, Passcode: passcode}
	if k.simulated != nil {
		u.Credential = simulatedCredential()
	}
	if err := configured(&u, k.config); err != nil {
		return u, err
	}
	if !s.override.Credential.IsZero() {
		u.Credential = s.override.Credential
	}
	if !s.override.Passcode.IsZero() {
		u.Passcode = s.override.Passcode
	}
	u.Model = modelOf(s.installation, u.Credential)
	return u, nil
}

func configured(u *ps4.User, c config.Console) (err error) {
	if !c.Credential.Empty() {
		if u.Credential, err = ps4.ParseCredential(c.Credential.Reveal()); err != nil {
			return fmt.Errorf("credential: %w", err)
		}
	}
	if !c.Passcode.Empty() {
		if u.Passcode, err = ps4.ParsePasscode(c.Passcode.Reveal()); err != nil {
			return fmt.Errorf("passcode: %w", err)
		}
	}
	return nil
}

// modelOf names this installation and user in a console's list of linked devices: two
// of the same name would replace each other there. It is the same in every command,
// fits the 16 bytes of its field (docs/protocol.md §5), and tells nothing of the
// credential.
func modelOf(installation string, c ps4.Credential) string {
	sum := sha256.Sum256([]byte(installation + " " + c.Reveal()))
	return "ps4kit-" + hex.EncodeToString(sum[:4])
}

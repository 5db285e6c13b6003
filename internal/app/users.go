package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/ps4kit/ps4kit/ps4"
)

// users knows which PSN user this program is for each console.
type users struct {
	files        files
	override     Override
	installation string
}

// of returns the PSN user to log in with at a console. The credential and the
// passcode come from the command line, the configuration or the state, in this
// order, each on its own. Having none is no error: searching needs none.
func (u users) of(k known) (user ps4.User, err error) {
	user.Credential, user.Passcode = u.files.credential(k.hostID)
	if k.simulated != nil {
		user.Credential = simulatedCredential()
	}
	if text := k.config.Credential.Reveal(); text != "" {
		if user.Credential, err = ps4.ParseCredential(text); err != nil {
			return user, fmt.Errorf("credential: %w", err)
		}
	}
	if text := k.config.Passcode.Reveal(); text != "" {
		if user.Passcode, err = ps4.ParsePasscode(text); err != nil {
			return user, fmt.Errorf("passcode: %w", err)
		}
	}
	if !u.override.Credential.IsZero() {
		user.Credential = u.override.Credential
	}
	if !u.override.Passcode.IsZero() {
		user.Passcode = u.override.Passcode
	}
	user.Model = u.model(user.Credential)
	return user, nil
}

// model names this installation and user in a console's list of linked devices,
// where two of the same name would replace each other. It fits the 16 bytes of
// its field (docs/protocol.md §5) and reveals nothing of the credential.
func (u users) model(c ps4.Credential) string {
	sum := sha256.Sum256([]byte(u.installation + " " + c.Reveal()))
	return "ps4kit-" + hex.EncodeToString(sum[:4])
}

package app

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"

	"github.com/ps4kit/ps4kit/internal/api"
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
// order, each on its own. There may be none: searching needs none.
func (u users) of(k known) (user ps4.User) {
	credential, passcode, _ := u.files.credential(k.hostID)
	if k.simulated != nil {
		credential = simulatedCredential()
	}
	user.Credential = cmp.Or(u.override.Credential, k.config.Credential, credential)
	user.Passcode = cmp.Or(u.override.Passcode, k.config.Passcode, passcode)
	// Of two linked devices with the same name, one would replace the other. The
	// name fits the 16 bytes of its field (docs/protocol.md §5) and reveals nothing
	// of the credential.
	sum := sha256.Sum256([]byte(u.installation + " " + user.Credential.Reveal()))
	user.Model = "ps4kit-" + hex.EncodeToString(sum[:4])
	return user
}

// hasAccount reports whether account has one without a given one.
func (u users) hasAccount(k known) bool {
	_, err := u.account(k, "")
	return err == nil
}

// account returns the PSN account id that linking for Remote Play needs: the
// given one, or the stored one of the console's user.
func (u users) account(k known, given string) (uint64, error) {
	if given != "" {
		if err := ps4.CheckTypedAccountID(given); err != nil {
			return 0, err
		}
	}
	_, _, stored := u.files.credential(k.hostID)
	id := cmp.Or(given, stored)
	if id == "" && k.simulated != nil {
		id = "1" // it takes any
	}
	if id == "" {
		return 0, &api.Error{Code: "account_needed", Message: "linking for Remote Play needs your PSN account id, and none is stored",
			Hint: "Run ps4kit credential --psn, and link again."}
	}
	return ps4.ParseAccountID(id)
}

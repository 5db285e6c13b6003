package remoteplay

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

// Register registers this program with a console that is on and shows a PIN,
// under Settings > System > Remote Play > Link Device on a PS5, or under
// Settings > Remote Play Connection Settings > Add Device on a PS4. The account
// id is that of a user who is signed in on the console; see
// [ps4.ParseAccountID]. The caller must store the registration.
//
// Register fails with [ErrLinkScreen] if that screen is closed, with
// [ErrRegistration] for a wrong PIN or another ResultError, as
// [ps4.Console.Status] does, and with [ps4.ErrStandby], [ps4.ErrSilent],
// [ErrRefused], [ErrNoReply] or [ErrNotPlayStation].
func Register(ctx context.Context, c *ps4.Console, accountID uint64, pin ps4.PIN, o *Options) (_ Registration, err error) {
	o = o.withDefaults()
	number, err := strconv.ParseUint(pin.Reveal(), 10, 32)
	if err != nil {
		return Registration{}, ps4.ErrPINFormat
	}
	status, family, err := awake(ctx, c)
	if err != nil {
		return Registration{}, err
	}
	defer func() { err = hintFor(status.HostType, err) }()
	to := netip.AddrPortFrom(status.Addr.Addr(), o.Port)
	found, err := o.search(ctx, to, family, registerLimit)
	if err != nil {
		return Registration{}, err
	}
	if !found {
		return Registration{}, ErrLinkScreen
	}
	if err := sleep(ctx, registerPause); err != nil {
		return Registration{}, err
	}
	request := rp.RegisterRequest{
		Family: family, Host: to.Addr().String(), PIN: uint32(number), AccountID: accountID, OnlineID: o.OnlineID,
	}
	_, _ = rand.Read(request.Nonce[:]) // never fails
	_, _ = rand.Read(request.Context[:])
	var answer rp.Registration
	conn, _, err := o.exchange(ctx, to, request.Marshal(), func(r rp.Reply) (err error) {
		answer, err = rp.ParseRegistration(request.Cipher().Open(0, r.Body))
		return err
	})
	if err != nil {
		return Registration{}, err
	}
	_ = conn.Close()
	if hostID := cmp.Or(status.HostID, answer.HostID); answer.HostID != "" && answer.HostID != hostID {
		return Registration{}, &ps4.OtherConsoleError{Addr: status.Addr, Want: hostID, Got: answer.HostID}
	}
	return Registration{
		HostID: status.HostID, HostType: status.HostType, Nickname: text.Line(answer.Nickname), AccountID: accountID,
		Keys: keys{registKey: strings.ToLower(answer.RegistKey), rpKey: answer.Key, kind: answer.KeyType}.hide(),
	}, nil
}

// awake returns the status of a console that is on, and its family.
func awake(ctx context.Context, c *ps4.Console) (ps4.Status, rp.Family, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return status, 0, err
	}
	if status.State == ps4.StateStandby {
		return status, 0, ps4.ErrStandby
	}
	family, err := rp.FamilyOf(status.HostType, status.SystemVersion)
	if err != nil {
		return status, 0, fmt.Errorf("%w: %w", ErrNotPlayStation, err)
	}
	return status, family, nil
}

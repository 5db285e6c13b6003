package ps4

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// WakeRemotePlay is like [Console.Wake] with the credential of a Remote Play
// registration: its RegistKey as a number, a secret. Package remoteplay calls
// it. WakeRemotePlay fails with [ErrOtherConsole] or [ErrNoNetwork].
func (c *Console) WakeRemotePlay(ctx context.Context, credential uint32) error {
	if err := c.takenOver(); err != nil {
		return err
	}
	ctx, release, err := c.net.shared.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	version := ddp.Version
	if c.Addr().Port() == ddp.PortPS5 || c.lastHeard().HostType == TypePS5 {
		version = ddp.VersionPS5
	}
	wakeup := ddp.RemotePlayWakeup(strconv.FormatUint(uint64(credential), 10), version)
	if err := c.net.shared.send(ctx, c.set.Counters, wakeup, c.Addr()); err != nil {
		return err
	}
	c.noteWoken()
	return nil
}

// Ask asks the console for its status once and waits so long for the answer. In
// contrast to [Console.Status], silence is always [ErrSilent], even that of a
// console in rest mode. Ask also fails with [ErrOtherConsole] or
// [ErrNoNetwork].
func (c *Console) Ask(ctx context.Context, wait time.Duration) (Status, error) {
	e := c.endpoint()
	ctx, stop, err := c.net.follow(ctx, c, e)
	if err != nil {
		return Status{}, err
	}
	defer stop()
	return c.question(ctx, e, wait)
}

// minTypedID has 13 digits, more than most phone numbers. Account ids are spread
// over 63 bits: about one in ten million is smaller.
const minTypedID = 1e12

// CheckTypedAccountID returns [ErrAccountIDFormat] if what a person typed can't be
// the id of a PSN account. An id that PSN sent needs no such check.
func CheckTypedAccountID(id string) error {
	number, err := ParseAccountID(id)
	if err == nil && number < minTypedID {
		return ErrAccountIDFormat
	}
	return err
}

// ParseAccountID parses the id of a PSN account, in decimal or in the base64
// of its 8 bytes, little endian. It fails with [ErrAccountIDFormat].
func ParseAccountID(id string) (uint64, error) { return parseAccountID(strings.TrimSpace(id)) }

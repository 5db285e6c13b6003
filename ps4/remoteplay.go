package ps4

import (
	"context"
	"strconv"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// WakeRemotePlay is like [Console.Wake] with the credential of a Remote Play
// registration: its RegistKey as a number, a secret. Package remoteplay calls
// it. WakeRemotePlay fails with [ErrOtherConsole] or [ErrNoNetwork].
func (c *Console) WakeRemotePlay(ctx context.Context, credential uint32) error {
	version := ddp.Version
	if c.Addr().Port() == ddp.PortPS5 || c.lastHeard().HostType == TypePS5 {
		version = ddp.VersionPS5
	}
	return c.sendWakeup(ctx, ddp.RemotePlayWakeup(strconv.FormatUint(uint64(credential), 10), version))
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

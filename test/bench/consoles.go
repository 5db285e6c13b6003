package main

import (
	"context"
	"time"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// keyPresses measures from the write of RemoteKey until the packet has come to the
// console, on a session that is open. Between two keys lies more than the pause that
// the console needs, so that pacing is no part of it.
func (b *bench) keyPresses(ctx context.Context, h *home) (series, error) {
	c, err := h.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	var s series
	for i := range b.keys + 1 {
		start := time.Now()
		if err := put(c, h.ids.remoteKey, "value", keyUp); err != nil {
			return s, err
		}
		at, err := b.arrival(ctx, start)
		if err != nil {
			return s, err
		}
		if i > 0 { // the first one opens the session
			s = append(s, at.Sub(start))
		}
		pause(ctx, keyPause)
	}
	return s, nil
}

// keyPause is longer than the 200 ms of docs/protocol.md §7, and shorter than the time
// after which remote control closes.
const keyPause = 300 * time.Millisecond

const keyLimit = 20 * time.Second

// arrival waits for an "up" after the given time.
func (b *bench) arrival(ctx context.Context, after time.Time) (at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, keyLimit)
	defer cancel()
	_, err = b.consoles[0].WaitFor(ctx, func(now ps4test.Snapshot) bool {
		for i := len(now.Keys) - 1; i >= 0 && now.Keys[i].At.After(after); i-- {
			if now.Keys[i].Op == ps4test.Up && now.Keys[i].Accepted {
				at = now.Keys[i].At
				return true
			}
		}
		return false
	})
	return at, err
}

// stateChanges measures from a console's change of state until a controller has the
// event.
func (b *bench) stateChanges(ctx context.Context, h *home) (series, error) {
	c, err := h.subscribed(ctx, h.ids.active)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	defer b.consoles[0].SetAwake()
	var s series
	for i := range b.changes {
		active := i % 2
		start := time.Now()
		if active == 1 {
			b.consoles[0].SetAwake()
		} else {
			b.consoles[0].SetStandby()
		}
		if err := awaitEvent(c, active, 3*b.poll); err != nil {
			return s, err
		}
		s = append(s, time.Since(start))
	}
	return s, nil
}

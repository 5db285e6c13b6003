package stream

import (
	"context"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/takion"
)

// Press presses a button for hold, where 0 means a tap, and returns once it is
// released. It fails with the cause of ctx's end, which releases the button
// early, or as [Conn.Err] describes.
func (c *Conn) Press(ctx context.Context, b takion.Button, hold time.Duration) error {
	if hold <= 0 {
		hold = tap
	}
	if err := c.sleep(ctx, time.Until(c.free)); err != nil {
		return err
	}
	if err := c.change(takion.Event{Button: b, Down: true}); err != nil {
		return err
	}
	interrupted := c.sleep(ctx, hold)
	err := c.change(takion.Event{Button: b})
	c.free = time.Now().Add(gap)
	if interrupted != nil {
		return interrupted
	}
	return err
}

// change sends an event, unless the stream is over.
func (c *Conn) change(e takion.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != nil {
		return c.over
	}
	if c.leaving {
		return ErrClosed
	}
	c.event(e)
	return nil
}

// event sends a history whose newest event is e. Every packet has one new event,
// so that the sequence tells a console which ones it missed.
func (c *Conn) event(e takion.Event) {
	c.events = slices.Insert(c.events, 0, e)
	c.events = c.events[:min(len(c.events), takion.HistoryLen)]
	c.history = c.Feedback(takion.Feedback{
		Type: takion.TypeFeedbackHistory, Sequence: c.histories, Payload: takion.AppendHistory(nil, c.events),
	})
	c.histories++
	c.repeats, c.repeatAt = repeats, time.Now().Add(repeatAfter)
}

// sleep waits for d, or returns why it cannot.
func (c *Conn) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.Done():
		return c.Err()
	case <-time.After(d):
		return nil
	}
}

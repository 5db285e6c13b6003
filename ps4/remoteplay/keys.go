package remoteplay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
	"github.com/ps4kit/ps4kit/ps4/remoteplay/internal/stream"
)

// Press taps a button: see [Session.Keys].
func (s *Session) Press(ctx context.Context, b ps4.Button) error {
	return s.Keys(ctx, ps4.Key{Button: b})
}

// Hold presses a button for d, at most a minute; 0 means a tap, or a second for
// [ps4.PSHold]. If ctx ends first, the button is released early. See
// [Session.Keys].
func (s *Session) Hold(ctx context.Context, b ps4.Button, d time.Duration) error {
	return s.Keys(ctx, ps4.Key{Button: b, Hold: d})
}

// Keys presses keys one after the other, with the pauses that the console needs.
// It returns once the last one is released.
//
// Keys need a stream, which the first of them opens if Options.Stream permits
// it. Opening takes seconds with a real console, and then the TV shows that
// Remote Play is in use and the user's own controller may disconnect. The stream
// stays open for as long as the session. Its pictures and its sound are dropped.
// Taps of PS alone do without a stream if none is permitted or it does not open,
// as [Session.Home] does.
//
// If a key is invalid, Keys presses none of them and fails with [ps4.ErrButton],
// or with [ErrPSOnly] if it needs a stream. It fails with [ErrStream] if the
// stream fails, which ends the session.
func (s *Session) Keys(ctx context.Context, keys ...ps4.Key) error {
	if err := s.console.CheckKeys(keys...); err != nil || len(keys) == 0 {
		return err
	}
	if !s.console.set.Stream {
		return s.tapHome(ctx, len(keys))
	}
	ctx, cancel := within(s.life, ctx)
	defer cancel()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s.pressing <- struct{}{}:
	}
	defer func() { <-s.pressing }()
	conn, err := s.openStream(ctx)
	if err != nil && ctx.Err() == nil && !slices.ContainsFunc(keys, needsStream) {
		s.console.set.Logf("stream with %v: %v; pressing PS without it", s.streamConfig.Console, err)
		return s.tapHome(ctx, len(keys))
	}
	for i := 0; err == nil && i < len(keys); i++ {
		hold := keys[i].Hold
		if keys[i].Button == ps4.PSHold && hold == 0 {
			hold = psHold
		}
		err = conn.Press(ctx, streamButtons[keys[i].Button], hold)
	}
	return s.streamErr(ctx, err)
}

func (s *Session) tapHome(ctx context.Context, times int) error {
	for range times {
		if err := s.Home(ctx); err != nil {
			return err
		}
	}
	return nil
}

// CheckKeys returns the error with which [Session.Keys] would refuse keys, or
// nil.
func (c *Console) CheckKeys(keys ...ps4.Key) error {
	for _, k := range keys {
		if _, known := streamButtons[k.Button]; !known || k.Hold < 0 || k.Hold > maxHold {
			return fmt.Errorf("%w: %v for %v", ps4.ErrButton, k.Button, k.Hold)
		}
		if !c.set.Stream && needsStream(k) {
			return ErrPSOnly
		}
	}
	return nil
}

// needsStream reports whether a key is anything but a tap of PS.
func needsStream(k ps4.Key) bool { return k.Button != ps4.PS || k.Hold > 0 }

var streamButtons = map[ps4.Button]takion.Button{
	ps4.Up: takion.Up, ps4.Down: takion.Down, ps4.Left: takion.Left, ps4.Right: takion.Right,
	ps4.Enter: takion.Cross, ps4.Back: takion.Circle, ps4.Cancel: takion.Circle, ps4.Option: takion.Options,
	ps4.PS: takion.PS, ps4.PSHold: takion.PS,
	ps4.Triangle: takion.Triangle, ps4.Square: takion.Square, ps4.Share: takion.Share, ps4.Touchpad: takion.Touchpad,
	ps4.L1: takion.L1, ps4.R1: takion.R1, ps4.L2: takion.L2, ps4.R2: takion.R2, ps4.L3: takion.L3, ps4.R3: takion.R3,
}

// openStream returns the stream, which it opens if necessary. The caller holds
// s.pressing.
func (s *Session) openStream(ctx context.Context) (*stream.Conn, error) {
	s.mu.Lock()
	conn := s.stream
	s.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	err := s.await(ctx, idLimit, ps4.ErrSilent, func() bool { return s.id != "" })
	if err != nil && !errors.Is(err, ps4.ErrSilent) {
		return nil, err
	}
	config := s.streamConfig
	config.SessionID = s.ID()
	if conn, err = stream.Open(ctx, config); err != nil {
		return nil, err
	}
	s.mu.Lock()
	over := s.noStream
	if !over {
		s.stream = conn
		s.group.Go(func() { // ends the session when the console ends its stream
			if <-conn.Done(); !errors.Is(conn.Err(), stream.ErrClosed) {
				s.end(fmt.Errorf("%w: %w", ErrStream, conn.Err()))
			}
		})
	}
	s.mu.Unlock()
	if over {
		conn.Close()
	}
	return conn, nil
}

// closeStream closes the stream, if one is open, for good.
func (s *Session) closeStream() {
	s.mu.Lock()
	conn := s.stream
	s.stream, s.noStream = nil, true
	s.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
}

// streamErr returns the error of this package for one of the stream.
func (s *Session) streamErr(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), ErrStream): // the session ended because of that
		return s.reason
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, stream.ErrClosed):
		<-s.Done() // only the end of the session closes a stream while keys are pressed
		return s.Err()
	case errors.Is(err, ps4.ErrClosed):
		return err
	}
	return fmt.Errorf("%w: %w", ErrStream, err)
}

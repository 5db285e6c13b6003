package ps4

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// StartOptions configures StartTitle. Nil is valid.
type StartOptions struct {
	// NoQuit makes StartTitle fail with [ErrTitleRunning] instead of quitting
	// another title.
	NoQuit bool
}

// StartTitle starts a title by its id, such as CUSA00129, in any case, and
// returns once the console reports that the title is running. It does nothing
// if the title is running already, and quits another one (docs/protocol.md §7).
//
// StartTitle fails with [ErrTitleIDFormat], [ErrNoSuchTitle],
// [ErrTitleRunning], [ErrStandby], another [ResultError] if the console
// refuses, [ErrNotConfirmed] if the title does not show up within 20 s,
// [ErrClosed], and as [Console.Status] does.
func (s *Session) StartTitle(ctx context.Context, titleID string, o *StartOptions) error {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return err
	}
	err = s.command(ctx, func(ctx context.Context) error {
		status, err := s.console.recentStatus(ctx)
		other := status.TitleID != ""
		switch {
		case err != nil:
			return err
		case status.State == StateStandby:
			return ErrStandby
		case status.TitleID == id:
			return nil
		case other && o != nil && o.NoQuit:
			return fmt.Errorf("%w: %s", ErrTitleRunning, status.TitleID)
		case other:
			if err := s.key(ctx, wire.OpPS, 0); err != nil {
				return err
			}
		}
		if err := s.quiet(ctx); err != nil {
			return err
		}
		err = s.request(ctx, wire.Boot{TitleID: id}, wire.TypeBootResult)
		s.console.mu.Lock()
		s.console.ordered = time.Now()
		s.console.mu.Unlock()
		unavailable := errors.Is(err, ErrTitleUnavailable)
		switch {
		case other && (unavailable || errors.Is(err, ErrOtherTitleActive)):
			// The console asks whether to quit the other title. Opening the
			// remote control takes the 200 ms that its dialog needs.
			return s.key(ctx, wire.OpEnter, 0)
		case unavailable: // never press enter here: there is no dialog
			return fmt.Errorf("%w: %w", ErrNoSuchTitle, err)
		case errors.Is(err, ErrAlreadyRunning):
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.confirm(ctx, id)
}

// confirm waits until the console's last status shows the title. It uses the
// answers to other callers' questions, and asks if there are none.
func (s *Session) confirm(ctx context.Context, id string) error {
	c := s.console
	limited, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	for c.lastHeard().TitleID != id {
		if errors.Is(ctx.Err(), context.Canceled) {
			return context.Cause(ctx)
		}
		if limited.Err() != nil {
			return fmt.Errorf("%w: %s", ErrNotConfirmed, id)
		}
		select {
		case <-c.nextAnswer():
		case <-limited.Done():
		case <-time.After(confirmEvery):
			asking, cancel := context.WithTimeout(limited, statusLimit)
			_, _ = c.ask(asking, nil) // a console that starts a title may miss a question
			cancel()
		}
	}
	return nil
}

// StartTitle wakes the console if it is in rest mode, opens a session, starts a
// title as [Session.StartTitle] does, and closes the session. It fails as
// [Console.Status], [Console.WakeWait], [Console.Open] and [Session.StartTitle]
// do.
func (c *Console) StartTitle(ctx context.Context, titleID string, o *StartOptions) error {
	status, err := c.Status(ctx)
	if err == nil && status.State == StateStandby {
		_, err = c.WakeWait(ctx)
	}
	if err != nil {
		return err
	}
	s, err := c.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.StartTitle(ctx, titleID, o)
}

// ParseTitleID parses a title id: four letters and five digits, in any case. It
// returns the id in upper case, or fails with [ErrTitleIDFormat].
func ParseTitleID(text string) (string, error) {
	id := strings.TrimSpace(text)
	if len(id) == 9 { // ToUpper turns some longer letters into ASCII
		id = strings.ToUpper(id)
	}
	if len(id) != 9 || strings.Trim(id[:4], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || !isDigits(id[4:], 5) {
		return "", fmt.Errorf("%w: %q", ErrTitleIDFormat, text)
	}
	return id, nil
}

// Errors of [FindTitleID]. Each is an [Error].
var (
	// ErrConceptAddress means that a store address names a concept, which has
	// no title id.
	ErrConceptAddress error = &sentinel{
		"concept_address", "the address of a concept contains no title id",
		"open the PS4 edition on that page and copy its address, or look up the id at https://serialstation.com/titles",
	}
	// ErrPS5Title means that the id is that of a PS5 title.
	ErrPS5Title error = &sentinel{
		"ps5_title", "this is a PS5 title, which a PS4 cannot start",
		"use the id of the PS4 edition, which begins with CUSA",
	}
	// ErrNoTitleID means that a text contains no title id.
	ErrNoTitleID error = &sentinel{
		"bad_title_id", "this contains no title id, which has four letters and five digits",
		"give an id like CUSA00129, a content id or a PS Store address; play the title once, or look up its id at https://serialstation.com/titles",
	}
)

const maxTitleText = 2048 // bytes

// titleIDs matches the title ids in an address, a content id, or the text on
// the spine of a game's case, where it is spelled CUSA-00129.
var titleIDs = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:^|[^a-z0-9])([a-z]{4})[-/ ]?([0-9]{5})(?:_[0-9]{2})?(?:[^a-z0-9_]|$)`)
})

// FindTitleID returns the title id in what people copy, in upper case:
//
//	CUSA01703, cusa01703_00, CUSA-01703           a title id
//	EP4544-CUSA01703_00-WEBMAF000000PLEX          a content id
//	https://store.playstation.com/…/product/EP…   an address that contains one
//
// It fails with [ErrConceptAddress], [ErrPS5Title] or [ErrNoTitleID]. The
// errors quote only the beginning of the text.
func FindTitleID(text string) (string, error) {
	if len(text) > maxTitleText {
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrNoTitleID, maxTitleText)
	}
	text = strings.TrimSpace(text)
	m := titleIDs().FindStringSubmatch(text)
	isText := !strings.ContainsAny(text, "/-") && len(text) > len("CUSA 00129_00")
	switch {
	case m == nil && strings.Contains(strings.ToLower(text), "/concept/"): // the page of a concept in the PS Store
		return "", fmt.Errorf("%w: %.60q", ErrConceptAddress, text)
	case m == nil || isText:
		return "", fmt.Errorf("%w: %.60q", ErrNoTitleID, text)
	}
	id := strings.ToUpper(m[1] + m[2])
	if strings.HasPrefix(id, "PPSA") {
		return "", fmt.Errorf("%w: %s", ErrPS5Title, id)
	}
	return id, nil
}

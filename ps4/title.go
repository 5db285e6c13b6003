package ps4

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// StartOptions says how to start a title. nil is usable.
type StartOptions struct {
	// NoQuit leaves another title alone that is running: [ErrTitleRunning].
	NoQuit bool
}

// StartTitle starts a title by its id ("CUSA00129", any case) and returns when
// the console says that it runs. A title that runs already is left as it is;
// another one is quit (docs/protocol.md §7).
//
// It fails with [ErrTitleIDFormat], [ErrNoSuchTitle], [ErrTitleRunning], a
// [ResultError], [ErrUnreachable] or [ErrStandby] when the console cannot be
// asked what runs, and [ErrNotConfirmed] when the title does not show within
// 20 s.
func (s *Session) StartTitle(ctx context.Context, titleID string, o *StartOptions) error {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return err
	}
	running := false
	err = s.command(ctx, func(ctx context.Context) error {
		running, err = s.boot(ctx, id, o != nil && o.NoQuit)
		return err
	})
	if err != nil || running {
		return err
	}
	return s.confirm(ctx, id)
}

// boot starts a title and answers the question whether the running one may be
// quit. It reports whether there was nothing to do.
func (s *Session) boot(ctx context.Context, id string, noQuit bool) (running bool, err error) {
	status, err := s.console.recentStatus(ctx)
	switch other := status.TitleID != ""; {
	case err != nil:
		return false, err
	case status.State == StateStandby:
		return false, ErrStandby
	case status.TitleID == id:
		return true, nil
	case other && noQuit:
		return false, fmt.Errorf("%w: %s", ErrTitleRunning, status.TitleID)
	case other:
		return false, s.bootOver(ctx, id)
	}
	err = s.sendBoot(ctx, id)
	if errors.Is(err, ErrTitleUnavailable) {
		// Never press enter here: there is no dialogue.
		return false, fmt.Errorf("%w: %w", ErrNoSuchTitle, err)
	}
	return false, err
}

// bootOver starts a title while another one runs.
func (s *Session) bootOver(ctx context.Context, id string) error {
	if err := s.key(ctx, wire.OpPS, 0); err != nil {
		return err
	}
	err := s.sendBoot(ctx, id)
	if errors.Is(err, ErrTitleUnavailable) || errors.Is(err, ErrOtherTitleActive) {
		// The console asks whether to quit. Opening the remote control takes
		// the 200 ms that its dialogue needs.
		return s.key(ctx, wire.OpEnter, 0)
	}
	return err
}

func (s *Session) sendBoot(ctx context.Context, id string) error {
	defer s.console.noteOrdered()
	if err := s.quiet(ctx); err != nil {
		return err
	}
	err := s.requestResult(ctx, wire.Boot{TitleID: id}, wire.TypeBootResult)
	if errors.Is(err, ErrAlreadyRunning) {
		return nil
	}
	return err
}

// confirm waits until discovery shows the title.
func (s *Session) confirm(ctx context.Context, id string) error {
	limited, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	for limited.Err() == nil {
		if status, err := s.console.next(limited); err == nil && status.TitleID == id {
			return nil
		}
	}
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %s", ErrNotConfirmed, id)
}

// ParseTitleID returns a title id, four letters and five digits in any case, in
// upper case. It fails with [ErrTitleIDFormat].
func ParseTitleID(text string) (string, error) {
	id := strings.ToUpper(strings.TrimSpace(text))
	if len(id) != 9 || strings.Trim(id[:4], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || !isDigits(id[4:], 5) {
		return "", fmt.Errorf("%w: %q", ErrTitleIDFormat, text)
	}
	return id, nil
}

package main

import (
	"context"
	"errors"
	"time"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// commandLimit is longer than any command may take (docs/homekit.md §5).
const commandLimit = 3 * time.Minute

// commander gives the commands of a command line, one after the other.
func (s *soak) commander(ctx context.Context, p *place) {
	rng := random(s.seed, "commander"+p.name)
	begun := context.WithoutCancel(ctx)
	for s.server.await(ctx) {
		n, key, title := rng.IntN(10), []string{"left", "right"}[rng.IntN(2)], titles[rng.IntN(len(titles))].ID
		switch {
		case n < 5:
			s.tell(begun, "keys", func(ctx context.Context, api *web.Client) error { return api.Keys(ctx, p.hostID, []string{key}) })
		case n < 7:
			s.tell(begun, "wake", func(ctx context.Context, api *web.Client) error { return api.Wake(ctx, p.hostID, n == 5) })
		case n < 8:
			s.tell(begun, "standby", func(ctx context.Context, api *web.Client) error { return api.Standby(ctx, p.hostID) })
		case n < 9:
			s.tell(begun, "start", func(ctx context.Context, api *web.Client) error { return api.Start(ctx, p.hostID, title, false) })
		default:
			s.tell(begun, "status", func(ctx context.Context, api *web.Client) error {
				_, err := api.Status(ctx, p.hostID)
				return err
			})
		}
		pause(ctx, time.Duration(50+rng.IntN(500))*time.Millisecond)
	}
}

// tell gives a command by the socket. The end of the soak does not end it: what was
// begun is waited for, as long as the calm after a storm has patience.
func (s *soak) tell(ctx context.Context, kind string, do func(context.Context, *web.Client) error) {
	_, _ = s.command(kind, func() error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(s.patience(), func() { cancel(errGivenUp) })()
		err := s.bySocket(ctx, do)
		if errors.Is(err, context.Canceled) && context.Cause(ctx) == errGivenUp { //nolint:errorlint // it is ours
			return errGivenUp
		}
		return err
	})
}

// errGivenUp means that whoever gave a command did not wait for its end.
var errGivenUp = errors.New("given up")

// patience ends when those who wait for a command are to give up.
func (s *soak) patience() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.season
}

// newPatience begins anew; the function returned ends it.
func (s *soak) newPatience() context.CancelFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, end := context.WithCancel(context.Background())
	s.season = ctx
	return end
}

func (s *soak) bySocket(ctx context.Context, do func(context.Context, *web.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	api, err := s.api(ctx)
	if err != nil {
		return err
	}
	return do(ctx, api)
}

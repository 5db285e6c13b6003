package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
)

// RenameConsole implements api.Page.
func (s *server) RenameConsole(ctx context.Context, host, name string) error {
	u, err := s.findKept(ctx, host)
	if err != nil {
		return err
	}
	return u.tv.Rename(name)
}

// OrderTitles implements api.Page.
func (s *server) OrderTitles(ctx context.Context, host string, ids []string) error {
	u, err := s.findKept(ctx, host)
	if err != nil {
		return err
	}
	return u.tv.SetOrder(ids)
}

// Test implements api.Page. It closes an open session first, which may belong to
// another user.
func (s *server) Test(ctx context.Context, host string) error {
	u, err := s.findPS4(ctx, host)
	if err != nil {
		return err
	}
	if err := u.tv.WithoutSession(ctx, func(context.Context) error { return nil }); err != nil {
		return err
	}
	return u.tv.WithSession(ctx, func(context.Context, accessory.Session) error { return nil })
}

// SetupURI implements api.Page.
func (s *server) SetupURI(ctx context.Context, host string) (string, error) {
	name, hap, err := s.offered(ctx, host)
	if err != nil {
		return "", err
	}
	info := hap.Info()
	if info.Paired {
		return "", &api.Error{Code: "paired", Message: name + " is paired already", Hint: "Remove it in the Home app first."}
	}
	return info.SetupURI, nil
}

// offered returns the name and the HAP server of a console, or of the companion
// bridge.
func (s *server) offered(ctx context.Context, host string) (string, *hapserver.Server, error) {
	if c := s.companion.Load(); c != nil && strings.EqualFold(host, state.Companion) {
		return c.Name(), c.hap, nil
	}
	u, err := s.find(ctx, host)
	switch {
	case err != nil:
		return "", nil, err
	case u.hap == nil:
		return "", nil, &api.Error{Code: "not_offered", Message: u.name + " is not offered to HomeKit"}
	}
	return u.tv.Snapshot().Name, u.hap, nil
}

// coverTime is how long Cover waits for a cover that is not cached. A cover that
// arrives later is there the next time.
const coverTime = 3 * time.Second

// Cover implements api.Page.
func (s *server) Cover(ctx context.Context, titleID string, size int) (api.Picture, error) {
	none := &api.Error{Code: "not_found", Message: "this title has no cover"}
	if s.art == nil {
		return api.Picture{}, none
	}
	img, ok := s.art.Cached(ctx, titleID, artcache.Size(size))
	if !ok {
		ctx, cancel := context.WithTimeout(ctx, coverTime)
		defer cancel()
		var err error
		img, err = s.art.Cover(ctx, titleID, artcache.Size(size))
		switch {
		case errors.Is(err, artcache.ErrSize):
			return api.Picture{}, &api.Error{Code: "bad_request", Message: "size must be 0 (original), 96 or 256"}
		case err != nil:
			s.Log.WithField("part", "art").WithError(err).Debug("no cover")
			return api.Picture{}, none
		}
	}
	return api.Picture{Data: img.Data, Type: img.Type, ETag: img.ETag}, nil
}

// Settings implements api.Page. Flags override every other source.
func (s *server) Settings() []api.Setting {
	latest := s.latest.Load()
	flags := map[string]string{"log.level": s.Config.Log.Level, "log.format": s.Config.Log.Format}
	waits := waiting(s.Config, latest)
	var list []api.Setting
	for _, setting := range latest.Settings() {
		shown := api.Setting{Key: setting.Key, Value: setting.Value, Source: setting.Source, Waits: slices.Contains(waits, setting.Key)}
		if value, is := flags[setting.Key]; is && value != shown.Value && !shown.Waits {
			shown.Value, shown.Source = value, "command line"
		}
		list = append(list, shown)
	}
	return list
}

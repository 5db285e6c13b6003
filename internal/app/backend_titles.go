package app

import (
	"context"
	"errors"
	"strings"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
)

// Ids of the two fixed inputs.
const (
	homeScreenID = "HOME"
	otherID      = "OTHER"
)

// Titles implements api.Backend.
func (s *server) Titles(ctx context.Context, host string) ([]api.Title, error) {
	u, err := s.findPS4(ctx, host)
	if err != nil {
		return nil, err
	}
	return u.titles(), nil
}

func (u *unit) titles() []api.Title {
	list := []api.Title{}
	for _, in := range u.tv.Snapshot().Inputs {
		list = append(list, api.Title{
			ID: inputID(in), Name: in.Name, Title: in.Title, Identifier: in.Identifier,
			Configured: in.Configured, Pinned: in.Pinned, Hidden: in.Hidden, Renamed: in.Renamed, LastPlayed: in.LastPlayed,
		})
	}
	return list
}

func inputID(in accessory.Input) string {
	switch {
	case in.TitleID != "":
		return in.TitleID
	case in.Identifier == 1:
		return homeScreenID
	}
	return otherID
}

// AddTitle implements api.Backend.
func (s *server) AddTitle(ctx context.Context, host, id, name string) error {
	return s.editTitles(ctx, host, id, func(tv *accessory.Television, _ string) error { return tv.AddTitle(id, name) })
}

// RenameTitle implements api.Backend.
func (s *server) RenameTitle(ctx context.Context, host, id, name string) error {
	return s.editTitles(ctx, host, id, func(tv *accessory.Television, id string) error { return tv.RenameTitle(id, name) })
}

// HideTitle implements api.Backend.
func (s *server) HideTitle(ctx context.Context, host, id string, hide bool) error {
	return s.editTitles(ctx, host, id, func(tv *accessory.Television, id string) error { return tv.HideTitle(id, hide) })
}

// PinTitle implements api.Backend.
func (s *server) PinTitle(ctx context.Context, host, id string, pin bool) error {
	return s.editTitles(ctx, host, id, func(tv *accessory.Television, id string) error { return tv.PinTitle(id, pin) })
}

// ForgetTitle implements api.Backend.
func (s *server) ForgetTitle(ctx context.Context, host, id string) error {
	return s.editTitles(ctx, host, id, func(tv *accessory.Television, id string) error { return tv.ForgetTitle(id) })
}

// editTitles calls edit with the id of an input, given by id or name.
func (s *server) editTitles(ctx context.Context, host, title string, edit func(tv *accessory.Television, id string) error) error {
	u, err := s.findKept(ctx, host)
	if err != nil {
		return err
	}
	id := strings.ToUpper(title)
	if named, err := u.titleID(title); err == nil {
		id = named
	}
	err = edit(u.tv, id)
	if errors.Is(err, accessory.ErrNoSuchInput) && (id == homeScreenID || id == otherID) {
		return &api.Error{Code: "not_found", Message: id + " is a fixed input", Hint: "Hide it in Home with ps4kit titles hide " + id + "."}
	}
	return err
}

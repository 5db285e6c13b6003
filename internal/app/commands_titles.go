package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/internal/titles"
	"github.com/ps4kit/ps4kit/ps4"
)

// Ids of the two fixed inputs.
const (
	homeScreenID = "HOME"
	otherID      = "OTHER"
)

func (c *commands) Titles(ctx context.Context, in api.HostRequest) ([]api.Title, error) {
	u, err := c.registry.find(ctx, in.Host)
	if err != nil {
		return nil, err
	}
	list := []api.Title{}
	for _, in := range u.tv.Snapshot().Inputs {
		list = append(list, api.Title{
			ID: inputID(in), Name: in.Name, Title: in.Title, Identifier: in.Identifier,
			Configured: in.Configured, Pinned: in.Pinned, Hidden: in.Hidden, Renamed: in.Renamed, Missing: in.Missing, LastPlayed: in.LastPlayed,
		})
	}
	return list, nil
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

func (c *commands) AddTitle(ctx context.Context, in api.AddTitleRequest) error {
	u, err := c.registry.findKept(ctx, in.Host)
	if err != nil {
		return err
	}
	title, err := titles.Find(in.ID, c.config.Art.Country)
	if err != nil && u.tv.Can().Titles {
		return err
	}
	if err := u.tv.AddTitle(title.ID, in.Name); err != nil || title.Name == "" {
		return err
	}
	_, err = u.tv.ImportTitles([]accessory.ImportedTitle{{ID: title.ID, Name: title.Name}}, false)
	return err
}

func (c *commands) ImportTitles(ctx context.Context, in api.ImportTitlesRequest) (api.Imported, error) {
	u, err := c.registry.findKept(ctx, in.Host)
	if err != nil {
		return api.Imported{}, err
	}
	var imported []accessory.ImportedTitle
	for _, t := range in.Titles {
		id, err := ps4.FindTitleID(t.ID)
		if err != nil {
			return api.Imported{}, err
		}
		imported = append(imported, accessory.ImportedTitle{ID: id, Name: text.Name(t.Name), LastPlayed: t.LastPlayed})
	}
	done, err := u.tv.ImportTitles(imported, in.DryRun)
	for i, t := range in.Titles {
		id := imported[i].ID
		if err == nil && !in.DryRun && t.ImageURL != "" && c.art.cache != nil && !slices.Contains(done.NoSlot, id) {
			c.art.cache.Suggest(id, t.ImageURL)
		}
	}
	return api.Imported{Added: orNone(done.Added), Known: orNone(done.Known), NoSlot: orNone(done.NoSlot)}, err
}

// orNone returns a list that is [] in JSON if it is empty.
func orNone(ids []string) []string { return append([]string{}, ids...) }

func (c *commands) ChangeTitle(ctx context.Context, in api.ChangeTitleRequest) error {
	return c.editTitles(ctx, in.Host, in.ID, func(tv *accessory.Television, id string) error {
		switch {
		case in.Name != nil:
			return tv.RenameTitle(id, *in.Name)
		case in.Hidden != nil:
			return tv.HideTitle(id, *in.Hidden)
		}
		return tv.PinTitle(id, *in.Pinned)
	})
}

func (c *commands) ForgetTitle(ctx context.Context, in api.TitleRequest) error {
	return c.editTitles(ctx, in.Host, in.ID, (*accessory.Television).ForgetTitle)
}

// editTitles calls edit with the id of an input, given by id or name.
func (c *commands) editTitles(ctx context.Context, host, title string, edit func(tv *accessory.Television, id string) error) error {
	u, err := c.registry.findKept(ctx, host)
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

// titleID returns the id of a title, given by id or by the name of an input; that
// of the home screen is HOME.
func (u *unit) titleID(title string) (string, error) {
	var ids []string
	for _, in := range u.tv.Snapshot().Inputs {
		id := inputID(in)
		switch {
		case id == otherID: // nothing to start
		case strings.EqualFold(id, title):
			return id, nil
		case strings.EqualFold(in.Name, title) || in.Title != "" && strings.EqualFold(in.Title, title):
			ids = append(ids, id)
		}
	}
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) > 1:
		return "", &api.Error{Code: "ambiguous", Message: "several titles have the name " + title + ": " + strings.Join(ids, ", "),
			Hint: "Give the title id."}
	}
	id, err := ps4.FindTitleID(title)
	if errors.Is(err, ps4.ErrNoTitleID) {
		return "", &api.Error{Code: "not_found", Message: "no title is known as " + title,
			Hint: "Give its id, like CUSA00129, or its PS Store address, or see ps4kit titles."}
	}
	return id, err
}

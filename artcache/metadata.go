package artcache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Info is what is known of a title.
type Info struct {
	ID            string `json:"title_id"` // CUSA00129
	Names         []Name `json:"names"`    // the one without language is the main one
	Icons         []Icon `json:"icons,omitempty"`
	Background    string `json:"background,omitempty"` // address of an image
	Pronunciation string `json:"pronunciation,omitempty"`
	Music         string `json:"music,omitempty"`
	ContentID     string `json:"content_id,omitempty"` // UP1004-CUSA03041_00-REDEMPTION000002
	Category      string `json:"category,omitempty"`   // "gd" is a game; the store's own are like "APP"
	Console       string `json:"console,omitempty"`    // "PS4"
	ParentalLevel int    `json:"parental_level"`
	Revision      int    `json:"revision"`
	PatchRevision int    `json:"patch_revision"`
	FormatVersion int    `json:"format_version"`
	FromStore     bool   `json:"from_store"` // the title container, because there is no metadata
}

// A Name is a title's name in a language.
type Name struct {
	Text     string `json:"name"`
	Language string `json:"language,omitempty"` // "en", "pt-BR"; empty for the main name
}

// An Icon is the address of a cover.
type Icon struct {
	URL  string `json:"url"`
	Type string `json:"type,omitempty"` // "512x512"
}

// metadataWire is the metadata document as its source writes it.
type metadataWire struct {
	Revision      int        `json:"revision"`
	PatchRevision int        `json:"patchRevision"`
	FormatVersion int        `json:"formatVersion"`
	TitleID       string     `json:"npTitleId"`
	Console       string     `json:"console,omitempty"`
	Names         []nameWire `json:"names"`
	Icons         []iconWire `json:"icons,omitempty"`
	ParentalLevel int        `json:"parentalLevel"`
	Pronunciation string     `json:"pronunciation,omitempty"`
	ContentID     string     `json:"contentId,omitempty"`
	Background    string     `json:"backgroundImage,omitempty"`
	Music         string     `json:"bgm,omitempty"`
	Category      string     `json:"category,omitempty"`
}

type nameWire struct {
	Name string `json:"name"`
	Lang string `json:"lang,omitempty"`
}

type iconWire struct {
	Icon string `json:"icon"`
	Type string `json:"type,omitempty"`
}

// maxList is the most names, icons, packages and the like in a document.
const maxList = 1024

// ParseMetadata reads a title metadata document. Strings come out safe to print;
// an empty name or icon is left out.
func ParseMetadata(data []byte) (*Info, error) {
	var w metadataWire
	if err := decodeJSON(data, &w); err != nil {
		return nil, err
	}
	id, err := ParseTitleID(w.TitleID)
	if err != nil || len(w.Names) > maxList || len(w.Icons) > maxList {
		return nil, fmt.Errorf("%w: no title metadata", ErrMalformed)
	}
	info := &Info{
		ID: id, Background: w.Background, Pronunciation: w.Pronunciation, Music: w.Music, ContentID: w.ContentID,
		Category: w.Category, Console: w.Console, ParentalLevel: w.ParentalLevel,
		Revision: w.Revision, PatchRevision: w.PatchRevision, FormatVersion: w.FormatVersion,
	}
	cleanAll(&info.Background, &info.Pronunciation, &info.Music, &info.ContentID, &info.Category, &info.Console)
	for _, n := range w.Names {
		if text := clean(n.Name); text != "" {
			info.Names = append(info.Names, Name{Text: text, Language: clean(n.Lang)})
		}
	}
	for _, i := range w.Icons {
		if address := clean(i.Icon); address != "" {
			info.Icons = append(info.Icons, Icon{URL: address, Type: clean(i.Type)})
		}
	}
	if len(info.Names) == 0 {
		return nil, fmt.Errorf("%w: a title without a name", ErrMalformed)
	}
	return info, nil
}

// FormatMetadata writes the document that ParseMetadata reads.
func FormatMetadata(i *Info) []byte {
	w := metadataWire{
		Revision: i.Revision, PatchRevision: i.PatchRevision, FormatVersion: i.FormatVersion,
		TitleID: i.ID + "_00", Console: i.Console, ParentalLevel: i.ParentalLevel, Pronunciation: i.Pronunciation,
		ContentID: i.ContentID, Background: i.Background, Music: i.Music, Category: i.Category,
	}
	for _, n := range i.Names {
		w.Names = append(w.Names, nameWire{Name: n.Text, Lang: n.Language})
	}
	for _, icon := range i.Icons {
		w.Icons = append(w.Icons, iconWire{Icon: icon.URL, Type: icon.Type})
	}
	data, _ := json.Marshal(w) // strings and numbers alone: cannot fail
	return data
}

// Name returns the title's name in a language such as "en" or "pt-BR" or, with
// the country, "pt" and "br": the exact one, that of the language, that of the
// language in another country, English, the main one, any.
func (i *Info) Name(language, country string) string {
	base := baseLanguage(language)
	best, rank := "", 0
	for _, n := range i.Names {
		if r := nameRank(n.Language, language, base, country); r > rank {
			best, rank = n.Text, r
		}
	}
	return best
}

func nameRank(have, language, base, country string) int {
	switch {
	case have == "":
		return 2
	case strings.EqualFold(have, base+"-"+country):
		return 7
	case strings.EqualFold(have, language):
		return 6
	case strings.EqualFold(have, base):
		return 5
	case strings.EqualFold(baseLanguage(have), base):
		return 4
	case strings.EqualFold(have, "en"):
		return 3
	}
	return 1
}

func baseLanguage(language string) string {
	base, _, _ := strings.Cut(language, "-")
	return base
}

// isLanguage reports whether s is as "en" or "pt-BR".
func isLanguage(s string) bool {
	base, region, long := strings.Cut(s, "-")
	return isCode(base) && (!long || isCode(strings.ToLower(region)))
}

// Info returns what is known of a title: its metadata or, where there is none,
// what the PS Store's title container says. Errors: those of this package, or
// that of ctx.
func (c *Cache) Info(ctx context.Context, titleID string) (*Info, error) {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return nil, err
	}
	info, err := document(ctx, c, c.metadataResource(id), metadataOf(id))
	if err == nil {
		return info, nil
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrMalformed) {
		if p, storeErr := c.Container(ctx, id); storeErr == nil {
			return p.info(id), nil
		} else if errors.Is(storeErr, ErrUnavailable) {
			err = storeErr // not a final answer yet
		}
	}
	return nil, err
}

func (c *Cache) metadataResource(id string) resource {
	return resource{
		key: "info/" + id, url: MetadataAddress(id), accept: "application/json", fresh: freshInfo,
		describe: c.describeMetadata,
	}
}

func (c *Cache) describeMetadata(body []byte) *brief {
	info, err := ParseMetadata(body)
	if err != nil {
		return nil
	}
	return c.briefOf(info)
}

// metadataOf parses metadata, of that very title.
func metadataOf(id string) func([]byte) (*Info, error) {
	return func(data []byte) (*Info, error) {
		info, err := ParseMetadata(data)
		if err == nil && info.ID != id {
			return nil, fmt.Errorf("%w: metadata of another title", ErrMalformed)
		}
		return info, err
	}
}

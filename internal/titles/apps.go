package titles

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// ListURL is the address of a public list of title ids.
const ListURL = "https://serialstation.com/titles"

// Regions of the PS Store. A media app has an id of its own in each.
const (
	americas = "us"
	europe   = "eu" // with Africa, India, the Middle East and Oceania
	japan    = "jp"
	asia     = "asia" // no id is known
)

// An App is a media app with its title ids by region.
type App struct {
	Name string
	ids  map[string]string
}

// ID returns the app's title id in a country, given by its code of two letters
// ("de"). It returns "" if none is known.
func (a App) ID(country string) string { return a.ids[region(country)] }

// Apps returns the media apps that people start by voice, by name. A comment names
// the source of each id and its region. Public lists also have CUSA00095
// (Crunchyroll), CUSA03285 (Twitch) and CUSA15607 (Disney+), but no region.
//
//   - SmartHomeHub: github.com/yamamoWorks/SmartHomeHub README.md, with the store
//     address of each
//   - ps4-waker: github.com/dhleong/ps4-waker issue 14
//   - shadPS4: github.com/shadps4-compatibility/shadps4-game-compatibility, the
//     issue with that number
//   - pyps4: github.com/ktnrg45/pyps4-2ndscreen pyps4_2ndscreen/media_art.py
//   - psx-download-helper: github.com/harryi3t/psx-download-helper-nodejs README.md,
//     with the content id
//   - Home Assistant: the .ps4-games.json of that GitHub repository, with the
//     store address
func Apps() []App {
	return []App{
		{"BBC iPlayer", map[string]string{
			europe: "CUSA00122", // Home Assistant: nadnerb33/Home-AssistantConfig
		}},
		{"Hulu", map[string]string{
			americas: "CUSA00131", // shadPS4: 1560
		}},
		{"Netflix", map[string]string{
			americas: "CUSA00129", // SmartHomeHub
			europe:   "CUSA00127", // SmartHomeHub
			japan:    "CUSA02988", // SmartHomeHub
		}},
		{"Plex", map[string]string{
			americas: "CUSA01850", // ps4-waker
			europe:   "CUSA01703", // ps4-waker
		}},
		{"Prime Video", map[string]string{
			americas: "CUSA00130", // SmartHomeHub
			europe:   "CUSA00126", // SmartHomeHub
			japan:    "CUSA03099", // SmartHomeHub
		}},
		{"Spotify", map[string]string{
			americas: "CUSA01780", // pyps4, Home Assistant: kbrohkahn/myhomeassistant
			europe:   "CUSA01780", // pyps4
		}},
		{"Twitch", map[string]string{
			europe: "CUSA03398", // psx-download-helper
		}},
		{"Viaplay", map[string]string{
			europe: "CUSA00124", // Home Assistant: J-Lindvig/Home-Assistant
		}},
		{"YouTube", map[string]string{
			americas: "CUSA01015", // SmartHomeHub
			europe:   "CUSA01116", // SmartHomeHub
			japan:    "CUSA01065", // SmartHomeHub
		}},
	}
}

// Find returns the title that a user typed: by what [ps4.FindTitleID] accepts, or
// by the name of a media app, whose id depends on the country. Only a media app
// has a name. Find fails as FindTitleID does, or with [ErrNoID].
func Find(text, country string) (api.ImportTitle, error) {
	id, err := ps4.FindTitleID(text)
	if err == nil {
		title := api.ImportTitle{ID: id}
		for _, app := range Apps() {
			for _, known := range app.ids {
				if known == id {
					title.Name = app.Name
				}
			}
		}
		return title, nil
	}
	typed := fold(text)
	for _, app := range Apps() {
		name := fold(app.Name)
		if typed != name && typed != "amazon"+name {
			continue
		}
		if app.ID(country) == "" {
			return api.ImportTitle{}, fmt.Errorf("%w: %s in %.20q", ErrNoID, app.Name, country)
		}
		return api.ImportTitle{ID: app.ID(country), Name: app.Name}, nil
	}
	return api.ImportTitle{}, err
}

// ErrNoID means that the title id of a media app is not known in a country.
var ErrNoID error = &api.Error{
	Code: "bad_title_id", Message: "no title id of this app is known",
	Hint: "Give a country of two letters such as de, start the app on the console once, or give its title id or its PS Store address.",
}

func fold(name string) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(strings.ToLower(name))
}

// region returns the region of the PS Store to which a country belongs, or ""
// if the PS Store has no such country.
func region(country string) string {
	for _, r := range []struct{ name, countries string }{
		{americas, "us ca mx ar bo br cl co cr ec gt hn ni pa pe py sv uy"},
		{europe, "gb uk ie ae at au be bg bh ch cy cz de dk es fi fr gr hr hu il in is it kw lb lu mt nl no nz om pl pt qa ro ru sa se si sk tr ua za"},
		{japan, "jp"},
		{asia, "hk id kr my sg th tw cn ph vn"},
	} {
		if slices.Contains(strings.Fields(r.countries), strings.ToLower(country)) {
			return r.name
		}
	}
	return ""
}

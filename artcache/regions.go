package artcache

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Region is a country of the PS Store.
type Region struct {
	Name     string `json:"name"`     // "United States"; R1 to R5 are old names
	Language string `json:"language"` // two small letters: "en"
	Country  string `json:"country"`  // two small letters: "us"
}

// Regions returns the regions of the PS Store by name: the table of
// pyps4-2ndscreen with its spelling (docs/protocol.md §8).
//
//nolint:misspell // as it came
func Regions() []Region {
	return []Region{
		{"Argentina", "en", "ar"}, {"Australia", "en", "au"}, {"Austria", "de", "at"}, {"Bahrain", "en", "ae"},
		{"Belgium", "fr", "be"}, {"Brazil", "en", "br"}, {"Bulgaria", "en", "bg"}, {"Canada", "en", "ca"},
		{"Chile", "en", "cl"}, {"Columbia", "en", "co"}, {"Costa Rica", "es", "cr"}, {"Croatia", "en", "hr"},
		{"Cyprus", "en", "cy"}, {"Czech Republic", "en", "cz"}, {"Denmark", "en", "dk"},
		{"Ecuador", "es", "ec"}, {"El Salvador", "es", "sv"}, {"Finland", "en", "fi"}, {"France", "fr", "fr"},
		{"Germany", "de", "de"}, {"Greece", "en", "gr"}, {"Guatemala", "es", "gt"}, {"Honduras", "es", "hn"},
		{"Hong Kong", "en", "hk"}, {"Hungary", "en", "hu"}, {"Iceland", "en", "is"}, {"India", "en", "in"},
		{"Indonesia", "en", "id"}, {"Ireland", "en", "ie"}, {"Israel", "en", "il"}, {"Italy", "it", "it"},
		{"Japan", "ja", "jp"}, {"Korea", "ko", "kr"}, {"Kuwait", "en", "ae"}, {"Lebanon", "en", "ae"},
		{"Luxembourg", "de", "lu"}, {"Malta", "en", "mt"}, {"Maylasia", "en", "my"}, {"Mexico", "en", "mx"},
		{"Middle East", "en", "ae"}, {"Nederland", "nl", "nl"}, {"New Zealand", "en", "nz"},
		{"Nicaragua", "es", "ni"}, {"Norway", "en", "no"}, {"Oman", "en", "ae"}, {"Panama", "es", "pa"},
		{"Peru", "en", "pe"}, {"Poland", "en", "pl"}, {"Portugal", "pt", "pt"}, {"Qatar", "en", "ae"},
		{"R1", "en", "us"}, {"R2", "en", "gb"}, {"R3", "en", "hk"}, {"R4", "en", "au"}, {"R5", "en", "in"},
		{"Romania", "en", "ro"}, {"Russia", "ru", "ru"}, {"Saudi Arabia", "en", "sa"},
		{"Singapore", "en", "sg"}, {"Slovakia", "en", "sk"}, {"Slovenia", "en", "si"},
		{"South Africa", "en", "za"}, {"Spain", "es", "es"}, {"Sweden", "en", "se"},
		{"Switzerland", "de", "ch"}, {"Taiwan", "en", "tw"}, {"Thailand", "en", "th"}, {"Turkey", "en", "tr"},
		{"Ukraine", "ru", "ua"}, {"United Arab Emirates", "en", "ae"}, {"United Kingdom", "en", "gb"},
		{"United States", "en", "us"},
	}
}

// FindRegion returns a region by its name in any case ("Germany", "R1") or its
// country code ("de"), and ErrAddress if there is none.
//
//nolint:misspell // as the table has them
func FindRegion(name string) (Region, error) {
	name = strings.TrimSpace(name)
	usual := map[string]string{
		"colombia": "Columbia", "malaysia": "Maylasia", "netherlands": "Nederland", "the netherlands": "Nederland",
		"south korea": "Korea", "uk": "United Kingdom", "usa": "United States",
	}
	name = cmp.Or(usual[strings.ToLower(name)], name)
	all := Regions()
	at := slices.IndexFunc(all, func(r Region) bool { return strings.EqualFold(r.Name, name) })
	if at < 0 {
		at = slices.IndexFunc(all, func(r Region) bool { return len(r.Name) > 2 && strings.EqualFold(r.Country, name) }) // not R1
	}
	if at < 0 {
		return Region{}, fmt.Errorf("%w: no region %.40q in the PS Store's table", ErrAddress, name)
	}
	return all[at], nil
}

// storeRegions returns where to look in the store: the configured region, the
// language that the table has for its country, the United States.
func storeRegions(language, country string) (list []Region) {
	all := []Region{{"", baseLanguage(language), country}}
	if r, err := FindRegion(country); err == nil {
		all = append(all, Region{"", r.Language, r.Country})
	}
	for _, r := range append(all, Region{"", "en", "us"}) {
		if !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return list
}

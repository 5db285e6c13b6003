package config

import "maps"

// Sources of settings besides files, variables and flags.
const (
	SourceDefault = "default"
	SourcePage    = "page" // set on the web page
)

// PageKey reports whether the web page can set a key.
func PageKey(key string) bool { return key != "log.format" && new(raw).field(key) != nil }

// field returns the value of a key that the page or a flag can set, or nil.
func (r *raw) field(key string) *string {
	return map[string]*string{
		"poll.interval":     &r.Poll.Interval,
		"companion.enabled": &r.Companion.Enabled,
		"art.country":       &r.Art.Country,
		"art.language":      &r.Art.Language,
		"log.level":         &r.Log.Level,
		"log.format":        &r.Log.Format,
		"updates.check":     &r.Updates.Check,
	}[key]
}

// WithPage returns the configuration with the settings of the web page, in place
// of earlier ones. Keys that are set elsewhere keep their values. It returns an
// *Error if a value is invalid or the page can't set its key.
func (c *Config) WithPage(values map[string]string) (*Config, error) {
	if c.base != nil {
		c = c.base
	}
	if len(values) == 0 {
		return c, nil
	}
	r, p := c.copied()
	for key, value := range values {
		if !PageKey(key) {
			p.addAt(place{Source: SourcePage}, key, "can't be set on the page")
		} else if _, elsewhere := p.places[key]; !elsewhere {
			*r.field(key), p.places[key] = value, place{Source: SourcePage}
		}
	}
	page, err := validate(r, p)
	if err != nil {
		return nil, err
	}
	page.base = c
	return page, nil
}

// WithFlag returns the configuration with a value that a flag of the command
// line gives to log.level or log.format.
func (c *Config) WithFlag(flag, key, value string) (*Config, error) {
	r, p := c.copied()
	*r.field(key), p.places[key] = value, place{Source: flag}
	return validate(r, p)
}

// copied returns what c was made of, to add to.
func (c *Config) copied() (raw, *problems) {
	r, places := c.written()
	return r, &problems{file: c.File, places: maps.Clone(places)}
}

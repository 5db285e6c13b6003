package config_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/config"
)

// TestPrecedence gives one key to every source, from the lowest to the highest.
func TestPrecedence(t *testing.T) { // not parallel: sets a variable
	level := func(c *config.Config) [2]string {
		for _, s := range c.Settings() {
			if s.Key == "log.level" {
				return [2]string{c.Log.Level, s.Source}
			}
		}
		return [2]string{}
	}
	check := func(c *config.Config, want ...string) {
		t.Helper()
		if got := level(c); got != [2]string(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	page := map[string]string{"log.level": "debug"}
	none, file := mustLoad(t, ""), mustLoad(t, "log: {level: warn}\n")
	check(none, "info", "default")
	check(withPage(t, none, page), "debug", config.SourcePage)
	check(withPage(t, file, page), "warn", file.File+":1")
	t.Setenv("PS4KIT_LOG_LEVEL", "error")
	check(withPage(t, mustLoad(t, "log: {level: warn}\n"), page), "error", "PS4KIT_LOG_LEVEL")
	flag, err := file.WithFlag("--debug", "log.level", "debug")
	if err != nil {
		t.Fatal(err)
	}
	check(withPage(t, flag, map[string]string{"log.level": "info"}), "debug", "--debug")
}

func withPage(t *testing.T, c *config.Config, values map[string]string) *config.Config {
	t.Helper()
	page, err := c.WithPage(values)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestPageReplacesPage sets every key of the page, and then none.
func TestPageReplacesPage(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"poll.interval": "7s", "companion.enabled": "true", "art.country": "GB", "art.language": "en",
		"log.level": "debug", "updates.check": "false",
	}
	base := mustLoad(t, "poll: {misses: 5}\n")
	for _, s := range base.Settings() {
		if _, set := values[s.Key]; set != config.PageKey(s.Key) {
			t.Errorf("%s can be set on the page: %t, want %t", s.Key, config.PageKey(s.Key), set)
		}
	}
	first := withPage(t, base, maps.Clone(values))
	if first.Poll != (config.Poll{Interval: 7 * time.Second, Misses: 5}) || !first.Companion.Enabled || first.Art.Country != "gb" ||
		first.Art.Language != "en" || first.Log.Level != "debug" || first.Updates.Check {
		t.Errorf("%+v", first)
	}
	if again := withPage(t, first, nil); again.Poll.Interval != time.Second || again.Log.Level != "info" || !again.Updates.Check {
		t.Errorf("without settings: %+v", again)
	}
	if base.Poll.Interval != time.Second {
		t.Error("the original has changed")
	}
}

// TestBadPage checks that the page's values are validated as those of a file.
func TestBadPage(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"poll.interval": `page: poll.interval: "x" is not a duration: write a number and a unit, such as 500ms, 30s or 5m`,
		"log.level":     `page: log.level: "x" is unknown: use one of trace, debug, info, warn, error`,
		"art.country":   `page: art.country: "x" is not a code of two letters, such as us`,
		"web.listen":    `page: web.listen: can't be set on the page`,
		"log.format":    `page: log.format: can't be set on the page`,
	} {
		_, err := mustLoad(t, "").WithPage(map[string]string{key: "x"})
		var all *config.Error
		if !errors.As(err, &all) || err.Error() != want {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
}

package app

import (
	"context"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/config"
)

// followConfig takes in each new configuration until ctx is done: the titles and the
// remote control of every console. Nobody's connection ends for that, and no input
// changes its place. What else is new waits for the next start, and the log says so.
func (s *server) followConfig(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-s.Reload:
			s.reconfigure(c)
			if keys := waiting(s.latest.Swap(c), c); len(keys) > 0 {
				s.Log.WithField("keys", strings.Join(keys, ", ")).Warn("these changes of the configuration wait for the next start")
			}
		}
	}
}

// reconfigure edits the televisions. One that does not take its new titles keeps the
// old ones.
func (s *server) reconfigure(c *config.Config) {
	for _, u := range s.list() {
		k := u.known
		k.config = s.entryOf(c, u)
		log := s.Log.WithField("console", k.name)
		if err := u.tv.Configure(titlesOf(k), accessory.Remote(k.config.Remote)); err != nil {
			log.WithError(err).Error("the new titles and remote control of this console cannot be used")
			continue
		}
		log.Debug("titles and remote control are as configured now")
	}
}

// entryOf returns the entry of config.yaml that means a console, or zero.
func (s *server) entryOf(c *config.Config, u *unit) config.Console {
	remembered := s.files.consoles()
	i := slices.IndexFunc(c.Consoles, func(e config.Console) bool {
		return e.HostID == u.hostID || e.HostID == "" && boundTo(e, remembered) == u.hostID
	})
	if i < 0 {
		return config.Console{}
	}
	return c.Consoles[i]
}

// waiting lists the keys that differ and are not taken in while the server runs.
func waiting(before, after *config.Config) []string {
	was := map[string]string{}
	for _, setting := range before.Settings() {
		was[setting.Key] = setting.Value
	}
	var keys []string
	for _, setting := range after.Settings() {
		inConsole := strings.HasPrefix(setting.Key, "consoles[")
		live := inConsole && (strings.Contains(setting.Key, "].titles") || strings.Contains(setting.Key, "].remote"))
		if was[setting.Key] != setting.Value && !live {
			keys = append(keys, setting.Key)
		}
	}
	return keys
}

package app

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
)

// followConfig applies each new configuration until ctx is done.
func (s *server) followConfig(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-s.Reload:
			s.configuring.Lock()
			s.apply(s.files.withPage(c))
			s.configuring.Unlock()
		}
	}
}

// apply applies a configuration: the titles and the remote control of every
// console, without closing connections or moving inputs, the log level, and the
// check for updates. Other changes are logged and wait for the next start.
func (s *server) apply(c *config.Config) {
	s.registry.meeting.Lock() // a console that is taken in has the titles of before or after
	before := s.latest.Swap(c)
	for _, u := range s.registry.list() {
		log := s.log.WithField("console", u.name)
		if err := u.tv.Configure(s.registry.live(c, u.known)); err != nil {
			log.WithError(err).Error("cannot apply the new titles and remote control of this console")
			continue
		}
		log.Debug("titles and remote control are as configured now")
	}
	s.registry.meeting.Unlock()
	setLogLevel(s.log, c)
	if keys := waiting(before, c); len(keys) > 0 {
		s.log.WithField("keys", strings.Join(keys, ", ")).Warn("these changes of the configuration wait for the next start")
	}
	s.events.Changed()
}

// SetSetting is part of page.
func (s *server) SetSetting(_ context.Context, in api.SettingRequest) error {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	latest := s.latest.Load()
	if !config.PageKey(in.Key) {
		return &api.Error{Code: api.CodeNotFound, Message: "the page has no setting " + strconv.Quote(in.Key)}
	}
	for _, setting := range latest.Settings() {
		if setting.Key == in.Key && !editable(setting) {
			return &api.Error{Code: "config", Message: in.Key + " is set in " + setting.Source, Hint: "Change it there, or remove it."}
		}
	}
	var changed *config.Config
	err := s.files.store.Settings().Update(func(values map[string]string) (map[string]string, error) {
		if values == nil {
			values = map[string]string{}
		}
		if delete(values, in.Key); in.Value != nil {
			values[in.Key] = *in.Value
		}
		var err error
		changed, err = latest.WithPage(values)
		if wrong, ok := errors.AsType[*config.Error](err); ok {
			return nil, &api.Error{Code: "config", Message: wrong.Problems[0].Message, Err: err}
		}
		return values, err
	})
	if err == nil {
		s.apply(changed)
	}
	return err
}

// editable reports whether the page can change a setting.
func editable(s config.Setting) bool {
	return config.PageKey(s.Key) && (s.Source == config.SourceDefault || s.Source == config.SourcePage)
}

// setLogLevel applies log.level.
func setLogLevel(log *logrus.Logger, c *config.Config) {
	if level, err := logrus.ParseLevel(c.Log.Level); err == nil {
		log.SetLevel(level)
	}
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
		live := inConsole && (strings.Contains(setting.Key, "].titles") || strings.Contains(setting.Key, "].remote")) ||
			setting.Key == "log.level" || strings.HasPrefix(setting.Key, "updates.")
		if was[setting.Key] != setting.Value && !live {
			keys = append(keys, setting.Key)
		}
	}
	return keys
}

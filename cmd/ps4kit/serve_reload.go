package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/config"
)

// watchEvery is how often the configuration file is checked. It is read once it
// hasn't changed for that long: an editor may save it in pieces.
const watchEvery = 2 * time.Second

// configWatch delivers the configuration to out when its file has changed, or at
// each signal of hangup. It logs and skips an invalid one.
type configWatch struct {
	file   string // empty: none was read, and SIGHUP looks for one
	hangup <-chan os.Signal
	load   func() (*config.Config, error)
	log    logrus.FieldLogger
	out    chan *config.Config
}

// edition returns a text that changes with the file, or "" if there is none.
func (w *configWatch) edition() string {
	info, err := os.Stat(w.file)
	if w.file == "" || err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}

func (w *configWatch) run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	loaded := w.edition()
	seen := loaded
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.hangup:
			loaded = w.edition()
			w.reload(ctx)
		case <-tick.C:
			before := seen
			seen = w.edition()
			if seen == before && seen != loaded && seen != "" {
				loaded = seen
				w.reload(ctx)
			}
		}
	}
}

func (w *configWatch) reload(ctx context.Context) {
	c, err := w.load()
	if err != nil {
		w.log.WithError(err).Error("the new configuration is invalid; the previous one stays in use")
		return
	}
	select {
	case w.out <- c:
		w.log.Info("reloaded the configuration")
	case <-ctx.Done():
	}
}

package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/config"
)

const (
	watchEvery  = 3 * time.Second // how often the configuration file is looked at
	watchStable = time.Second     // how long it has to stay as it is: an editor may save it in pieces
)

// watchConfig returns a channel that brings the configuration when its file has
// changed, or at SIGHUP. One that cannot be used is logged, and the last one holds.
func (p *program) watchConfig(ctx context.Context, file string, log logrus.FieldLogger) (<-chan *config.Config, func()) {
	ctx, cancel := context.WithCancel(ctx)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	w := &configWatch{file: file, hangup: hangup, load: p.configuration, log: log, out: make(chan *config.Config)}
	var running sync.WaitGroup
	running.Go(func() { w.run(ctx) })
	return w.out, func() {
		signal.Stop(hangup)
		cancel()
		running.Wait()
	}
}

// configWatch follows the configuration file.
type configWatch struct {
	file   string // empty: none was read, and SIGHUP looks for one
	hangup <-chan os.Signal
	load   func() (*config.Config, error)
	log    logrus.FieldLogger
	out    chan *config.Config
}

// edition tells one content of a file from the next.
type edition struct {
	modified time.Time
	size     int64
}

func (w *configWatch) edition() edition {
	info, err := os.Stat(w.file)
	if w.file == "" || err != nil {
		return edition{}
	}
	return edition{info.ModTime(), info.Size()}
}

func (w *configWatch) run(ctx context.Context) {
	look := time.NewTimer(watchEvery)
	defer look.Stop()
	loaded := w.edition()
	seen := loaded
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.hangup:
			loaded = w.edition()
			w.reload(ctx)
		case <-look.C:
			before := seen
			seen = w.edition()
			if seen != before {
				look.Reset(watchStable)
				continue
			}
			if seen != loaded && seen != (edition{}) {
				loaded = seen
				w.reload(ctx)
			}
			look.Reset(watchEvery)
		}
	}
}

func (w *configWatch) reload(ctx context.Context) {
	c, err := w.load()
	if err != nil {
		w.log.WithError(err).Error("the configuration has changed and cannot be used; the last one holds")
		return
	}
	select {
	case w.out <- c:
		w.log.Info("the configuration was read again")
	case <-ctx.Done():
	}
}

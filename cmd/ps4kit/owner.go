package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
)

// server returns a client of the running server and the state directory. It
// fails with api.ErrNoServer if no server runs.
func (p *program) server(ctx context.Context) (c *api.Client, dir string, err error) {
	if dir, err = state.Find(p.stateDir); err != nil {
		return nil, "", err
	}
	c, err = api.Connect(ctx, app.SocketPath(dir))
	return c, dir, err
}

// local locks the state and returns a client of this process. release ends it.
func (p *program) local(dir string, override app.Override) (c *api.Client, release func(), err error) {
	cfg, err := p.configuration()
	if err != nil {
		return nil, nil, err
	}
	if p.logLevel == "" && !p.debug {
		cfg.Log.Level = "warn" // the command prints its result itself
	}
	store, err := p.openState(dir)
	if err != nil {
		return nil, nil, err
	}
	local, err := app.Stopped(cfg, store, p.logger(cfg), override)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return local.Client, func() { _, _ = local.Close(), store.Close() }, nil
}

// configuration loads the configuration with the settings made on the page, and
// applies the global flags. Every error has the code config, also if the file
// does not exist.
func (p *program) configuration() (*config.Config, error) {
	c, err := config.Load(p.configFile)
	level := strings.ToLower(p.logLevel)
	if level == "fatal" || level == "panic" {
		level = "error" // nothing is logged above it
	}
	flags := [][3]string{{"--log-level", "log.level", level}, {"--log-format", "log.format", p.logFormat}}
	if p.debug {
		flags = append(flags, [3]string{"--debug", "log.level", "debug"})
	}
	for _, f := range flags {
		if err == nil && f[2] != "" {
			c, err = c.WithFlag(f[0], f[1], f[2])
		}
	}
	if err != nil {
		return nil, &api.Error{Code: "config", Message: api.AsError(err).Message, Err: err}
	}
	if dir, err := state.Find(p.stateDir); err == nil {
		if page, err := c.WithPage(state.ReadSettings(dir)); err == nil {
			return page, nil
		}
	}
	return c, nil // the log of the server tells why it can't use the settings of the page
}

// logger returns the configured logger, which writes to stderr.
func (p *program) logger(c *config.Config) *logrus.Logger {
	log := logrus.New()
	log.SetOutput(p.stderr)
	if level, err := logrus.ParseLevel(c.Log.Level); err == nil {
		log.SetLevel(level)
	}
	if c.Log.Format == "json" {
		log.SetFormatter(&logrus.JSONFormatter{})
	} else {
		log.SetFormatter(&logrus.TextFormatter{DisableColors: !isTerminal(p.stderr), FullTimestamp: true})
	}
	return log
}

// openState opens a state directory for this process only. The error tells users
// who were directed to the service's directory (state.Find) how to proceed.
func (p *program) openState(dir string) (*state.Store, error) {
	if err := checkStateOwner(dir); err != nil {
		return nil, err
	}
	log := p.logger(config.Default())
	store, err := state.Open(dir, &state.Options{Warn: func(err error) { log.Warn(err) }})
	if own, _ := state.Dir(p.stateDir); errors.Is(err, fs.ErrPermission) && own != dir {
		return nil, &api.Error{Code: "permission", Message: "the ps4kit service of this machine is not running, and only its user may write to " + dir,
			Hint: "Start it with \"sudo systemctl start ps4kit\", or name a directory of your own with --state-dir."}
	}
	return store, err
}

// checkStateOwner keeps root from writing files that the owner of the state directory
// could not read.
func checkStateOwner(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil //nolint:nilerr // a missing directory will be root's
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil
	}
	name := fmt.Sprintf("'#%d'", stat.Uid)
	if u, err := user.LookupId(strconv.Itoa(int(stat.Uid))); err == nil {
		name = u.Username
	}
	return &api.Error{Code: "permission", Message: fmt.Sprintf("%s belongs to the user %s, and no server is running", dir, name),
		Hint: "Start the server, or run the command as that user: sudo -u " + name + " ps4kit"}
}

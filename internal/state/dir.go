package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const rootDir = "/var/lib/ps4kit"

// environment is what the choice of a directory depends on.
type environment struct {
	variable func(name string) string
	uid      int // of the effective user
	exists   func(path string) bool
}

func thisEnvironment() environment {
	return environment{os.Getenv, os.Geteuid(), func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}}
}

// Dir returns the state directory as an absolute path, without touching it. The
// first of these that is set wins:
//
//  1. flag, the value of --state-dir;
//  2. $STATE_DIRECTORY, which systemd sets (the first one, when it lists several);
//  3. $XDG_STATE_HOME/ps4kit, unless it is relative, which the XDG specification says to ignore;
//  4. /var/lib/ps4kit for root, ~/.local/state/ps4kit for other users.
//
// It fails without a home directory, or without a working directory for a
// relative flag.
func Dir(flag string) (string, error) { return thisEnvironment().dir(flag) }

func (e environment) dir(flag string) (string, error) {
	dir := e.chosen(flag)
	if dir == "" {
		home := e.variable("HOME")
		if home == "" {
			return "", errors.New("there is no home directory for the state: choose a directory with --state-dir")
		}
		dir = filepath.Join(home, ".local", "state", "ps4kit")
	}
	return filepath.Abs(dir)
}

// Find is Dir for a command that talks to a running server. For a user who
// chose no directory and has none at home it returns /var/lib/ps4kit, if that
// exists: that of this machine's service, whose socket members of its group may
// use.
func Find(flag string) (string, error) { return thisEnvironment().find(flag) }

func (e environment) find(flag string) (string, error) {
	dir, err := e.dir(flag)
	if e.chosen(flag) == "" && (err != nil || !e.exists(dir)) && e.exists(rootDir) {
		return rootDir, nil
	}
	return dir, err
}

// chosen returns the directory that was chosen, or root's, or an empty string.
func (e environment) chosen(flag string) string {
	if flag != "" {
		return flag
	}
	if dirs := e.variable("STATE_DIRECTORY"); dirs != "" {
		first, _, _ := strings.Cut(dirs, ":")
		return first
	}
	if xdg := e.variable("XDG_STATE_HOME"); filepath.IsAbs(xdg) {
		return filepath.Join(xdg, "ps4kit")
	}
	if e.uid == 0 {
		return rootDir
	}
	return ""
}

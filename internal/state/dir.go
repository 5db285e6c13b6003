package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const rootDir = "/var/lib/ps4kit"

// Env is the environment that Dir looks at. Nil fields mean the real one.
type Env struct {
	LookupEnv func(string) (string, bool) // default: os.LookupEnv
	UID       func() int                  // effective user; default: os.Geteuid
	Exists    func(path string) bool      // used by Find; default: os.Stat
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
func Dir(flag string, env Env) (string, error) {
	env = env.complete()
	dir := chosenDir(flag, env)
	if dir == "" {
		home, _ := env.LookupEnv("HOME")
		if home == "" {
			return "", errors.New("there is no home directory for the state: choose a directory with --state-dir")
		}
		dir = filepath.Join(home, ".local", "state", "ps4kit")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, nil
}

// Find is Dir for a command that talks to a running server. For a user who
// chose no directory and has none at home it returns /var/lib/ps4kit, if that
// exists: that of this machine's service, whose socket members of its group may
// use.
func Find(flag string, env Env) (string, error) {
	env = env.complete()
	dir, err := Dir(flag, env)
	if chosenDir(flag, env) == "" && (err != nil || !env.Exists(dir)) && env.Exists(rootDir) {
		return rootDir, nil
	}
	return dir, err
}

func (env Env) complete() Env {
	if env.LookupEnv == nil {
		env.LookupEnv = os.LookupEnv
	}
	if env.UID == nil {
		env.UID = os.Geteuid
	}
	if env.Exists == nil {
		env.Exists = func(path string) bool {
			_, err := os.Stat(path)
			return err == nil
		}
	}
	return env
}

// chosenDir returns the directory that was chosen, or root's, or an empty
// string.
func chosenDir(flag string, env Env) string {
	if flag != "" {
		return flag
	}
	if dirs, _ := env.LookupEnv("STATE_DIRECTORY"); dirs != "" {
		first, _, _ := strings.Cut(dirs, ":")
		return first
	}
	if xdg, _ := env.LookupEnv("XDG_STATE_HOME"); filepath.IsAbs(xdg) {
		return filepath.Join(xdg, "ps4kit")
	}
	if env.UID() == 0 {
		return rootDir
	}
	return ""
}

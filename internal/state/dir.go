package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const rootDir = "/var/lib/ps4kit"

// Env is what Dir asks about the process. A nil field asks the real one.
type Env struct {
	LookupEnv func(string) (string, bool) // nil: os.LookupEnv
	UID       func() int                  // the effective user; nil: os.Geteuid
}

// Dir picks the state directory, as an absolute path, without touching it. The first of these that is set wins:
//
//  1. flag, the value of --state-dir;
//  2. $STATE_DIRECTORY, which systemd sets (the first one, when it lists several);
//  3. $XDG_STATE_HOME/ps4kit, unless it is relative, which the XDG specification says to ignore;
//  4. /var/lib/ps4kit for root, and ~/.local/state/ps4kit for everybody else.
//
// It fails when there is no home directory, or no working directory for a relative flag.
func Dir(flag string, env Env) (string, error) {
	if env.LookupEnv == nil {
		env.LookupEnv = os.LookupEnv
	}
	if env.UID == nil {
		env.UID = os.Geteuid
	}
	dir, err := pickDir(flag, env)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", fmt.Errorf("state: %w", err)
	}
	return dir, nil
}

func pickDir(flag string, env Env) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if dirs, _ := env.LookupEnv("STATE_DIRECTORY"); dirs != "" {
		first, _, _ := strings.Cut(dirs, ":")
		return first, nil
	}
	if xdg, _ := env.LookupEnv("XDG_STATE_HOME"); filepath.IsAbs(xdg) {
		return filepath.Join(xdg, "ps4kit"), nil
	}
	if env.UID() == 0 {
		return rootDir, nil
	}
	home, _ := env.LookupEnv("HOME")
	if home == "" {
		return "", errors.New("state: there is no home directory to keep the state in: name one with --state-dir")
	}
	return filepath.Join(home, ".local", "state", "ps4kit"), nil
}

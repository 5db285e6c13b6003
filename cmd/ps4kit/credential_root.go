package main

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/ps4kit/ps4kit/internal/state"
)

// dropRoot makes this process one of the user whose files it will write, for good. It
// does nothing for anybody but root, and for root when the state is root's.
//
// A state directory that is there decides: its owner runs the server. Otherwise it is
// who called sudo, and his own state directory.
func (p *program) dropRoot() error {
	if os.Geteuid() != 0 {
		return nil
	}
	dir, err := p.stateDirectory()
	if err != nil {
		return err
	}
	to, found := heir(dir, os.LookupEnv)
	if !found {
		return nil
	}
	if !to.ownState || dir != rootStateDir() {
		p.stateDir = dir // it is there, or it was chosen
	}
	return to.become()
}

// rootStateDir is the state directory of root when nobody has chosen another.
func rootStateDir() string {
	dir, _ := state.Dir("", state.Env{
		LookupEnv: func(string) (string, bool) { return "", false },
		UID:       func() int { return 0 },
	})
	return dir
}

// account is a user of this machine. ownState says that the state directory does not
// exist yet, so that it may be this user's own.
type account struct {
	uid, gid int
	ownState bool
}

// heir returns who goes on in the place of root; found is false when root does.
func heir(dir string, env func(string) (string, bool)) (to account, found bool) {
	info, err := os.Stat(dir)
	if err == nil {
		owner, ok := info.Sys().(*syscall.Stat_t)
		return account{uid: int(owner.Uid), gid: int(owner.Gid)}, ok && owner.Uid != 0
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return account{}, false
	}
	uid, err1 := number(env, "SUDO_UID")
	gid, err2 := number(env, "SUDO_GID")
	return account{uid: uid, gid: gid, ownState: true}, err1 == nil && err2 == nil && uid != 0
}

// number reads a user or group id from the environment.
func number(env func(string) (string, bool), name string) (int, error) {
	text, _ := env(name)
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// become changes the user, the group, the further groups and the home directory of
// this process. There is no way back.
func (a account) become() error {
	groups := []int{a.gid}
	home := "/"
	if u, err := user.LookupId(strconv.Itoa(a.uid)); err == nil {
		home = u.HomeDir
		ids, _ := u.GroupIds() // without them it is less that he may
		for _, id := range ids {
			if n, err := strconv.Atoi(id); err == nil {
				groups = append(groups, n)
			}
		}
	}
	err := errors.Join(syscall.Setgroups(groups), syscall.Setgid(a.gid))
	if err == nil {
		err = syscall.Setuid(a.uid)
	}
	if err != nil {
		return err
	}
	if syscall.Setuid(0) == nil {
		return errors.New("root came back")
	}
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME"} { // root's
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return os.Setenv("HOME", home)
}

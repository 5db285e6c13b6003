package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrNoServer means that no ps4kit server runs on the socket.
var ErrNoServer = errors.New("no ps4kit server is running")

// Connect returns a client of the server on the socket. It fails with ErrNoServer
// when none runs, and with fs.ErrPermission when this user may not talk to it; that
// error says who may, and has the methods Code and Hint.
func Connect(ctx context.Context, path string) (*Client, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, notConnected(path, err)
	}
	_ = conn.Close()
	return newClient(&http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableKeepAlives: true,
	}), nil
}

func notConnected(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ECONNREFUSED):
		return ErrNoServer
	case errors.Is(err, fs.ErrPermission):
		return &deniedError{path: path, group: groupOf(path), cause: err}
	}
	return fmt.Errorf("talking to the running server: %w", err)
}

// deniedError means that this user may not use the socket.
type deniedError struct {
	path  string
	group string // whose members may, empty when only the owner and root may
	cause error
}

func (e *deniedError) Error() string {
	return "you may not talk to the running server: its socket " + e.path + " is not open to you"
}

// Code returns a short name for programs.
func (e *deniedError) Code() string { return "permission" }

// Hint returns what the user can do.
func (e *deniedError) Hint() string {
	if e.group == "" {
		return "Run the command with sudo, or as the user that runs the server."
	}
	return fmt.Sprintf(`Become a member of the group %[1]s ("sudo usermod -aG %[1]s $USER") and sign in again, or run the command with sudo.`, e.group)
}

func (e *deniedError) Unwrap() error { return e.cause }

// groupOf returns the group that may use the socket, or its directory when that is
// closed to this user. Nobody should join root's: it counts as none.
func groupOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		info, err = os.Stat(filepath.Dir(path))
	}
	if err != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Gid == 0 {
		return ""
	}
	id := strconv.FormatUint(uint64(owner.Gid), 10)
	group, err := user.LookupGroupId(id)
	if err != nil {
		return id
	}
	return group.Name
}

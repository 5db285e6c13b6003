package api

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

// ErrNoServer means that no ps4kit server is running.
var ErrNoServer = errors.New("no ps4kit server is running")

const (
	socketMode = 0o660 // the group of the state directory may use it
	maxPath    = 104   // bytes of a socket's path
)

// Connect returns a client of the server on the unix socket. The error is
// ErrNoServer if none is running, and an *Error that wraps fs.ErrPermission if
// this user may not use the socket.
func Connect(ctx context.Context, path string) (*Client, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, dialError(path, err)
	}
	_ = conn.Close()
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableKeepAlives: true,
	}}}, nil
}

func dialError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ECONNREFUSED):
		return ErrNoServer
	case errors.Is(err, fs.ErrPermission):
		hint := "Run the command with sudo, or as the user that runs the server."
		if group := groupOf(path); group != "" {
			hint = fmt.Sprintf(`Join the group %[1]s ("sudo usermod -aG %[1]s $USER") and sign in again, or run the command with sudo.`, group)
		}
		return &Error{Code: "permission", Message: "permission denied on the running server's socket " + path, Hint: hint, Err: err}
	}
	return fmt.Errorf("connecting to the running server: %w", err)
}

// ListenSocket listens on the unix socket at path, replacing one that an
// earlier server left behind. The caller holds the lock of the state directory.
func ListenSocket(ctx context.Context, path string) (net.Listener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path of the socket %s has more than %d bytes: choose a shorter --state-dir", path, maxPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing the socket of an earlier run: %w", err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening on the socket: %w", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the socket to its group: %w", err), ln.Close())
	}
	return ln, nil
}

// groupOf returns the name of the group that may use the socket, or its
// directory if this user may not look into that. It returns "" for root's
// group, which no one should join.
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

package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

const (
	socketMode = 0o660 // the group of the state directory may use it
	maxPath    = 104   // bytes in the path of a unix socket on the systems served
)

// ListenSocket listens on the unix socket at path, in the place of one that an
// earlier server left. The caller holds the lock of the state directory.
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
		return nil, errors.Join(fmt.Errorf("opening the socket to the group: %w", err), ln.Close())
	}
	return ln, nil
}

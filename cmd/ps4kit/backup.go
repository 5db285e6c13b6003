package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
)

// backupOptions are the flags of `ps4kit backup`.
type backupOptions struct{ force bool }

func newBackup(p *program) *cobra.Command {
	o := &backupOptions{}
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Save everything that is remembered to a file",
		Long: `Writes everything that ps4kit remembers to FILE: consoles, names, HomeKit
identities and pairings, and credentials. Keep it as you keep a password. The
server may run meanwhile. - as FILE is the standard output.

Not in it: config.yaml, and cover art, which is loaded again.`,
		Args: oneText("the file"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args[0]) },
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "replace FILE if it is there")
	return cmd
}

// saved is what `backup -o json` prints.
type saved struct {
	File  string `json:"file"`
	Bytes int    `json:"bytes"`
}

func (o *backupOptions) run(ctx context.Context, p *program, file string) error {
	if file == "-" && isTerminal(p.stdout) {
		return usageError(errors.New("a backup is not for a terminal: redirect the output, or name a file"))
	}
	archive, err := p.backup(ctx)
	if err != nil {
		return err
	}
	if file == "-" {
		_, err := p.stdout.Write(archive)
		return err
	}
	if o.force {
		err = state.WriteFile(file, archive, secretFile)
	} else {
		err = writeNew(file, archive)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return asUsage(&api.Error{Code: "exists", Message: file + " is there already", Hint: "Choose another name, or replace it with --force."})
	case err != nil:
		return fmt.Errorf("the backup is not written: %w", err)
	}
	return p.report(saved{file, len(archive)}, "%s holds everything now, secrets too (%d bytes).", file, len(archive))
}

// secretFile is the mode of files that hold secrets.
const secretFile fs.FileMode = 0o600

// backup asks the running server, or reads the state itself. It needs no
// configuration: a backup is wanted most when something is wrong.
func (p *program) backup(ctx context.Context) ([]byte, error) {
	dir, err := p.stateDirectory()
	if err != nil {
		return nil, err
	}
	client, err := api.Connect(ctx, app.SocketPath(dir))
	switch {
	case err == nil:
		return client.Backup(ctx)
	case !errors.Is(err, api.ErrNoServer):
		return nil, err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no %s", state.ErrNothing, dir)
	}
	store, err := p.openState(dir)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	err = errors.Join(store.Backup(&archive), store.Close())
	return archive.Bytes(), err
}

// writeNew writes a file that must not be there yet, to the disk.
func writeNew(file string, data []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, secretFile)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

func newRestore(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Replace everything ps4kit remembers with a backup",
		Long: `Replaces everything that ps4kit remembers with what ps4kit backup wrote to FILE; -
is standard input. A running server starts again with it. The backup is checked
before anything changes, and if the restore fails, your old state is kept.

Run a restored state on one machine only: two televisions with the same identity
confuse HomeKit.`,
		Args: oneText("the file"),
		RunE: func(cmd *cobra.Command, args []string) error { return p.restore(cmd.Context(), args[0]) },
	}
}

const (
	maxBackup    = 80 << 20         // bytes read of a backup; package state has lower limits
	restartLimit = 30 * time.Second // for the server to start again
	restartRetry = 50 * time.Millisecond
)

// restored is what `restore -o json` prints.
type restored struct {
	Created time.Time `json:"created"` // when the backup was made
	Files   []string  `json:"files"`
}

// restore has the running server restore a backup, or restores it itself.
func (p *program) restore(ctx context.Context, file string) error {
	dir, err := p.stateDirectory()
	if err != nil {
		return err
	}
	archive, err := p.readBackup(file)
	if err != nil {
		return asUsage(err)
	}
	client, err := api.Connect(ctx, app.SocketPath(dir))
	switch {
	case errors.Is(err, api.ErrNoServer):
		if err := checkStateOwner(dir); err != nil {
			return err
		}
		contents, err := state.Restore(dir, archive)
		if err != nil {
			return err
		}
		return p.report(restored(contents), "Restored the state of %s (%d files). Start the server again.",
			contents.Created.Local().Format(time.DateTime), len(contents.Files))
	case err != nil:
		return err
	}
	contents, err := client.Restore(ctx, archive)
	if err != nil {
		return err
	}
	if err := awaitRestart(ctx, dir); err != nil {
		return err
	}
	return p.report(restored(contents), "Restored the state of %s (%d files). The server is running again.",
		contents.Created.Local().Format(time.DateTime), len(contents.Files))
}

// awaitRestart waits until the server has put the stored backup in place and
// answers again.
func awaitRestart(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, restartLimit)
	defer cancel()
	for {
		if !state.RestorePending(dir) {
			if _, err := api.Connect(ctx, app.SocketPath(dir)); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return &api.Error{Code: "failed", Message: "the server has the backup but has not started again", Hint: "Read the server's log."}
		case <-time.After(restartRetry):
		}
	}
}

func (p *program) readBackup(file string) ([]byte, error) {
	from := p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	return io.ReadAll(io.LimitReader(from, maxBackup))
}

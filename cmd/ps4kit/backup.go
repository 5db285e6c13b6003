package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
		Long: `Writes everything that ps4kit remembers to FILE (- is the standard output):
consoles, names, HomeKit identities and pairings, credentials, and the settings
made on the web page. Protect it like a password. The server may be running.

It doesn't contain config.yaml, or cover art, which is fetched again.`,
		Example: examples("backup ps4kit.backup", "backup - | ssh nas 'cat > ps4kit.backup'"),
		Args:    oneText("the file"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args[0]) },
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "replace FILE if it exists")
	return cmd
}

// saved is what `backup -o json` prints.
type saved struct {
	File  string `json:"file"`
	Bytes int    `json:"bytes"`
}

func (o *backupOptions) run(ctx context.Context, p *program, file string) error {
	if file == "-" && isTerminal(p.stdout) {
		return usageError(errors.New("a backup can't be shown on a terminal: redirect the output, or name a file"))
	}
	archive, err := p.backup(ctx)
	if err != nil {
		return err
	}
	if file == "-" {
		_, err := raw(p.stdout).Write(archive)
		return err
	}
	if err := writeFile(file, archive, 0o600, o.force); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return p.report(saved{file, len(archive)}, "%s holds everything now, secrets too (%d bytes).", file, len(archive))
}

// backup asks the running server, or reads the state itself. It needs no
// configuration, which may be what is broken.
func (p *program) backup(ctx context.Context) ([]byte, error) {
	client, dir, err := p.server(ctx)
	if err == nil {
		return api.Backup.Do(ctx, client, api.None{})
	}
	if !errors.Is(err, api.ErrNoServer) {
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

func newRestore(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Replace everything ps4kit remembers with a backup",
		Long: `Replaces everything that ps4kit remembers with what ps4kit backup wrote to FILE
(- is the standard input). A running server restarts with it. The backup is
checked before anything changes, and if the restore fails, your old state is
kept.

Run a restored state on one machine only: two televisions with the same identity
confuse HomeKit.`,
		Example: examples("restore ps4kit.backup"),
		Args:    oneText("the file"),
		RunE:    func(cmd *cobra.Command, args []string) error { return p.restore(cmd.Context(), args[0]) },
	}
}

// restore has the running server restore a backup, or restores it itself.
func (p *program) restore(ctx context.Context, file string) error {
	archive, err := p.read(file, maxBackup)
	if err != nil {
		return asUsage(err)
	}
	var result api.Restored
	next := "Start the server again."
	client, dir, err := p.server(ctx)
	switch {
	case errors.Is(err, api.ErrNoServer):
		if err := checkStateOwner(dir); err != nil {
			return err
		}
		contents, err := state.Restore(dir, archive)
		if err != nil {
			return err
		}
		result = api.Restored(contents)
	case err != nil:
		return err
	default:
		if result, err = api.Restore.Do(ctx, client, archive); err != nil {
			return err
		}
		if err := awaitRestart(ctx, dir); err != nil {
			return err
		}
		next = "The server is running again."
	}
	return p.report(result, "Restored the state of %s (%d files). %s", result.Created.Local().Format(time.DateTime), len(result.Files), next)
}

// awaitRestart waits until the server has put the stored backup in place and
// answers again.
func awaitRestart(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
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
		case <-time.After(50 * time.Millisecond):
		}
	}
}

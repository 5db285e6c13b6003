package main

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/tui"
)

func newInteractive(p *program) *cobra.Command {
	f := &consoleFlags{}
	return f.add(&cobra.Command{
		Use:   "interactive",
		Short: "Control a console from a full-screen remote",
		Long: `Shows the state of a console and presses its buttons: arrows, enter, backspace
(Back), o (Options), p (PS), h (PS held), c (Cancel). It also starts titles (/),
types text (t), wakes the console (w) and puts it into rest mode (s). The screen
lists all keys; q quits.

If there are several consoles, you choose one. --timeout applies to each
command. NO_COLOR=1 turns colors off.`,
		Example: examples("interactive", "interactive --name Den"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.interactive(cmd.Context(), p) },
	})
}

func (f *consoleFlags) interactive(ctx context.Context, p *program) error {
	if !isTerminal(p.stdin) || !isTerminal(p.stdout) {
		return usageError(errors.New("interactive needs a terminal for its input and output; use ps4kit remote, start and status in scripts"))
	}
	if isTerminal(p.stderr) { // keep messages such as log lines away from the screen
		terminal, held := p.stderr, &lockedBuffer{}
		p.stderr = held
		defer func() {
			p.stderr = terminal
			_, _ = held.WriteTo(terminal)
		}()
	}
	_, client, host, done, err := f.connect(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	return tui.Run(ctx, tui.Options{Client: client, Host: host, Limit: f.timeout, In: p.stdin, Out: raw(p.stdout)})
}

// lockedBuffer is a buffer for concurrent writers.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

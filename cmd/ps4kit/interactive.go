package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/tui"
)

// interactiveOptions are the flags of `ps4kit interactive`.
type interactiveOptions struct{ console consoleFlags }

func newInteractive(p *program) *cobra.Command {
	o := &interactiveOptions{}
	cmd := &cobra.Command{
		Use:   "interactive",
		Short: "Control a console from a full-screen remote",
		Long: `Shows the state of a console and presses its buttons: arrows, enter, backspace
(Back), o (Options), p (PS), h (PS held), c (Cancel). It also starts titles (/),
types text (t), wakes the console (w) and puts it into rest mode (s). The screen
lists all keys; q quits.

If there are several consoles, you choose one. --timeout applies to each command.
NO_COLOR=1 turns colors off.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *interactiveOptions) run(ctx context.Context, p *program) error {
	if !isTerminal(p.stdin) || !isTerminal(p.stdout) {
		return usageError(errors.New("interactive needs a terminal for its input and output; use ps4kit remote, start and status in scripts"))
	}
	defer p.holdMessages()()
	_, b, host, done, err := o.console.connect(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	return tui.Run(ctx, tui.Options{Backend: b, Host: host, Limit: o.console.timeout, In: p.stdin, Out: p.stdout})
}

// holdMessages keeps messages such as log lines away from the full screen until
// release prints them.
func (p *program) holdMessages() (release func()) {
	if !isTerminal(p.stderr) {
		return func() {}
	}
	terminal, held := p.stderr, &tail{}
	p.stderr = held
	return func() {
		p.stderr = terminal
		_, _ = terminal.Write(held.bytes())
	}
}

// maxTail is the number of bytes that tail keeps.
const maxTail = 16 << 10

// tail keeps the last bytes written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept
}

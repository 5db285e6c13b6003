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
		Short: "Remote control that fills the terminal",
		Long: `Shows what a console does and presses its buttons by the keys of the keyboard:
arrows, enter, backspace (back), o (options), p (PS), h (PS held), c (cancel). It
also starts titles (/), types text (t), and wakes (w) or rests (s) the console;
? shows all keys, q quits.

Of several consoles it lets you pick one. --timeout is for each command. NO_COLOR=1
leaves the colours out.`,
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

// holdMessages keeps what would go to the terminal beside the screen, as logs do,
// until release prints it.
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

// maxTail bounds the messages that are held, in bytes; the last ones are kept.
const maxTail = 16 << 10

// tail keeps the end of what is written to it.
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

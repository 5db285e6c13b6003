package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// remoteOptions are the flags of `ps4kit remote`.
type remoteOptions struct{ console consoleFlags }

func newRemote(p *program) *cobra.Command {
	o := &remoteOptions{}
	cmd := &cobra.Command{
		Use:   "remote BUTTON[:MS]...",
		Short: "Press buttons",
		Long: `Presses buttons in order, in one session:

  ` + strings.Join(buttonNames(), " ") + `

BUTTON:MS holds a button for so many milliseconds, a minute at most; ps_hold is the
PS button held until the quick menu opens. The console needs pauses between keys:
five arrows take about a second, a PS one more.`,
		Example:           "  ps4kit remote ps\n  ps4kit remote down down enter\n  ps4kit remote ps:2000",
		ValidArgsFunction: cobra.FixedCompletions(buttonNames(), cobra.ShellCompDirectiveNoFileComp),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *remoteOptions) run(ctx context.Context, p *program, args []string) error {
	keys, err := parseKeys(args)
	if err != nil {
		return usageError(err)
	}
	err = p.onConsole(ctx, &o.console, "Pressing "+strings.Join(keys, " "),
		func(ctx context.Context, b api.Backend, host string) error { return b.Keys(ctx, host, keys) })
	if err != nil {
		return err
	}
	return p.report(done{Done: "remote", Keys: keys}, "Pressed %s.", strings.Join(keys, " "))
}

// parseKeys checks all keys before the first is sent, and returns them as the backend
// takes them.
func parseKeys(args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("which button? There are %s", strings.Join(buttonNames(), " "))
	}
	keys := make([]string, 0, len(args))
	for _, arg := range args {
		key, err := ps4.ParseKey(arg)
		if err != nil {
			return nil, keyError(arg)
		}
		text := key.Button.String()
		if key.Hold > 0 {
			text += ":" + strconv.FormatInt(key.Hold.Milliseconds(), 10)
		}
		keys = append(keys, text)
	}
	return keys, nil
}

// keyError says what is wrong with a key that cannot be parsed.
func keyError(arg string) error {
	name, _, _ := strings.Cut(arg, ":")
	if _, err := ps4.ParseButton(name); err != nil {
		return fmt.Errorf("there is no button %q; there are %s", name, strings.Join(buttonNames(), " "))
	}
	return fmt.Errorf("%q: a button is held for 1 to 60000 milliseconds", arg)
}

func buttonNames() []string {
	var names []string
	for _, b := range ps4.Buttons() {
		names = append(names, b.String())
	}
	return names
}

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

func newRemote(p *program) *cobra.Command {
	var buttons []string
	for _, b := range ps4.Buttons() {
		buttons = append(buttons, b.String())
	}
	all := strings.Join(buttons, " ")
	return new(consoleFlags).command(p, &cobra.Command{
		Use:   "remote BUTTON[:MS]...",
		Short: "Press buttons",
		Long: `Presses buttons in order, in one session:

  ` + all + `

BUTTON:MS holds a button for that many milliseconds, up to a minute; ps_hold holds
the PS button until the quick menu opens. The console needs pauses between keys:
five arrows take about a second, a PS one more.`,
		Example: "  ps4kit remote ps\n  ps4kit remote down down enter\n  ps4kit remote ps:2000",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("which button? There are %s", all)
			}
			_, err := parseKeys(args)
			return err
		},
		ValidArgsFunction: cobra.FixedCompletions(buttons, cobra.ShellCompDirectiveNoFileComp),
	}, "Pressing the buttons", func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
		keys, err := parseKeys(args)
		if err != nil {
			return done{}, err
		}
		return done{Done: "remote", Keys: keys, text: "Pressed " + strings.Join(keys, " ") + "."}, b.Keys(ctx, host, keys)
	})
}

// parseKeys checks keys and returns their canonical spelling.
func parseKeys(args []string) ([]string, error) {
	var keys []string
	for _, arg := range args {
		key, err := ps4.ParseKey(arg)
		if err != nil {
			return nil, err
		}
		text := key.Button.String()
		if key.Hold > 0 {
			text += ":" + strconv.FormatInt(key.Hold.Milliseconds(), 10)
		}
		keys = append(keys, text)
	}
	return keys, nil
}

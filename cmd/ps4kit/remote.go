package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

func newStart(p *program) *cobra.Command {
	f, noQuit := &consoleFlags{}, false
	cmd := f.add(p.verb(&cobra.Command{
		Use:   "start TITLE_ID|NAME",
		Short: "Start a title",
		Long: `Starts a title, given by its id (CUSA00129), a content id, the address of its
page in the PS Store, or the name of an input as "titles" lists it, in any case.
HOME is the home screen. The command ends once the console reports that the
title is running. A console in rest mode is woken first.

Another running title is quit, and unsaved progress is lost. With --no-quit it
keeps running, and the command fails.`,
		Example:           examples("start Netflix", "start CUSA00129 --no-quit", "start HOME"),
		Args:              oneText("the id or the name of a title"),
		ValidArgsFunction: completeTitles(p, f, isTitle),
	}, f, "Starting the title", func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
		title := strings.TrimSpace(args[0])
		if title == "" {
			return result{}, usageError(errors.New("missing the id or the name of a title"))
		}
		if id, err := ps4.ParseTitleID(title); err == nil {
			title = id // in upper case
		}
		text := title + " is running."
		if strings.EqualFold(title, "HOME") {
			text = "The home screen is showing."
		}
		return result{value: done{Done: "start", Title: title}, text: text},
			api.Start.Do(ctx, client, api.StartRequest{Host: host, Title: title, NoQuit: noQuit})
	}))
	cmd.Flags().BoolVar(&noQuit, "no-quit", false, "don't quit another title that is running")
	return cmd
}

func newRemote(p *program) *cobra.Command {
	var buttons []string
	for _, b := range ps4.Buttons() {
		buttons = append(buttons, b.String())
	}
	var keys []string
	f := &consoleFlags{}
	return f.add(p.verb(&cobra.Command{
		Use:   "remote BUTTON[:MS]...",
		Short: "Press buttons",
		Long: `Presses buttons in order, in one session:

  ` + strings.Join(buttons[:ps4.PSHold], " ") + `
  ` + strings.Join(buttons[ps4.PSHold:], " ") + `

BUTTON:MS holds a button for that many milliseconds, up to a minute. ps_hold
holds the PS button until the quick menu opens. The console needs pauses between
keys: five arrows take about a second, and PS takes another.

With Remote Play, only a tap of ps works unless remote_play_keys permits the
others. The second line of buttons requires it. While it is connected, the TV
shows that, the linked user is signed in, and their controller may disconnect.`,
		Example: examples("remote ps", "remote down down enter", "remote ps:2000"),
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) == 0 {
				return fmt.Errorf("missing a button: %s", strings.Join(buttons, " "))
			}
			keys, err = parseKeys(args)
			return err
		},
		ValidArgsFunction: cobra.FixedCompletions(buttons, cobra.ShellCompDirectiveNoFileComp),
	}, f, "Pressing the buttons", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		return did(done{Done: "remote", Keys: keys}, "Pressed %s.", strings.Join(keys, " ")),
			api.Keys.Do(ctx, client, api.KeysRequest{Host: host, Keys: keys})
	}))
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

func newKeyboard(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keyboard",
		Short: "Use the on-screen keyboard",
		Long: `Reads and writes the text of the on-screen keyboard. Choose a text field on the
TV to open it.`,
		Example: examples("keyboard get", "keyboard set 'good morning'", "keyboard submit"),
	}
	add := func(use, short string, args cobra.PositionalArgs, example string,
		run func(ctx context.Context, client *api.Client, host string, args []string) (result, error),
	) {
		f := &consoleFlags{}
		verb := &cobra.Command{Use: use, Short: short, Args: args, Example: examples("keyboard " + example)}
		cmd.AddCommand(f.add(p.verb(verb, f, "Using the on-screen keyboard", run)))
	}
	add("get", "Print the text", nil, "get",
		func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
			k, err := api.GetKeyboard.Do(ctx, client, api.HostRequest{Host: host})
			return result{value: k, text: k.Text}, err
		})
	add("set TEXT", "Replace the text", oneText("the new text"), "set 'good morning'",
		func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
			return did(done{Done: "text"}, "The text is set."),
				api.SetText.Do(ctx, client, api.TextRequest{Host: host, Text: &args[0]})
		})
	add("submit [TEXT]", "Confirm the text, or TEXT instead", cobra.MaximumNArgs(1), "submit",
		func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
			var text *string
			if len(args) > 0 {
				text = &args[0]
			}
			return did(done{Done: "submit"}, "The text is submitted."),
				api.Submit.Do(ctx, client, api.SubmitRequest{Host: host, Text: text})
		})
	add("close", "Close the keyboard without confirming", nil, "close",
		func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
			return did(done{Done: "close"}, "The on-screen keyboard is closed."),
				api.CloseKeyboard.Do(ctx, client, api.HostRequest{Host: host})
		})
	return cmd
}

package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// everyCommand returns the arguments that name each command.
func everyCommand(cmd *cobra.Command, path ...string) [][]string {
	list := [][]string{path}
	for _, sub := range cmd.Commands() {
		list = append(list, everyCommand(sub, append(slices.Clone(path), sub.Name())...)...)
	}
	return list
}

func TestVersionFlag(t *testing.T) {
	t.Parallel()
	for _, path := range everyCommand(newRoot(&program{})) {
		for form, want := range map[string]string{"text": "ps4kit unknown (go", "json": `"version":"unknown"`} {
			var stdout, stderr strings.Builder
			code := execute(append(path, "--version", "-o", form), nil, &stdout, &stderr)
			if code != 0 || !strings.Contains(stdout.String(), want) || stderr.Len() != 0 {
				t.Errorf("%q as %s: exit code %d, %q, %q", path, form, code, stdout.String(), stderr.String())
			}
		}
	}
}

// Flags may be spelled with underscores, as --ip_address was in earlier programs.
func TestUnderscoresInFlags(t *testing.T) {
	t.Parallel()
	found := 0
	for _, path := range everyCommand(newRoot(&program{})) {
		p := &program{}
		root := newRoot(p)
		cmd, _, err := root.Find(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.ParseFlags([]string{"--state_dir", "/x"}); err != nil || p.stateDir != "/x" {
			t.Errorf("%q: --state_dir: %q, %v", path, p.stateDir, err)
		}
		if cmd.Flags().Lookup("ip-address") == nil {
			continue
		}
		found++
		if err := cmd.ParseFlags([]string{"--ip_address", "192.0.2.5"}); err != nil || cmd.Flag("ip-address").Value.String() != "192.0.2.5" {
			t.Errorf("%q: --ip_address: %v", path, err)
		}
	}
	if found < 15 {
		t.Errorf("only %d verbs have --ip-address", found)
	}
}

// The help of every verb fits an 80-column terminal, and has examples that run.
func TestHelp(t *testing.T) {
	t.Parallel()
	root := newRoot(&program{})
	for _, path := range everyCommand(root) {
		if len(path) > 0 && (path[0] == "completion" || path[0] == "help") {
			continue // cobra's own
		}
		var stdout, stderr strings.Builder
		if code := execute(append(path, "--help"), nil, &stdout, &stderr); code != 0 || stderr.Len() != 0 {
			t.Errorf("%q: exit code %d, %s", path, code, stderr.String())
		}
		for line := range strings.Lines(stdout.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%q: a line is too long: %s", path, line)
			}
			if strings.Contains(line, "console-key FILE") {
				t.Errorf("%q: --console-key is not hidden", path)
			}
		}
		_, after, found := strings.Cut(stdout.String(), "\nExamples:\n")
		if !found {
			t.Errorf("%q has no examples", path)
			continue
		}
		list, _, _ := strings.Cut(after, "\n\n")
		for line := range strings.Lines(list) {
			words := strings.Fields(line)
			if words[0] != "ps4kit" || !isCommand(root, words[1:]) || len(path) > 0 && verbOf(root, words[1]) != path[0] {
				t.Errorf("%q: not an example of it: %s", path, line)
			}
		}
	}
}

// verbOf returns the name of the verb that word names, perhaps by an alias.
func verbOf(root *cobra.Command, word string) string {
	cmd, _, err := root.Find([]string{word})
	if err != nil {
		return ""
	}
	return cmd.Name()
}

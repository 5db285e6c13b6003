package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Commands in a text: `ps4kit VERB …`, and the lines of a block of code.
var (
	inline  = regexp.MustCompile("`(?:sudo (?:-u ps4kit )?)?ps4kit ([^`\n]+)`")
	inBlock = regexp.MustCompile(`^(?:\$ )?(?:sudo (?:-u ps4kit )?)?ps4kit ([^#|>&\n]+)`)
)

// TestTextsNameRealCommands: every command that the documentation names has a verb and
// flags that exist.
func TestTextsNameRealCommands(t *testing.T) {
	t.Parallel()
	root, found := newRoot(&program{}), 0
	for _, file := range markdown(t) {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, command := range commandsIn(string(text)) {
			found++
			if !isCommand(root, strings.Fields(command)) {
				t.Errorf("%s names ps4kit %s, which is no command", file, command)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d commands were found", found)
	}
}

func commandsIn(text string) []string {
	var commands []string
	inside := false
	for line := range strings.Lines(text) {
		pattern := inline
		if inside {
			pattern = inBlock
		}
		for _, m := range pattern.FindAllStringSubmatch(line, -1) {
			if !strings.HasPrefix(m[1], "[") { // the synopsis
				commands = append(commands, m[1])
			}
		}
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inside = !inside
		}
	}
	return commands
}

// markdown lists every page of the repository.
func markdown(t *testing.T) []string {
	t.Helper()
	var files []string
	must(t, filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && (name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && len(name) > 2):
			return filepath.SkipDir
		case filepath.Ext(name) == ".md":
			files = append(files, path)
		}
		return nil
	}))
	return files
}

// isCommand reports whether words name a verb of root, and flags that it has.
func isCommand(root *cobra.Command, words []string) bool {
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root && !strings.HasPrefix(words[0], "-") && words[0] != "VERB" {
		return false
	}
	for _, word := range rest {
		name, isFlag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(strings.Trim(name, "[]`.,;:)"), "=")
		if isFlag && name != "" && name != "help" && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
			return false
		}
	}
	return true
}

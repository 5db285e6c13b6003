package packages_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const shell = "```sh\n"

// blocks returns the shell commands in the blocks of a section.
func blocks(t *testing.T, page, section string) []string {
	t.Helper()
	found := sections(t, page)[section]
	if len(found) == 0 {
		t.Fatalf("%s has no commands under %q", page, section)
	}
	return found
}

// sections returns the blocks of shell commands on a page, by the heading above
// them.
func sections(t *testing.T, page string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	must(t, err)
	all, section, block, inside := map[string][]string{}, "", "", false
	for line := range strings.Lines(string(text)) {
		switch {
		case inside && line == "```\n":
			all[section] = append(all[section], block)
			inside = false
		case inside:
			block += line
		case line == shell:
			block, inside = "", true
		case strings.HasPrefix(line, "#"):
			section = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return all
}

// TestEveryCommandOfTheGuideIsRun fails if the guide has a block of commands
// that no test here runs. TestPages in cmd/ps4kit runs the ps4kit commands with
// their output.
func TestEveryCommandOfTheGuideIsRun(t *testing.T) {
	t.Parallel()
	run := map[string][]string{
		"install.md": {"Install", "Set up", "Pair"},                             // TestJourney
		"backup.md":  {"Back up", "Restore", "Another Pi", "Upgrade", "Remove"}, // TestJourney
		"network.md": {"Firewall"},                                              // TestFirewall
	}
	pages, err := filepath.Glob("../../docs/guide/*.md")
	must(t, err)
	for _, page := range pages {
		name := filepath.Base(page)
		for section := range sections(t, page) {
			if !slices.Contains(run[name], section) {
				t.Errorf("no test runs the commands of %s, %q", name, section)
			}
		}
	}
}

// TestFirewall checks that ufw accepts the rules in the guide.
func TestFirewall(t *testing.T) {
	needs(t, "mmdebstrap")
	t.Parallel()
	root := newRoot(t)
	for _, block := range blocks(t, "../../docs/guide/network.md", "Firewall") {
		inRoot(t, root, "sh", "-ec", block)
	}
	if rules := inRoot(t, root, "cat", "/etc/ufw/user.rules"); strings.Count(rules, "192.168.1.0/24") < 4 {
		t.Errorf("the rules are not there:\n%s", rules)
	}
}

// TestByHand installs and removes ps4kit with the commands in deploy/README.md.
func TestByHand(t *testing.T) {
	needs(t, "tar")
	t.Parallel()
	m := boot(t, newRoot(t))
	const page = "../../deploy/README.md"
	must(t, os.Mkdir(filepath.Join(m.root, "root/unpacked"), 0o755)) //nolint:gosec // no secret
	run(t, nil, "tar", "-C", filepath.Join(m.root, "root/unpacked"), "--strip-components=1", "-xzf", one(t, dist(t, newVersion), "*_linux_amd64.tar.gz"))
	before := contents(t, m.root)
	for _, block := range blocks(t, page, "Install by hand") {
		m.do("root", "sh", "-ec", "cd /root/unpacked\n"+block)
	}
	if state := m.property("ActiveState"); state != "active" {
		t.Errorf("the service is %s", state)
	}
	for _, block := range blocks(t, page, "Remove it again") {
		m.do("root", "sh", "-ec", block)
	}
	wantSame(t, before, contents(t, m.root))
}

package packages_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestUnitIsClosed checks that systemd's exposure level of the service stays
// under 2.0 and is the one in the documentation.
func TestUnitIsClosed(t *testing.T) {
	needs(t, "systemd-analyze")
	t.Parallel()
	said := run(t, nil, "systemd-analyze", "security", "--offline=true", "--no-pager", "../../deploy/ps4kit.service")
	found := regexp.MustCompile(`Overall exposure level for ps4kit.service: ([0-9.]+)`).FindStringSubmatch(said)
	if found == nil {
		t.Fatalf("no figure in\n%s", said)
	}
	if level, err := strconv.ParseFloat(found[1], 64); err != nil || level >= 2 {
		t.Errorf("exposure level %s", found[1])
	}
	notes, err := os.ReadFile("../../deploy/README.md")
	must(t, err)
	if !strings.Contains(string(notes), "exposure level of "+found[1]) {
		t.Errorf("deploy/README.md has another figure than %s", found[1])
	}
}

// TestScripts checks that the maintainer scripts are plain sh.
func TestScripts(t *testing.T) {
	needs(t, "shellcheck")
	t.Parallel()
	run(t, nil, "sh", "-c", "shellcheck ../../deploy/*.sh ../../deploy/debian/p* ../../.ci/run")
}

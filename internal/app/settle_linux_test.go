package app

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Not parallel: other tests would map pages again meanwhile.
func TestReleaseProgram(t *testing.T) {
	before := residentFile(t)
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
	if after := residentFile(t); after > before/2 {
		t.Errorf("%d kB of files are resident, %d kB before", after, before)
	}
}

// residentFile is RssFile of this process in kB.
func residentFile(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb
}

// A mapping that was written to, as relocation does before it makes a segment
// read-only, must not be touched.
func TestCleanMappings(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00a6b000 r-xp 00000000 00:1b 12 /usr/bin/ps4kit
Rss:                6092 kB
Anonymous:             0 kB
00a6b000-01154000 r--p 0066b000 00:1b 12 /usr/bin/ps4kit
Anonymous:             0 kB
01154000-01160000 r--p 00d54000 00:1b 12 /usr/bin/ps4kit
Anonymous:            48 kB
01160000-01221000 rw-p 00d60000 00:1b 12 /usr/bin/ps4kit
Anonymous:             0 kB
01221000-03265000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f606141b000-7f606147e000 r--p 00000000 00:1b 13 /usr/lib/libc.so.6
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0xa6b000}, {0xa6b000, 0x1154000}}
	if got := cleanMappings(smaps, "/usr/bin/ps4kit"); !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

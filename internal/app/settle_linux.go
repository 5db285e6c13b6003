package app

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseProgram unmaps the pages of the program file: most are code and tables that
// run once, at the start, and take twice as much as everything else. They stay in the
// kernel's page cache, which drops them first when memory is short; what runs again is
// mapped again.
func releaseProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	for _, m := range cleanMappings(string(smaps), program) {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("madvise: %w", errno)
		}
	}
	return nil
}

// mapping is a range of addresses.
type mapping struct{ start, end uintptr }

// cleanMappings finds the read-only mappings of a file of which no page was ever
// written: all others hold what the file does not.
func cleanMappings(smaps, file string) []mapping {
	var list []mapping
	var m mapping
	ours := false
	for line := range strings.Lines(smaps) {
		words := strings.Fields(line)
		switch {
		case len(words) >= 5 && strings.Contains(words[0], "-"):
			var readable bool
			m, readable = parseRange(words[0])
			ours = readable && len(words) == 6 && words[5] == file && !strings.Contains(words[1], "w")
		case ours && len(words) == 3 && words[0] == "Anonymous:" && words[1] == "0":
			list = append(list, m)
		}
	}
	return list
}

func parseRange(text string) (m mapping, ok bool) {
	from, to, _ := strings.Cut(text, "-")
	start, errStart := strconv.ParseUint(from, 16, strconv.IntSize)
	end, errEnd := strconv.ParseUint(to, 16, strconv.IntSize)
	return mapping{uintptr(start), uintptr(end)}, errStart == nil && errEnd == nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// busy is the load average of the last minute above which figures are not to be
// trusted.
const busy = 1.0

// loadPatience is how long a run waits for a busy machine, which may only have
// compiled this program.
const loadPatience = 90 * time.Second

// machine is where and when a run took place.
type machine struct {
	when   time.Time
	system string
	load   float64
	lines  []string // programs and their versions
}

func newMachine(ctx context.Context, o options) machine {
	if !o.smoke {
		awaitQuiet(ctx)
	}
	m := machine{when: time.Now().UTC(), load: load()}
	m.system = fmt.Sprintf("%s, %d cores, %s of memory, Linux %s", processor(), runtime.NumCPU(), memory(), strings.TrimSpace(file("/proc/sys/kernel/osrelease")))
	m.lines = append([]string{output(ctx, o.program, "version"), "Node " + output(ctx, "node", "--version")}, peers(o.npm)...)
	return m
}

// peers are the locked programs and their versions.
func peers(npm string) []string {
	var locked struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal([]byte(file(filepath.Join(npm, "package.json"))), &locked); err != nil {
		return []string{"peers unknown: " + err.Error()}
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(locked.Dependencies)) {
		lines = append(lines, name+" "+locked.Dependencies[name])
	}
	return lines
}

func (m machine) busy() bool { return m.load > busy }

func awaitQuiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, loadPatience)
	defer cancel()
	for load() > busy && pause(ctx, time.Second) {
	}
}

func load() float64 {
	first, _, _ := strings.Cut(file("/proc/loadavg"), " ")
	l, _ := strconv.ParseFloat(first, 64)
	return l
}

// processor is the model of the first core.
func processor() string {
	for line := range strings.Lines(file("/proc/cpuinfo")) {
		if key, value, ok := strings.Cut(line, ":"); ok && (strings.TrimSpace(key) == "model name" || strings.TrimSpace(key) == "Model") {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func memory() string {
	kb, _ := strconv.Atoi(field(file("/proc/meminfo"), "MemTotal:"))
	return fmt.Sprintf("%d GiB", (kb+1<<19)>>20)
}

// field returns the first word after a key of a file of /proc.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			if words := strings.Fields(rest); len(words) > 0 {
				return words[0]
			}
		}
	}
	return ""
}

func file(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}

func output(ctx context.Context, program string, args ...string) string {
	out, err := exec.CommandContext(ctx, program, args...).Output() //nolint:gosec // the programs that are measured
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(out))
}

// pause waits; it returns false when ctx was done first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

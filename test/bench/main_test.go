package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
	"github.com/ps4kit/ps4kit/test/netns"
)

// TestMain is the program itself in the namespace that TestSmoke starts.
func TestMain(m *testing.M) {
	if netns.Inside() {
		main()
		return
	}
	peer.Main(m)
}

const byHand = "# By hand\n"

// TestSmoke does everything that `make bench` does, a few times instead of
// many.
func TestSmoke(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	page := peer.WriteFile(t, filepath.Join(t.TempDir(), "page.md"), byHand+markBegin+markEnd+byHand)
	var progress strings.Builder
	if err := run(t.Context(), []string{"-smoke", "-ps4kit", peer.Binary(t), "-npm", ".", "-out", page}, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		byHand + markBegin, markEnd + byHand, "smoke run", "hap-nodejs 1.2.0",
		"### One console, 40 inputs", "### Many consoles", "### Commands", "### Search for 2 consoles", "| consoles found | 2 |  | 2 |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) > 4 && strings.TrimSpace(cells[2]) == "—" {
			t.Errorf("ps4kit lacks a figure: %s", line)
		}
		if len(cells) == 6 && strings.TrimSpace(cells[4]) == "—" {
			t.Errorf("ps4-waker lacks a figure: %s", line)
		}
	}
	if t.Failed() {
		t.Logf("%s%s", &progress, text)
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var s series
	for i := 100; i >= 1; i-- {
		s = append(s, time.Duration(i)*time.Millisecond)
	}
	for percent, want := range map[int]float64{1: 1, 50: 50, 99: 99, 100: 100} {
		if got := s.at(percent); got != want {
			t.Errorf("p%d is %v, want %v", percent, got, want)
		}
	}
	if got := s[:3].at(50); got != 99 {
		t.Errorf("the median of 98, 99 and 100 is %v", got)
	}
	if got := series(nil).at(50); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := newTable("T", "ps4kit", "x", "y")
	for i, values := range [][]float64{{2, 9, 1}, {21.04, math.NaN(), 210}, {0.5, 0, 0.5}} {
		for k, v := range values {
			column{table, k}.set([]string{"reads", "memory", "keys"}[i], []string{"ms", "MB", ""}[i], v)
		}
	}
	table.limit("reads", 5)
	table.limit("memory", 20)
	table.limit("missing", 1)
	var out strings.Builder
	table.markdown(&out)
	want := strings.Join([]string{
		"", "### T", "", "| | ps4kit | budget | x | y |", "|---|---:|---:|---:|---:|",
		"| reads, ms | 2 | 5 | 9 | 1 |",
		"| memory, MB | 21 | 20 **missed** | — | 210 |",
		"| keys | 0.5 |  | 0 | 0.5 |",
		"| missing | — | 1 **missed** | — | — |", "",
	}, "\n")
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReportNeedsItsPlace(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", markBegin, markEnd, markEnd + markBegin} {
		page := peer.WriteFile(t, filepath.Join(t.TempDir(), "page.md"), text)
		if err := writeReport(page, "", nil); err == nil {
			t.Errorf("a page with %q is written", text)
		}
	}
}

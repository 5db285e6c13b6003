package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// TestMain is the program itself where a test runs it again in a namespace.
func TestMain(m *testing.M) {
	if !isolated() {
		os.Exit(m.Run())
	}
	main()
}

const byHand = "# By hand\n"

// TestSmoke runs everything that `make bench` does, a few times instead of many.
func TestSmoke(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	page := filepath.Join(t.TempDir(), "page.md")
	write(t, page, byHand+markBegin+markEnd+byHand)
	var progress strings.Builder
	if err := run(t.Context(), []string{"-smoke", "-ps4kit", program(t), "-npm", ".", "-out", page}, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	got := read(t, page)
	for _, want := range []string{
		byHand + markBegin, markEnd + byHand, "smoke run", "hap-nodejs 1.2.0", "### One console, 40 inputs", "### Many consoles", "### Commands", "### Search for 2 consoles", "| consoles found | 2.00 |  |  | 2.00 |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(got, failed) {
		t.Error("a peer could not be measured")
	}
	if t.Failed() {
		t.Logf("%s", got)
	}
}

// program is $PS4KIT_BIN, or built.
func program(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("PS4KIT_BIN"); p != "" {
		return p
	}
	p := filepath.Join(t.TempDir(), "ps4kit")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", p, "../../cmd/ps4kit").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return p
}

func TestSeries(t *testing.T) {
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
		t.Errorf("the middle of 98, 99 and 100 is %v", got)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	table{title: "T", names: []string{"ps4kit", "x", "y"}, rows: []row{
		{"reads", "ms", []cell{value(2), value(9), value(1)}, 5},
		{"memory", "MB", []cell{value(21.04), {why: "failed"}, value(210)}, 20},
		{"keys", "", []cell{value(0.5), value(0), value(0.5)}, 0},
	}}.markdown(&out)
	want := strings.Join([]string{
		"", "### T", "", "| | ps4kit | budget | met | x | ps4kit : it | y | ps4kit : it |", "|---|---:|---:|---|---:|---:|---:|---:|",
		"| reads | 2.00 ms | ≤ 5 ms | met | 9.00 ms | 1 : 4.50 | 1.00 ms | 2.00 : 1 |",
		"| memory | 21.0 MB | ≤ 20 MB | **not met** | failed |  | 210 MB | 1 : 9.98 |",
		"| keys | 0.50 |  |  | 0.00 |  | 0.50 | 1 : 1.00 |", "",
	}, "\n")
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestManyTable(t *testing.T) {
	t.Parallel()
	sized := func(rss float64) crowded { return crowded{size: size{rss: rss}} }
	all := [][]crowded{{sized(16), sized(20)}, {sized(70), {why: failed}}}
	var out strings.Builder
	manyTable(subjects()[:2], []int{1, 9}, all).markdown(&out)
	for _, want := range []string{"| 1: memory, resident | 16.0 MB |  |  | 70.0 MB | 1 : 4.38 |", "| 9: memory of each further console | 0.50 MB | ≤ 1 MB | met | failed |  |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestReportNeedsItsPlace(t *testing.T) {
	t.Parallel()
	for i, text := range []string{"", markBegin, markEnd, markEnd + markBegin} {
		page := filepath.Join(t.TempDir(), fmt.Sprintf("%d.md", i))
		write(t, page, text)
		if err := writeReport(page, machine{}, &bench{}, nil); err == nil {
			t.Errorf("a page with %q is written", text)
		}
		if got := read(t, page); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

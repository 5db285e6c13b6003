package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/colorprofile"
)

func TestHalfBlocks(t *testing.T) {
	t.Parallel()
	s := shape{columns: 4, colours: colorprofile.TrueColor}
	var out bytes.Buffer
	if err := s.show(&out, redCover(8, 8)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || strings.Count(out.String(), "▀") != 8 {
		t.Fatalf("%q", out.String())
	}
	for i, want := range []string{"200;0;0", "0;200;0"} {
		first, _, _ := strings.Cut(lines[i], "m▀")
		got := regexp.MustCompile(`38;2;(\d+;\d+;\d+);48`).FindStringSubmatch(first)
		if got == nil || !near(got[1], want) {
			t.Errorf("line %d begins %q, want about %s", i, first, want)
		}
		if !strings.HasSuffix(lines[i], "\x1b[m") {
			t.Errorf("line %d leaves its colours behind: %q", i, lines[i])
		}
	}
}

// near says that two colours differ by what resizing may change.
func near(a, b string) bool {
	var p, q [3]int
	_, errA := fmt.Sscanf(a, "%d;%d;%d", &p[0], &p[1], &p[2])
	_, errB := fmt.Sscanf(b, "%d;%d;%d", &q[0], &q[1], &q[2])
	for i := range p {
		if d := p[i] - q[i]; d < -40 || d > 40 {
			return false
		}
	}
	return errA == nil && errB == nil
}

func TestHalfBlocksWithFewColours(t *testing.T) {
	t.Parallel()
	s := shape{columns: 4, colours: colorprofile.ANSI256}
	var out bytes.Buffer
	if err := s.show(&out, redCover(8, 8)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "38;2;") || !strings.Contains(out.String(), "38;5;") {
		t.Errorf("%q", out.String())
	}
}

func TestSixel(t *testing.T) {
	t.Parallel()
	s := shape{sixel: true, columns: 4, colours: colorprofile.TrueColor}
	var out bytes.Buffer
	if err := s.show(&out, redCover(600, 300)); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "\x1bP") || !strings.HasSuffix(out.String(), "\x1b\\\n") || !strings.Contains(out.String(), `"1;1;256;128`) {
		t.Errorf("%.60q … %d bytes", out.String(), out.Len())
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ w, h, side, wantW, wantH int }{
		{512, 512, 40, 40, 40}, {600, 300, 40, 40, 20}, {300, 600, 40, 20, 40}, {10, 5, 40, 10, 5}, {1000, 1, 40, 40, 1}, {512, 512, 1, 1, 1},
	} {
		if w, h := fit(image.NewGray(image.Rect(0, 0, row.w, row.h)), row.side); w != row.wantW || h != row.wantH {
			t.Errorf("%+v: %d by %d", row, w, h)
		}
	}
}

func TestTransparentIsBlack(t *testing.T) {
	t.Parallel()
	if c := scaled(image.NewNRGBA(image.Rect(0, 0, 9, 9)), 3, 3).RGBAAt(1, 1); c != (color.RGBA{A: 255}) {
		t.Errorf("%v", c)
	}
}

func TestNoPictureWithoutATerminal(t *testing.T) {
	t.Parallel()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, w := range []io.Writer{f, io.Discard} {
		if s := shapeOf(w, []string{"TERM=xterm-256color", "COLORTERM=truecolor"}); s != nil {
			t.Errorf("%+v", s)
		}
	}
}

func TestTerminalIsAskedForSixels(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer []string
		want   bool
	}{
		"yes":           {[]string{"\x1b[?62;4;6c"}, true},
		"in parts":      {[]string{"\x1b[?6", "3;1;4", "c"}, true},
		"behind keys":   {[]string{"ls\r", "\x1b[A\x1b[?4c"}, true},
		"no":            {[]string{"\x1b[?62;22c"}, false},
		"like it":       {[]string{"\x1b[?64;14;44c"}, false},
		"nothing":       {nil, false},
		"rubbish":       {[]string{strings.Repeat("4;", 600)}, false},
		"never an end":  {[]string{"\x1b[?4"}, false},
		"other answers": {[]string{"\x1b[>4c"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer here.Close()
				go func() {
					defer there.Close()
					question := make([]byte, 3)
					if _, err := io.ReadFull(there, question); err != nil || string(question) != "\x1b[c" {
						t.Errorf("asked %q, %v", question, err)
					}
					for _, part := range row.answer {
						_, _ = io.WriteString(there, part)
					}
					_, _ = io.Copy(io.Discard, there) // silence, until the asker goes
				}()
				began := time.Now()
				if got := speaksSixel(here); got != row.want {
					t.Errorf("got %v", got)
				}
				if took := time.Since(began); took > sixelAnswer {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

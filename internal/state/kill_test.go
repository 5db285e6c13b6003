package state_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
)

// counted is a document that shows whether it is whole: Body is as long as Number says, and full of it.
type counted struct {
	Number int    `json:"number"`
	Body   string `json:"body"`
}

func newCounted(number int) counted {
	return counted{number, strings.Repeat(strconv.Itoa(number%10), 100+number*7919%20_000)}
}

// TestKill kills a process that writes without pause, at random instants, over
// and over. Each time the document must be whole, and either the last one that
// the process reported as saved or the one after it.
func TestKill(t *testing.T) {
	t.Parallel()
	const kills, limit = 60, 4 * time.Second // a process takes 10 ms to start, and many times that under load
	dir := t.TempDir()
	start, done, written := time.Now(), 0, 0
	for ; done < kills && time.Since(start) < limit; done++ {
		acknowledged := killOnce(t, dir)
		found := loadCounted(t, dir)
		if found < max(acknowledged, written) || acknowledged > 0 && found > acknowledged+1 {
			t.Fatalf("kill %d: found %d, acknowledged %d, before %d", done, found, acknowledged, written)
		}
		written = found
	}
	if written < done {
		t.Fatalf("%d kills, %d documents: nothing is proved", done, written)
	}
	t.Logf("%d kills, %d documents", done, written)
}

// killOnce starts a writer, kills it some time after its first document, and returns the last one it said was saved (0: none).
func killOnce(t *testing.T, dir string) int {
	t.Helper()
	child := exec.Command(os.Args[0], dir)
	child.Env = append(os.Environ(), roleVariable+"=writer")
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("the writer wrote nothing")
	}
	acknowledged := number(t, lines.Text())
	killer := time.AfterFunc(rand.N(8*time.Millisecond), func() { _ = child.Process.Kill() })
	defer killer.Stop()
	for lines.Scan() {
		acknowledged = number(t, lines.Text())
	}
	if err := child.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return acknowledged
}

func number(t *testing.T, line string) int {
	t.Helper()
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("the writer says %q", line)
	}
	return n
}

// loadCounted returns the number of the document that a kill has left behind.
func loadCounted(t *testing.T, dir string) int {
	t.Helper()
	s, err := state.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := state.HomeKit[counted](s, hostID)
	found, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	if found != newCounted(found.Number) {
		t.Fatalf("document %d is torn", found.Number)
	}
	if got := names(t, dir, "homekit"); !slices.Equal(got, []string{hostID + ".json", hostID + ".json.copy"}) {
		t.Fatalf("left: %v", got)
	}
	return found.Number
}

// writeUntilKilled saves one document after the other and prints the number of each when it is saved.
func writeUntilKilled(dir string) int {
	s, err := state.Open(dir, nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	f := state.HomeKit[counted](s, hostID)
	last, err := f.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Println(err)
		return 1
	}
	for n := last.Number + 1; ; n++ {
		if err := f.Save(newCounted(n)); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(n)
	}
}

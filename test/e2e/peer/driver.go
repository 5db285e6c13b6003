package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// Patience bounds every wait of these tests. A test that passes never waits so
// long.
const Patience = time.Minute

// Driver is a program that reads commands and writes answers line by line. A
// command is {"id":N,"do":"…",…}, its answer {"id":N,"result":…} or
// {"id":N,"error":"…"}. A line without an id is an event.
type Driver struct {
	t     *testing.T
	in    io.Writer
	event func(line []byte)

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// Args are the arguments of a command.
type Args map[string]any

// StartDriver runs a command in a directory until the test ends. It calls event
// for each event, one after another.
func StartDriver(t *testing.T, dir string, command []string, event func(line []byte)) *Driver {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // a program of this test
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &Driver{t: t, in: in, event: event, waiting: map[int]chan answer{}}
	read := make(chan struct{})
	go func() { defer close(read); d.read(out) }()
	t.Cleanup(func() {
		d.end(in, read)
		cancel()
		<-read
		_ = cmd.Wait()
	})
	return d
}

// end closes the program's stdin, and waits until it ends by itself.
func (d *Driver) end(in io.Closer, read <-chan struct{}) {
	_ = in.Close()
	select {
	case <-read:
	case <-time.After(Patience):
		d.t.Error("a driver does not end")
	}
}

func (d *Driver) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			d.t.Errorf("the driver said %q", lines.Text())
			return
		}
		if a.ID == 0 {
			d.event(lines.Bytes())
			continue
		}
		d.mu.Lock()
		if w, ok := d.waiting[a.ID]; ok {
			w <- a
			delete(d.waiting, a.ID)
		}
		d.mu.Unlock()
	}
}

// Try sends a command and returns its result.
func (d *Driver) Try(verb string, a Args) (json.RawMessage, error) {
	d.mu.Lock()
	d.next++
	id, reply := d.next, make(chan answer, 1)
	d.waiting[id] = reply
	line := Args{"id": id, "do": verb}
	for k, v := range a {
		line[k] = v
	}
	err := json.NewEncoder(d.in).Encode(line)
	d.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", verb, err)
	}
	select {
	case r := <-reply:
		if r.Error != "" {
			return nil, errors.New(r.Error)
		}
		return r.Result, nil
	case <-time.After(Patience):
		return nil, fmt.Errorf("%s: no answer after %v", verb, Patience)
	}
}

// Do is Try for a command that must succeed. It stores the result in out, unless
// out is nil.
func (d *Driver) Do(verb string, a Args, out any) {
	d.t.Helper()
	result, err := d.Try(verb, a)
	if err != nil {
		d.t.Fatalf("%s: %v", verb, err)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(result, out); err != nil {
		d.t.Fatalf("%s: %v in %s", verb, err, result)
	}
}

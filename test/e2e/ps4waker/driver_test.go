package ps4waker_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// credential is the account of the test.
var credential = strings.Repeat("0123456789abcdef", 4)

// driver is a running driver.js.
type driver struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

// startDriver runs driver.js against a console until the test ends.
func startDriver(t *testing.T, console *ps4test.Console) *driver {
	t.Helper()
	dir := t.TempDir()
	key, credentials := filepath.Join(dir, "key.pem"), filepath.Join(dir, "credentials.json")
	writeFile(t, key, console.PublicKeyPEM())
	writeFile(t, credentials, []byte(`{"client-type":"a","auth-type":"C","user-credential":"`+credential+`"}`))
	cmd := exec.CommandContext(t.Context(), "node", "driver.js", key, credentials, console.Addr().Addr().String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &driver{t: t, in: in, out: bufio.NewScanner(out)}
}

// do runs one step and stores its result, unless result is nil.
func (d *driver) do(result any, step string, args ...any) {
	d.t.Helper()
	if args == nil {
		args = []any{}
	}
	line, err := json.Marshal(map[string]any{"step": step, "args": args})
	must(d.t, err)
	_, err = d.in.Write(append(line, '\n'))
	must(d.t, err)
	if !d.out.Scan() {
		d.t.Fatalf("%s: the driver ended: %v", step, d.out.Err())
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  string          `json:"error"`
	}
	must(d.t, json.Unmarshal(d.out.Bytes(), &answer))
	if answer.Error != "" {
		d.t.Fatalf("%s %v: %s", step, args, answer.Error)
	}
	if result != nil {
		must(d.t, json.Unmarshal(answer.Result, result))
	}
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	must(t, os.WriteFile(name, content, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

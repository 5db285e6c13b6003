package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// testCredential is the PSN user of the scripts: the vector of docs/protocol.md §2.
const testCredential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"

// rig is what one script has.
type rig struct {
	t        testing.TB
	served   bool // "owner" starts a server
	consoles map[string]*ps4test.Console
	config   []map[string]any // of the consoles, as PS4KIT_CONSOLES takes it
	addrs    []string
	server   *exec.Cmd
	shell    *shell
	sources  *sources // of names and covers
}

// loopbackHosts numbers the addresses of consoles that need one of their own.
var loopbackHosts atomic.Uint32

type rigKey struct{}

func rigOf(ts *testscript.TestScript) *rig { return ts.Value(rigKey{}).(*rig) }

// setUp gives a script a state directory of its own, and no network but loopback.
func setUp(env *testscript.Env, served bool) error {
	env.Values[rigKey{}] = &rig{t: env.T().(testing.TB), served: served, consoles: map[string]*ps4test.Console{}}
	env.Setenv("CREDENTIAL", testCredential)
	env.Setenv("GORACE", "atexit_sleep_ms=10") // with -race every command would end a second late
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "s")) // short: a socket's path has a limit
	env.Setenv("PS4KIT_ART_ENABLED", "false")
	env.Setenv("PS4KIT_DISCOVERY_BROADCAST", "127.0.0.1:1") // nobody is there
	env.Setenv("PS4KIT_DISCOVERY_LOCAL_PORT", "0")
	env.Setenv("PS4KIT_HOMEKIT_BIND", "127.0.0.1")
	env.Setenv("PS4KIT_HOMEKIT_INTERFACES", "lo")
	env.Setenv("PS4KIT_LOG_LEVEL", "error")
	env.Setenv("PS4KIT_POLL_INTERVAL", "500ms")
	env.Setenv("PS4KIT_POLL_MISSES", "2")
	env.Setenv("PS4KIT_WEB_LISTEN", "127.0.0.1:0")
	env.Setenv("PS4KIT_WEB_PASSWORD_HASH", "$2a$04$.6/Wb7cff0c7oTdTFP1kwe7M9pwip2mbEvT.xlJhIcxF5HAFCW43S") // hashing a first password takes 0.1 s
	return nil
}

// console NAME [KEY=VALUE]... starts a simulated console, with the keys of `ps4kit
// simulate --console` and these:
//
//	configured=false  it is found by searching, but not in the configuration
//	credential=false  it is configured without a credential
//	known=false       it is configured by its address alone
//	keys=true         it is configured with remote_play_keys
//	only=true         the consoles before it are switched off and forgotten
//
// It is linked, awake and on free ports unless the keys say otherwise. $NAME is its
// address, $NAME_ip the same without a port, $NAME_port its port, $NAME_id its host id, $KEY the file with the public key of all consoles.
func cmdConsole(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: console NAME [KEY=VALUE]...")
	}
	name, spec := args[0], []string{"linked=true", "port=0", "tcp_port=0"}
	own := map[string]bool{"configured": true, "credential": true, "known": true, "keys": false, "only": false}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		if _, is := own[key]; is {
			own[key] = value == "true"
			continue
		}
		spec = append(spec, arg)
	}
	cfg, err := parseSimulated(strings.Join(append(spec, "name="+name), ","))
	ts.Check(err)
	switch {
	case cfg.RemotePlay == nil || cfg.Addr != "":
	case cfg.PIN != "": // commands look for it at port 9295
		cfg.Addr = fmt.Sprintf("127.97.%d.%d", os.Getpid()%250+1, loopbackHosts.Add(1))
	default:
		cfg.RemotePlay.Port = 0
	}
	cfg.Timing = ps4test.FastTiming()
	console, err := ps4test.New(cfg)
	for end := time.Now().Add(sawLimit); errors.Is(err, syscall.EADDRINUSE) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond) // a command that is being started still holds the sockets of the one before
		console, err = ps4test.New(cfg)
	}
	ts.Check(err)
	ts.Defer(func() { _ = console.Close() })
	r := rigOf(ts)
	if own["only"] {
		r.clear(ts)
	}
	r.consoles[name] = console
	if addr := console.Addr().String(); !slices.Contains(r.addrs, addr) {
		r.addrs = append(r.addrs, addr)
	}
	if own["configured"] {
		entry := map[string]any{"address": console.Addr().String(), "host_id": console.HostID(), "name": name}
		if !own["known"] {
			delete(entry, "host_id")
		}
		if own["credential"] {
			entry["credential"] = testCredential
		}
		if own["keys"] {
			entry["remote_play_keys"] = true
		}
		r.config = append(r.config, entry)
	}
	r.export(ts, name, console)
}

// clear switches every console off and forgets what ps4kit knows.
func (r *rig) clear(ts *testscript.TestScript) {
	for _, console := range r.consoles {
		ts.Check(console.Close())
	}
	r.consoles, r.config, r.addrs = map[string]*ps4test.Console{}, nil, nil
	ts.Check(os.RemoveAll(ts.Getenv("XDG_STATE_HOME")))
}

// export tells the script and ps4kit of the consoles.
func (r *rig) export(ts *testscript.TestScript, name string, console *ps4test.Console) {
	key := ts.MkAbs("key.pem")
	ts.Check(os.WriteFile(key, console.PublicKeyPEM(), 0o600))
	config, err := json.Marshal(r.config)
	ts.Check(err)
	ts.Setenv(name, console.Addr().String())
	ts.Setenv(name+"_ip", console.Addr().Addr().String())
	ts.Setenv(name+"_id", console.HostID())
	ts.Setenv(name+"_port", fmt.Sprint(console.Addr().Port()))
	ts.Setenv("KEY", key)
	ts.Setenv("PS4KIT_CONSOLE_KEY", key)
	ts.Setenv("PS4KIT_CONSOLES", string(config))
	ts.Setenv("PS4KIT_DISCOVERY_BROADCAST", strings.Join(r.addrs, ","))
}

// owner starts a server in TestScriptServer, and nothing in TestScriptAlone.
func cmdOwner(ts *testscript.TestScript, neg bool, args []string) {
	if rigOf(ts).served {
		cmdServer(ts, neg, args)
	}
}

// server [ARG]... starts `ps4kit serve ARG...`, with which the script goes on when it
// is ready and has printed server.out; "! server" stops it. It ends with the script.
func cmdServer(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	if neg {
		r.stopServer(ts)
		return
	}
	path, err := exec.LookPath("ps4kit")
	ts.Check(err)
	cmd := exec.Command(path, append([]string{"-o", "json", "serve"}, args...)...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	log, err := os.Create(ts.MkAbs("server.log"))
	ts.Check(err)
	defer log.Close()
	cmd.Stderr = log
	ts.Check(cmd.Start())
	r.server = cmd
	ts.Defer(func() { r.stopServer(ts) })
	var ready json.RawMessage
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		ts.Fatalf("the server did not become ready: %v\n%s", err, ts.ReadFile("server.log"))
	}
	ts.Check(os.WriteFile(ts.MkAbs("server.out"), ready, 0o600))
}

// environment is the script's, for commands that testscript does not start itself.
func environment(ts *testscript.TestScript) []string {
	var env []string
	others := []string{"PATH", "HOME", "TMPDIR", "XDG_STATE_HOME", "PS4KIT_CONSOLES", "GORACE", "GOCOVERDIR"}
	for _, name := range slices.Concat(variables(), others) {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// variables are those of the keys of config.yaml.
var variables = sync.OnceValue(func() (names []string) {
	for _, s := range config.Default().Settings() {
		names = append(names, s.Env)
	}
	return names
})

func (r *rig) stopServer(ts *testscript.TestScript) {
	if r.server == nil {
		return
	}
	cmd := r.server
	r.server = nil
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		ts.Logf("the server ended with %v:\n%s", err, ts.ReadFile("server.log"))
	}
}

// hangup sends SIGHUP to the server.
func cmdHangup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: hangup")
	}
	ts.Check(rigOf(ts).server.Process.Signal(syscall.SIGHUP))
}

// logged TEXT waits until the server has logged a text.
func cmdLogged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: logged TEXT")
	}
	for end := time.Now().Add(sawLimit); !strings.Contains(ts.ReadFile("server.log"), args[0]); {
		if time.Now().After(end) {
			ts.Fatalf("the server logged\n%s", ts.ReadFile("server.log"))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// run ps4kit [ARG]... runs a command line in the script's shell. With stdin, a
// terminal or a signal it needs a process of its own: "exec".
func cmdRun(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || args[0] != "ps4kit" {
		ts.Fatalf("usage: run ps4kit [ARG]...")
	}
	if code := show(ts, runVerb(ts, args[1:])); (code != 0) != neg {
		ts.Fatalf("exit code %d", code)
	}
}

// exits CODE ps4kit [ARG]... runs a command line that must end with that code;
// exits CODE exec PROGRAM [ARG]... a program in a process of its own.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ps4kit [ARG]... or exits CODE exec PROGRAM [ARG]...")
	}
	var code int
	var exit *exec.ExitError
	if args[1] != "exec" {
		code = show(ts, runVerb(ts, args[2:]))
	} else if err := ts.Exec(args[2], args[3:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// show makes an outcome that of the script's last command.
func show(ts *testscript.TestScript, o outcome) (code int) {
	_, _ = ts.Stdout().Write(o.Stdout)
	_, _ = ts.Stderr().Write(o.Stderr)
	return o.Code
}

// field FILE PATH VALUE compares a field of the JSON in a file (or stdout, stderr),
// named as in "error.code" or "0.state", with a value as Go prints it. A field that
// is missing is "<nil>".
func cmdField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: field FILE PATH VALUE")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	if d.More() {
		ts.Fatalf("%s holds more than one JSON value", args[0])
	}
	for _, name := range strings.Split(args[1], ".") {
		value = step(value, name)
	}
	if got := fmt.Sprint(value); (got == args[2]) == neg {
		ts.Fatalf("%s is %q", args[1], got)
	}
}

// step goes into an object or a list; "len" is the length of a list.
func step(value any, name string) any {
	switch v := value.(type) {
	case map[string]any:
		return v[name]
	case []any:
		if name == "len" {
			return len(v)
		}
		for i := range v {
			if fmt.Sprint(i) == name {
				return v[i]
			}
		}
	}
	return nil
}

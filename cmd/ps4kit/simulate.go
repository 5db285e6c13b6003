package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// simulateOptions are the flags of `ps4kit simulate`.
type simulateOptions struct {
	consoles []string
	keyFile  string
}

func newSimulate(p *program) *cobra.Command {
	o := &simulateOptions{}
	cmd := &cobra.Command{
		Use:   "simulate --console ip=127.0.0.5,name=Den,…",
		Short: "Run simulated consoles, for developers of other programs",
		Long: `Runs simulated PS4 consoles until it is stopped, and prints one line for each
datagram and packet that they receive. Each --console is a list of

  ip=ADDR           address to listen on (default 127.0.0.1)
  name=NAME         its name
  host_id=HEX       12 hex digits
  type=PS4|PS5
  port=N            UDP port of discovery (default 987; 0 picks a free one)
  tcp_port=N        TCP port (default 997; 0 picks a free one)
  broadcast=false   ignore searches by broadcast (other systems than Linux always do)
  version=DIGITS    system version, such as 09508011
  standby=true      start in rest mode
  pin=DIGITS        the 8 digits that "Add Device" shows
  passcode=DIGITS   the 4 digits of the user
  linked=true       every device is already linked
  strict_keys=true  ignore keys that come sooner after OPEN_RC or the last key than
                    ps4kit sends them, and OPEN_RC right after the connection
  running=ID        the title that runs at the start
  title=ID:NAME     an installed title, repeatable; without any, every id is

Ports 987 and 997 require root or CAP_NET_BIND_SERVICE. A console on 127.0.0.1 is
found by programs on this machine alone. Clients must encrypt their session key
with the public key of these consoles instead of that of real ones: --key writes
it to a file, and ps4kit's own verbs read it with --console-key.

Lines go to stdout, or to stderr with -o json. They contain no credential, PIN,
passcode or text of the keyboard.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.consoles, "console", nil, "a console, as `KEY=VALUE,…`; repeatable")
	f.StringVar(&o.keyFile, "key", "", "write the consoles' public key to `FILE` (PEM)")
	return cmd
}

// simulated is the JSON of a running console.
type simulated struct {
	Address     string `json:"address"`
	HostID      string `json:"host_id"`
	Name        string `json:"name"`
	RequestPort uint16 `json:"request_port"`
	PublicKey   string `json:"public_key"` // PEM
}

func (o *simulateOptions) run(ctx context.Context, p *program) error {
	if len(o.consoles) == 0 {
		o.consoles = []string{"ip=127.0.0.1"}
	}
	var consoles []*ps4test.Console
	defer func() {
		for _, c := range consoles {
			_ = c.Close()
		}
	}()
	out := &lineWriter{w: p.stdout}
	if p.json() {
		out.w = p.stderr
	}
	start := func() error {
		out.mu.Lock() // the list of consoles comes first
		defer out.mu.Unlock()
		for _, spec := range o.consoles {
			cfg, err := parseSimulated(spec)
			if err != nil {
				return usageError(err)
			}
			cfg.Trace = out.print
			cfg.Logf = func(format string, args ...any) { out.print(fmt.Sprintf(format, args...)) }
			console, err := ps4test.New(cfg)
			if err != nil {
				return startError(err)
			}
			consoles = append(consoles, console)
		}
		return o.print(p, consoles)
	}
	if err := start(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// lineWriter writes lines with the time of day, for concurrent use.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) print(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.w, "%s %s\n", time.Now().Format("15:04:05.000"), line)
}

// print writes the public key to its file, and the list of consoles.
func (o *simulateOptions) print(p *program, consoles []*ps4test.Console) error {
	key := consoles[0].PublicKeyPEM() // all consoles share it
	if o.keyFile != "" {
		if err := os.WriteFile(o.keyFile, key, 0o644); err != nil {
			return fmt.Errorf("writing the public key: %w", err)
		}
	}
	if p.json() {
		var list []simulated
		for _, c := range consoles {
			list = append(list, simulated{
				Address:     app.FormatAddress(c.Addr()),
				HostID:      c.HostID(),
				Name:        c.Name(),
				RequestPort: c.TCPAddr().Port(),
				PublicKey:   string(key),
			})
		}
		return json.NewEncoder(p.stdout).Encode(list)
	}
	var text strings.Builder
	for _, c := range consoles {
		fmt.Fprintf(&text, "%s  %s  %s\n", app.FormatAddress(c.Addr()), c.HostID(), c.Name())
	}
	if o.keyFile == "" {
		text.Write(key)
	} else {
		fmt.Fprintf(&text, "public key in %s\n", o.keyFile)
	}
	_, err := io.WriteString(p.stdout, text.String())
	return err
}

// startError adds what to do if a port is not permitted.
func startError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: ports 987 and 997 require root or CAP_NET_BIND_SERVICE; port=0,tcp_port=0 picks free ones", err)
	}
	if errors.Is(err, ps4test.ErrConfig) {
		return usageError(err)
	}
	return err
}

// canBroadcast is false on systems that cannot bind a broadcast address.
const canBroadcast = runtime.GOOS == "linux"

const ddpPort = 987 // UDP port of a PS4

// parseSimulated parses KEY=VALUE,… as described in the help text.
func parseSimulated(spec string) (ps4test.Config, error) {
	c := ps4test.Config{DDPPort: ddpPort, TCPPort: 997, Timing: ps4test.DemoTiming(), Broadcast: canBroadcast}
	for part := range strings.SplitSeq(spec, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			return c, fmt.Errorf("--console: %q is not KEY=VALUE", part)
		}
		if err := setSimulated(&c, key, value); err != nil {
			return c, fmt.Errorf("--console: %s: %w", key, err)
		}
	}
	return c, nil
}

func setSimulated(c *ps4test.Config, key, value string) (err error) {
	switch key {
	case "ip":
		if _, err = netip.ParseAddr(value); err != nil {
			return fmt.Errorf("%q is not an IP address", value)
		}
		c.Addr = value
	case "name":
		c.Name = value
	case "host_id":
		c.HostID = value
	case "type":
		c.HostType = value
	case "version":
		c.SystemVersion = value
	case "pin":
		c.PIN = value
	case "passcode":
		c.Passcode = value
	case "running":
		c.Running = value
	case "port":
		c.DDPPort, err = parsePort(value)
	case "tcp_port":
		c.TCPPort, err = parsePort(value)
	case "standby":
		c.Standby, err = parseBool(value)
	case "linked":
		c.Linked, err = parseBool(value)
	case "strict_keys":
		c.StrictKeys, err = parseBool(value)
	case "broadcast":
		c.Broadcast, err = parseBool(value)
		c.Broadcast = c.Broadcast && canBroadcast
	case "title":
		id, name, _ := strings.Cut(value, ":")
		c.Titles = append(c.Titles, ps4test.Title{ID: strings.ToUpper(id), Name: name})
	default:
		return errors.New("no such key; see ps4kit simulate --help")
	}
	return err
}

func parseBool(value string) (bool, error) {
	b, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", value)
	}
	return b, nil
}

func parsePort(value string) (uint16, error) {
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is not a port", value)
	}
	return uint16(port), nil
}

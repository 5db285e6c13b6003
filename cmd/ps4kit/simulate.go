package main

import (
	"context"
	"errors"
	"flag"
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
	"github.com/ps4kit/ps4kit/ps4"
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
		Short: "Run simulated consoles, for developers",
		Long: `Runs simulated consoles until it is stopped, and prints a line for each
datagram and packet that they receive. Each --console is a list of

  ip=ADDR           address to listen on (default 127.0.0.1)
  name=NAME         its name
  host_id=HEX       12 hex digits
  type=PS4|PS5
  remote_play=true  a PS4 speaks Remote Play too; a PS5 speaks nothing else
  rp_port=N         port of Remote Play, whose stream takes the next two
                    (default 9295; 0 picks free ones)
  account=ID        PSN account that can link, repeatable; without any, all can
  port=N            UDP port of discovery (default 987, or 9302 for a PS5; 0
                    picks a free one)
  tcp_port=N        TCP port (default 997; 0 picks a free one)
  broadcast=false   ignore searches by broadcast (always so except on Linux)
  version=DIGITS    system version, such as 09508011
  standby=true      start in rest mode
  pin=DIGITS        the 8 digits that "Add Device" or "Link Device" shows
  passcode=DIGITS   the 4 digits of the user
  linked=true       every device is already linked
  strict_keys=true  ignore keys that come sooner than ps4kit sends them, and
                    OPEN_RC right after the connection
  running=ID        the title that runs at the start
  title=ID:NAME     an installed title, repeatable; without any, every id is

Ports 987 and 997 require root or CAP_NET_BIND_SERVICE. Only programs on this
machine find a console on 127.0.0.1. Clients must encrypt their session key with
the public key of these consoles instead of the real one: --key writes it to a
file, and ps4kit's own verbs read it with --console-key.

The log goes to stdout, or to stderr with -o json. It contains no credential,
PIN, passcode or text of the keyboard.`,
		Example: examples("simulate --key key.pem", "simulate --console ip=127.0.0.5,name=Den,standby=true"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
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
				return usageError(fmt.Errorf("--console: %w", err))
			}
			cfg.Trace = out.print
			cfg.Logf = func(format string, args ...any) { out.print(fmt.Sprintf(format, args...)) }
			console, err := ps4test.New(cfg)
			switch {
			case errors.Is(err, fs.ErrPermission):
				return fmt.Errorf("%w: ports 987 and 997 require root or CAP_NET_BIND_SERVICE; port=0,tcp_port=0 picks free ones", err)
			case errors.Is(err, ps4test.ErrConfig):
				return usageError(err)
			case err != nil:
				return err
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
	last := strings.TrimSpace(string(key))
	if o.keyFile != "" {
		if err := os.WriteFile(o.keyFile, key, 0o644); err != nil {
			return fmt.Errorf("writing the public key: %w", err)
		}
		last = "public key in " + o.keyFile
	}
	var list []simulated
	var lines []string
	for _, c := range consoles {
		s := simulated{app.FormatAddress(c.Addr()), c.HostID(), c.Name(), c.TCPAddr().Port(), string(key)}
		list = append(list, s)
		lines = append(lines, s.Address+"  "+s.HostID+"  "+s.Name)
	}
	return p.report(list, "%s\n%s", strings.Join(lines, "\n"), last)
}

// parseSimulated parses KEY=VALUE,… as described in the help text. Only Linux can
// bind a broadcast address.
func parseSimulated(spec string) (ps4test.Config, error) {
	const canBroadcast = runtime.GOOS == "linux"
	c := ps4test.Config{DDPPort: ps4.DefaultPort, TCPPort: 997, Timing: ps4test.DemoTiming(), Broadcast: canBroadcast}
	keys := flag.NewFlagSet("console", flag.ContinueOnError)
	keys.Func("ip", "", func(value string) error {
		c.Addr = value
		_, err := netip.ParseAddr(value)
		return err
	})
	keys.StringVar(&c.Name, "name", "", "")
	keys.StringVar(&c.HostID, "host_id", "", "")
	keys.StringVar(&c.HostType, "type", "", "")
	keys.StringVar(&c.SystemVersion, "version", "", "")
	keys.StringVar(&c.PIN, "pin", "", "")
	keys.StringVar(&c.Passcode, "passcode", "", "")
	keys.StringVar(&c.Running, "running", "", "")
	keys.Func("port", "", parsePort(&c.DDPPort))
	keys.Func("tcp_port", "", parsePort(&c.TCPPort))
	remotePlay, rp := false, ps4test.RemotePlay{Port: 9295}
	keys.BoolVar(&remotePlay, "remote_play", false, "")
	keys.Func("rp_port", "", parsePort(&rp.Port))
	keys.Func("account", "", func(value string) error {
		id, err := ps4.ParseAccountID(value)
		rp.Accounts = append(rp.Accounts, id)
		return err
	})
	keys.BoolVar(&c.Standby, "standby", false, "")
	keys.BoolVar(&c.Linked, "linked", false, "")
	keys.BoolVar(&c.StrictKeys, "strict_keys", false, "")
	keys.BoolVar(&c.Broadcast, "broadcast", canBroadcast, "")
	keys.Func("title", "", func(value string) error {
		id, name, _ := strings.Cut(value, ":")
		c.Titles = append(c.Titles, ps4test.Title{ID: strings.ToUpper(id), Name: name})
		return nil
	})
	for part := range strings.SplitSeq(spec, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !found:
			return c, fmt.Errorf("%q is not KEY=VALUE", part)
		case keys.Lookup(key) == nil:
			return c, fmt.Errorf("%s: no such key", key)
		}
		if err := keys.Set(key, value); err != nil {
			return c, fmt.Errorf("%s: %q is not a valid value", key, value)
		}
	}
	hasPort := false
	keys.Visit(func(f *flag.Flag) { hasPort = hasPort || f.Name == "port" })
	if c.HostType == ps4.TypePS5 || remotePlay {
		c.RemotePlay = &rp
	}
	if c.HostType == ps4.TypePS5 && !hasPort {
		c.DDPPort = 9302
	}
	c.Broadcast = c.Broadcast && canBroadcast
	return c, nil
}

func parsePort(port *uint16) func(string) error {
	return func(value string) error {
		n, err := strconv.ParseUint(value, 10, 16)
		*port = uint16(n)
		return err
	}
}

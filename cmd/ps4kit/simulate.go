package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

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
		Long: `Runs simulated PS4 consoles until it is stopped. Each --console is a list of

  ip=ADDR           where it serves (default 127.0.0.1)
  name=NAME         its name
  host_id=HEX       12 hex digits
  type=PS4|PS5
  port=N            UDP port of discovery (default 987; 0: a free one)
  tcp_port=N        TCP port (default 997; 0: a free one)
  version=DIGITS    system version, as 09508011
  standby=true      begins in rest mode
  pin=DIGITS        the 8 digits that "Add Device" shows
  passcode=DIGITS   the 4 digits of the user
  linked=true       every device is linked already
  running=ID        the title that runs at first
  title=ID:NAME     an installed title, repeatable; without any, every id is

The ports 987 and 997 need root or CAP_NET_BIND_SERVICE. Clients must seal their
session key with this console's public key instead of that of real ones: --key
writes it, and ps4kit's own verbs take it as --console-key.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.consoles, "console", nil, "a console, as `KEY=VALUE,…`; repeatable")
	f.StringVar(&o.keyFile, "key", "", "write the consoles' public key to `FILE` (PEM)")
	return cmd
}

// simulated is a console as `simulate -o json` prints it.
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
	var running []simulated
	for _, spec := range o.consoles {
		cfg, err := parseSimulated(spec)
		if err != nil {
			return usageError{err}
		}
		console, err := ps4test.New(cfg)
		if err != nil {
			return startError(err)
		}
		defer func() { _ = console.Close() }()
		running = append(running, simulated{
			Address:     app.FormatAddress(console.Addr()),
			HostID:      console.HostID(),
			Name:        console.Name(),
			RequestPort: console.TCPAddr().Port(),
			PublicKey:   string(console.PublicKeyPEM()),
		})
	}
	if o.keyFile != "" {
		if err := os.WriteFile(o.keyFile, []byte(running[0].PublicKey), 0o644); err != nil { //nolint:gosec // a public key
			return fmt.Errorf("writing the public key: %w", err)
		}
	}
	if err := o.print(p, running); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (o *simulateOptions) print(p *program, running []simulated) error {
	if p.json() {
		return json.NewEncoder(p.stdout).Encode(running)
	}
	for _, s := range running {
		if _, err := fmt.Fprintf(p.stdout, "%s  %s  %s\n", s.Address, s.HostID, s.Name); err != nil {
			return err
		}
	}
	if o.keyFile == "" {
		_, err := fmt.Fprint(p.stdout, running[0].PublicKey)
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "public key in %s\n", o.keyFile)
	return err
}

// startError tells what to do when a port cannot be had.
func startError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: the ports 987 and 997 need root or CAP_NET_BIND_SERVICE; port=0,tcp_port=0 takes free ones", err)
	}
	if errors.Is(err, ps4test.ErrConfig) {
		return usageError{err}
	}
	return err
}

// The ports of a real console.
const (
	ddpPort     = 987
	requestPort = 997
)

// parseSimulated reads KEY=VALUE,… as the help text describes it.
func parseSimulated(spec string) (ps4test.Config, error) {
	c := ps4test.Config{DDPPort: ddpPort, TCPPort: requestPort, Timing: ps4test.DemoTiming()}
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
		c.Standby, err = strconv.ParseBool(value)
	case "linked":
		c.Linked, err = strconv.ParseBool(value)
	case "title":
		id, name, _ := strings.Cut(value, ":")
		c.Titles = append(c.Titles, ps4test.Title{ID: strings.ToUpper(id), Name: name})
	default:
		return errors.New("no such key; see ps4kit simulate --help")
	}
	return err
}

func parsePort(value string) (uint16, error) {
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is not a port", value)
	}
	return uint16(port), nil
}

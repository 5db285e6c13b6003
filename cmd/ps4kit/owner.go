package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// owner returns a client of the running server, which owns the state and the
// only session of each console, or of this process, which locks the state and
// does the same with override. running reports which; done releases it.
func (p *program) owner(ctx context.Context, override app.Override) (c *api.Client, running bool, done func(), err error) {
	dir, err := p.stateDirectory()
	if err != nil {
		return nil, false, nil, err
	}
	client, err := api.Connect(ctx, app.SocketPath(dir))
	switch {
	case err == nil:
		client.OnNotice = p.notice
		return client, true, func() {}, nil
	case !errors.Is(err, api.ErrNoServer):
		return nil, false, nil, err
	}
	cfg, err := p.configuration()
	if err != nil {
		return nil, false, nil, err
	}
	if p.logLevel == "" && !p.debug {
		cfg.Log.Level = "warn" // the command prints its result itself
	}
	store, err := p.openState(dir)
	if err != nil {
		return nil, false, nil, err
	}
	local, err := app.Stopped(cfg, store, p.logger(cfg), override)
	if err != nil {
		return nil, false, nil, errors.Join(err, store.Close())
	}
	c = api.Local(api.Handler(api.Services{Backend: local, Explain: app.Explain}))
	c.OnNotice = p.notice
	return c, false, func() { _, _ = local.Close(), store.Close() }, nil
}

// consoleFlags are the flags of the verbs that talk to a console.
type consoleFlags struct {
	address    string
	hostID     string
	name       string
	credential string
	localPort  uint16
	bind       string
	broadcast  []string
	timeout    time.Duration
	passcode   string
	consoleKey string
}

func (f *consoleFlags) add(cmd *cobra.Command) {
	f.addNetwork(cmd)
	fl := cmd.Flags()
	fl.StringVarP(&f.address, "ip-address", "i", "", "`ADDR[:DDPPORT]` of the console")
	fl.StringVar(&f.hostID, "host-id", "", "host `ID` of the console")
	fl.StringVar(&f.name, "name", "", "`NAME` of the console")
	fl.StringVarP(&f.credential, "credentials", "c", "", "credential: `HEX|FILE`")
	fl.StringArrayVar(&f.broadcast, "broadcast", nil, "where to search, `ADDR[:PORT]`; repeatable")
	fl.StringVar(&f.passcode, "passcode", "", "the 4 `DIGITS` with which the user signs in on the console")
	fl.StringVar(&f.consoleKey, "console-key", "", "public key `FILE` (PEM) of a simulated console")
}

// addNetwork adds the flags that say how to ask a console whose address is an
// argument.
func (f *consoleFlags) addNetwork(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.Uint16VarP(&f.localPort, "port", "p", 0, "local UDP port `N` (default 1987, or a free one)")
	fl.StringVar(&f.bind, "bind", "", "local `IP` address")
	fl.VarP((*patience)(&f.timeout), "timeout", "t", "give up after this `DURATION`")
}

// patience is the value of --timeout, a positive duration.
type patience time.Duration

func (d *patience) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed <= 0 {
		return errors.New("write a number above zero and a unit, such as 500ms or 10s")
	}
	*d = patience(parsed)
	return nil
}

func (d *patience) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

// Type is what pflag calls such values.
func (d *patience) Type() string { return "duration" }

// connect returns a client for a verb, and the host that names its console in
// requests. The returned context ends after --timeout; done releases the client.
func (f *consoleFlags) connect(ctx context.Context, p *program) (_ context.Context, c *api.Client, host string, done func(), err error) {
	host, err = f.host()
	if err != nil {
		return nil, nil, "", nil, usageError(err)
	}
	override, err := f.override()
	if err != nil {
		return nil, nil, "", nil, usageError(err)
	}
	c, running, release, err := p.owner(ctx, override)
	if err != nil {
		return nil, nil, "", nil, err
	}
	if running && !override.IsZero() {
		p.notice("a server is running: it uses its own credential, key and network settings")
	}
	cancel := func() {}
	if f.timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout,
			&api.Error{Code: "unreachable", Message: fmt.Sprintf("not done after %v", f.timeout), Hint: "Give it more time with --timeout."})
	}
	return ctx, c, host, func() { cancel(); release() }, nil
}

// host returns the console's host, from one of three flags.
func (f *consoleFlags) host() (string, error) {
	given := ""
	for _, v := range []string{f.address, f.hostID, f.name} {
		if v == "" {
			continue
		}
		if given != "" {
			return "", errors.New("give only one of --ip-address, --host-id and --name")
		}
		given = v
	}
	if f.address == "" {
		return given, nil
	}
	addr, err := ps4.ParseAddress(f.address)
	if err != nil {
		return "", fmt.Errorf("--ip-address: %w", err)
	}
	return app.FormatAddress(addr), nil
}

// override returns what the flags override in the configuration.
func (f *consoleFlags) override() (o app.Override, err error) {
	o.LocalPort = f.localPort
	if f.bind != "" {
		if o.Bind, err = netip.ParseAddr(f.bind); err != nil {
			return o, fmt.Errorf("--bind: %q is not an IP address", f.bind)
		}
	}
	for _, text := range f.broadcast {
		addr, err := ps4.ParseAddress(text)
		if err != nil {
			return o, fmt.Errorf("--broadcast: %w", err)
		}
		o.Broadcast = append(o.Broadcast, addr)
	}
	if f.consoleKey != "" {
		if o.ConsoleKey, err = readPublicKey(f.consoleKey); err != nil {
			return o, fmt.Errorf("--console-key: %w", err)
		}
	}
	if f.passcode != "" {
		if o.Passcode, err = ps4.ParsePasscode(f.passcode); err != nil {
			return o, fmt.Errorf("--passcode: %w", err)
		}
	}
	if f.credential != "" {
		if o.Credential, err = readCredential(f.credential); err != nil {
			return o, fmt.Errorf("--credentials: %w", err)
		}
	}
	return o, nil
}

// notice tells the user something besides the result, once.
func (p *program) notice(text string) {
	if _, told := p.noticed.LoadOrStore(text, true); !told {
		_, _ = fmt.Fprintln(p.stderr, "ps4kit: "+text)
	}
}

// maxCredentialFile is the maximum size of a credential file, in bytes.
const maxCredentialFile = 1 << 10

// readCredential parses a credential, or reads it from a file. Its errors don't
// repeat the text, which may be a mistyped credential.
func readCredential(text string) (ps4.Credential, error) {
	if c, err := ps4.ParseCredential(text); err == nil {
		return c, nil
	}
	f, err := os.Open(text)
	if err != nil {
		return ps4.Credential{}, errors.New("neither 64 hex digits nor a file that can be read")
	}
	defer func() { _ = f.Close() }()
	held, err := io.ReadAll(io.LimitReader(f, maxCredentialFile))
	if err != nil {
		return ps4.Credential{}, errors.New("the file cannot be read")
	}
	return ps4.ParseCredential(strings.TrimSpace(string(held)))
}

// readPublicKey reads a key that `ps4kit simulate --key` wrote.
func readPublicKey(file string) (*rsa.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := ps4.ParseServerKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

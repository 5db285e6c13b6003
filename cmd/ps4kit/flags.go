package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// consoleFlags are the flags of the verbs that talk to a console.
type consoleFlags struct {
	address    string // at most one of address, hostID and name
	hostID     string
	name       string
	credential string
	passcode   string
	network    app.Override
	timeout    time.Duration
}

func (f *consoleFlags) add(cmd *cobra.Command) *cobra.Command {
	f.addNetwork(cmd)
	fl := cmd.Flags()
	fl.StringVarP(&f.address, "ip-address", "i", "", "`ADDR[:DDPPORT]` or host name of the console")
	fl.StringVar(&f.hostID, "host-id", "", "host `ID` of the console")
	fl.StringVar(&f.name, "name", "", "`NAME` of the console")
	fl.StringVarP(&f.credential, "credentials", "c", "", "credential for this command: `HEX|FILE`")
	fl.Func("broadcast", "search at `ADDR[:PORT]`; repeatable", func(text string) error {
		addr, err := ps4.ParseAddress(text)
		f.network.Broadcast = append(f.network.Broadcast, addr)
		return err
	})
	fl.StringVar(&f.passcode, "passcode", "", "4 `DIGITS` that the PSN user enters on the console")
	fl.Func("console-key", "public key `FILE` (PEM) of a simulated console", func(file string) error {
		text, err := os.ReadFile(file)
		if err == nil {
			f.network.ConsoleKey, err = ps4.ParseServerKey(text)
		}
		return err
	})
	_ = fl.MarkHidden("console-key")
	return cmd
}

// addNetwork adds the flags of a verb whose argument is the console's address.
func (f *consoleFlags) addNetwork(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.Uint16VarP(&f.network.LocalPort, "port", "p", 0, "local UDP port `N` (default 1987, or a free one)")
	fl.TextVar(&f.network.Bind, "bind", netip.Addr{}, "local `IP` address")
	fl.FuncP("timeout", "t", "give up after this `DURATION`", func(text string) (err error) {
		if f.timeout, err = time.ParseDuration(text); err != nil || f.timeout <= 0 {
			return errors.New("write a number above zero and a unit, such as 500ms or 10s")
		}
		return nil
	})
}

// connect returns a client of the running server, which owns the state and the
// only session of each console, or of this process, which locks the state and
// does the same with the flags. host names the console in requests. The returned
// context ends after --timeout; release ends all.
func (f *consoleFlags) connect(ctx context.Context, p *program) (_ context.Context, c *api.Client, host string, release func(), err error) {
	host, override, err := f.parse(ctx)
	if err != nil {
		return nil, nil, "", nil, err
	}
	c, dir, err := p.server(ctx)
	closeClient := func() {}
	switch {
	case errors.Is(err, api.ErrNoServer):
		c, closeClient, err = p.local(dir, override)
	case err == nil && !override.IsZero():
		p.notice("a server is running: it uses its own credential, key and network settings")
	}
	if err != nil {
		return nil, nil, "", nil, err
	}
	c.OnNotice = p.notice
	ctx, cancel := f.withTimeout(ctx)
	return ctx, c, host, func() { cancel(); closeClient() }, nil
}

func (f *consoleFlags) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, f.timeout,
		&api.Error{Code: "unreachable", Message: fmt.Sprintf("timed out after %v", f.timeout), Hint: "Allow more time with --timeout."})
}

// parse returns the host that the flags name, and what they override in the
// configuration. It resolves host names.
func (f *consoleFlags) parse(ctx context.Context) (host string, o app.Override, err error) {
	given := slices.DeleteFunc([]string{f.address, f.hostID, f.name}, func(s string) bool { return s == "" })
	if len(given) > 1 {
		return "", o, usageError(errors.New("give only one of --ip-address, --host-id and --name"))
	}
	host = strings.Join(given, "")
	if f.hostID != "" && !isHostID(f.hostID) {
		return "", o, usageError(fmt.Errorf("--host-id: %q is not a host id, which has 12 hex digits", f.hostID))
	}
	if f.address != "" {
		addr, err := app.ResolveAddress(ctx, f.address)
		if codeOf(err) == "bad_address" {
			err = usageError(err)
		}
		if err != nil {
			return "", o, err
		}
		host = app.FormatAddress(addr)
	}
	o = f.network
	if f.passcode != "" {
		if o.Passcode, err = ps4.ParsePasscode(f.passcode); err != nil {
			return "", o, usageError(fmt.Errorf("--passcode: %w", err))
		}
	}
	if f.credential != "" {
		if o.Credential, err = readCredential(f.credential); err != nil {
			return "", o, usageError(fmt.Errorf("--credentials: %w", err))
		}
	}
	return host, o, nil
}

func isHostID(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 12
}

// takePasscode returns the passcode, to be stored, and clears the flag, which
// would apply to this command only.
func (f *consoleFlags) takePasscode() (string, error) {
	text := f.passcode
	f.passcode = ""
	if text == "" {
		return "", nil
	}
	passcode, err := ps4.ParsePasscode(text)
	return passcode.Reveal(), asUsage(err)
}

// readCredential parses a credential, or reads it from a file of at most 1 KiB.
// Its errors don't repeat the text, which may be a mistyped credential.
func readCredential(text string) (ps4.Credential, error) {
	if c, err := ps4.ParseCredential(text); err == nil {
		return c, nil
	}
	f, err := os.Open(text)
	if err != nil {
		return ps4.Credential{}, errors.New("neither 64 hex digits nor a file that can be read")
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return ps4.Credential{}, errors.New("the file cannot be read")
	}
	return ps4.ParseCredential(string(content))
}

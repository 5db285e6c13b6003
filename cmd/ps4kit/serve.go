package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
)

// serveOptions are the flags of `ps4kit serve`.
type serveOptions struct{ simulate int }

func newServe(p *program) *cobra.Command {
	o := &serveOptions{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the HomeKit server",
		Long: `Makes each console a television in Apple Home, until it is stopped.

With --simulate it adds simulated PS4 consoles on loopback ports, the last of
several being a PS5, and doesn't search the network for real ones. So you can
try everything without a console.

Changes to log.level, updates, and the titles and the remote control of a
console in config.yaml apply while the server runs (a service reloads them at
once on SIGHUP). Other changes need a restart.

On a terminal it shows the address and the first password of the web page, and
each console with its QR code and what it still needs. Closing the terminal ends
it. A service logs what a console needs, without secrets: ps4kit homekit qr and
ps4kit web password show those.`,
		Example: examples("serve", "serve --simulate 2", "serve --config /etc/ps4kit/config.yaml"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	cmd.Flags().IntVar(&o.simulate, "simulate", 0, "add `N` simulated consoles")
	return cmd
}

func (o *serveOptions) run(ctx context.Context, p *program) error {
	c, err := p.configuration()
	if err != nil {
		return err
	}
	dir, err := state.Dir(p.stateDir)
	if err != nil {
		return err
	}
	log := p.logger(c)
	store, err := state.Open(dir, &state.Options{Warn: func(err error) { log.Warn(err) }})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	hangup := make(chan os.Signal, 1)
	if isTerminal(p.stdin) || isTerminal(p.stdout) || isTerminal(p.stderr) { // a person started it
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	} else {
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	watch := &configWatch{file: c.File, hangup: hangup, load: p.configuration, log: log, out: make(chan *config.Config)}
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { watch.run(ctx) })
	defer watching.Wait()
	defer cancel()
	return app.Run(ctx, app.Options{
		Config:   c,
		State:    store,
		Simulate: o.simulate,
		Log:      log,
		Version:  version,
		Command:  p.command(),
		Ready:    func(g app.Greeting) { o.greet(p, g) },
		Needs:    func(s app.Setup) { o.tell(p, log, s) },
		Reload:   watch.out,
	})
}

// mayShow reports whether to print secrets: on a terminal, or with simulated
// consoles. Anything else may be a log.
func (o *serveOptions) mayShow(p *program) bool { return o.simulate > 0 || isTerminal(p.stdout) }

// greet tells the user how to open the web page, or prints the accessories as
// JSON.
func (o *serveOptions) greet(p *program, g app.Greeting) {
	switch {
	case p.json():
		list := slices.Clone(g.Accessories)
		for i := range list {
			if !o.mayShow(p) {
				list[i].SetupCode, list[i].SetupURI = "", ""
			}
		}
		_ = writeJSON(p.stdout, list)
	case o.mayShow(p):
		_, _ = fmt.Fprint(p.stdout, pageLines(g.Page, p.command()))
		if len(g.Accessories) == 0 {
			_, _ = fmt.Fprint(p.stdout, searching)
		}
	}
}

const searching = `
Searching for consoles. Turn yours on, or add it by its address on the web page.
No console at hand? Try: ps4kit serve --simulate 1
`

// command returns the command line that runs ps4kit on the state of this server.
func (p *program) command() string {
	dir, err := state.Dir(p.stateDir)
	if p.stateDir == "" || err != nil {
		return "ps4kit"
	}
	if strings.ContainsAny(dir, " '\"$&;()`\\") { // for a shell
		dir = "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
	}
	return "ps4kit --state-dir " + dir
}

// pageLines returns the addresses of the web page and how to sign in; command is
// that of the program.
func pageLines(page app.Page, command string) string {
	password := page.Password.Password
	switch {
	case page.Configured:
		password = "that of web.password_hash in the configuration"
	case password == "":
		password = "the one that you chose; " + command + " web password --new makes a new one"
	}
	text := "\nWeb page  " + page.URL + "\n"
	if page.NameURL != "" {
		text += "          " + page.NameURL + "\n"
	}
	text += "Password  " + password + "\n"
	if page.Local {
		text += "\nOnly this machine can open the page. To open it to your network, set web.listen:\n" +
			"\":8990\" in config.yaml.\n"
	}
	return text + "\nStop with Ctrl-C. Pairings are kept.\n"
}

// tell reports what a console still needs. Only a terminal gets its codes.
func (o *serveOptions) tell(p *program, log logrus.FieldLogger, s app.Setup) {
	if !p.json() && o.mayShow(p) {
		_, _ = io.WriteString(p.stdout, setupText(s, p.command()))
		return
	}
	log = log.WithField("console", s.Accessory.Name)
	switch paired := s.Met(app.NeedPairing); {
	case len(s.Needs) > 0:
		needs := strings.Join(steps(s, p.command()+" homekit qr", p.command()), "; ")
		log.WithField("needs", needs).Info("this console is not set up yet")
	case paired || len(s.Before) > 0:
		log.Info("this console is set up")
	}
}

// setupText returns a block about a console: its QR code when it is new or no
// longer paired, and what it needs. It returns one line if that is nothing.
func setupText(s app.Setup, command string) string {
	a := s.Accessory
	paired := fmt.Sprintf("\n%s is paired.\n", a.Name)
	switch {
	case len(s.Needs) == 0 && !s.New && !s.Met(app.NeedPairing):
		return fmt.Sprintf("\n%s is ready.\n", a.Name)
	case len(s.Needs) == 0:
		return paired
	}
	var b strings.Builder
	pair := "scan its code above, " + a.SetupCode + ", in the Home app"
	switch {
	case s.Lacks(app.NeedPairing) && !slices.Contains(s.Before, app.NeedPairing):
		pair = pairHere
		app.PrintCode(&b, a)
		if s.Type != "" {
			fmt.Fprintf(&b, "  Console     %s, %s\n", s.Type, s.Address)
		}
	case s.Met(app.NeedPairing):
		b.WriteString(paired)
	default:
		fmt.Fprintf(&b, "\n%s\n", a.Name)
	}
	label := "Needs"
	for _, step := range steps(s, pair, command) {
		fmt.Fprintf(&b, "  %-11s %s\n", label, step)
		label = ""
	}
	return b.String()
}

const pairHere = `in the Home app tap +, Add Accessory, and scan the
              code. Home warns that it isn't certified: add it anyway`

// steps returns what to do about each need; pair says how to pair, and command
// runs ps4kit.
func steps(s app.Setup, pair, command string) (list []string) {
	for _, need := range s.Needs {
		switch need {
		case app.NeedAccount:
			list = append(list, "your PSN account: "+command+" credential --psn")
		case app.NeedLink:
			list = append(list, "the PIN on its screen: "+command+" link --host-id "+s.Accessory.HostID)
		case app.NeedUnlock:
			list = append(list, "unlocking: "+command+" homekit reset "+s.Accessory.HostID)
		case app.NeedPairing:
			list = append(list, "pairing: "+pair)
		}
	}
	return list
}

func newWeb(p *program) *cobra.Command {
	renew := false
	password := p.verb(&cobra.Command{
		Use:   "password",
		Short: "Show the first password of the web page, or make a new one",
		Long: `Shows the first password of the web page, until it is changed there. If the
password is lost, --new makes a new one, and everyone has to sign in again.`,
		Example: examples("web password", "web password --new"),
	}, &consoleFlags{}, "Asking for the password", func(ctx context.Context, client *api.Client, _ string, _ []string) (result, error) {
		get := api.WebPassword
		if renew {
			get = api.RenewWebPassword
		}
		shown, err := get.Do(ctx, client, api.None{})
		return result{value: shown, text: shown.Password}, err
	})
	password.Flags().BoolVar(&renew, "new", false, "make a new password")
	cmd := &cobra.Command{Use: "web", Short: "Show or renew the password of the web page", Example: examples("web password")}
	cmd.AddCommand(password)
	return cmd
}

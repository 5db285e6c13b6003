package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
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

Changes to the titles and the remote control of a console in config.yaml apply
while the server runs (SIGHUP reloads them at once). Other changes need a
restart.

On a terminal it shows the setup code and the QR code of each console that isn't
paired, and the address and the first password of the web page. A service
doesn't show them: use ps4kit homekit qr and ps4kit web password.`,
		Example: examples("serve", "serve --simulate 2", "serve --config /etc/ps4kit/config.yaml"),
		Args:    noArgs,
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
	dir, err := state.Dir(p.stateDir, state.Env{})
	if err != nil {
		return err
	}
	log := p.logger(c)
	store, err := state.Open(dir, &state.Options{Warn: func(err error) { log.Warn(err) }})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	reload, stop := p.watchConfig(ctx, c.File, log)
	defer stop()
	return app.Run(ctx, app.Options{
		Config:   c,
		State:    store,
		Simulate: o.simulate,
		Log:      log,
		Version:  version,
		Ready:    func(g app.Greeting) { o.greet(p, g) },
		Reload:   reload,
	})
}

// greet tells the user what to do next. It shows setup codes and the password only
// on a terminal or with simulated consoles: anything else may be a log.
func (o *serveOptions) greet(p *program, g app.Greeting) {
	list := g.Accessories
	mayShow := o.simulate > 0 || isTerminal(p.stdout)
	switch {
	case p.json():
		if !mayShow {
			list = withoutCodes(list)
		}
		_ = writeJSON(p.stdout, list)
		return
	case !mayShow:
		return
	}
	unpaired := 0
	for _, a := range list {
		if !a.Paired {
			unpaired++
			app.PrintCode(p.stdout, a)
		}
	}
	_, _ = fmt.Fprint(p.stdout, nextSteps(len(list), unpaired)+pageLines(g.Page)+stopLine)
}

// withoutCodes returns the accessories without their setup codes.
func withoutCodes(list []api.Accessory) []api.Accessory {
	bare := slices.Clone(list)
	for i := range bare {
		bare[i].SetupCode, bare[i].SetupURI = "", ""
	}
	return bare
}

func nextSteps(consoles, unpaired int) string {
	switch {
	case consoles == 0:
		return "\nNo console is known yet. ps4kit keeps searching; turn one on, or name it in\n" +
			"config.yaml. No console at hand? Try: ps4kit serve --simulate 1\n"
	case unpaired == 0:
		return "\nEvery console is paired. Find them in the Home app and in the Control Center remote.\n"
	}
	return `
Next: on an iPhone or iPad in this network open the Home app, tap + and Add
Accessory, and scan the code above (or choose "More options" and type the setup
code). Home warns that the accessory is not certified: add it anyway. Each console
is an accessory of its own.
`
}

const stopLine = "\nStop with Ctrl-C; what is paired stays paired.\n"

// pageLines returns the address of the web page and how to sign in.
func pageLines(page app.Page) string {
	password := page.Password.Password
	switch {
	case page.Configured:
		password = "that of web.password_hash in the configuration"
	case password == "":
		password = "the one that you chose; ps4kit web password --new makes a new one"
	}
	return fmt.Sprintf("\nWeb page  %s\nPassword  %s\n", page.URL, password)
}

func newWeb(p *program) *cobra.Command {
	renew := false
	password := p.onServer(&cobra.Command{
		Use:   "password",
		Short: "Show the first password of the web page, or make a new one",
		Long: `Shows the first password of the web page, until it is changed there. If the
password is lost, --new makes a new one, and everyone has to sign in again.`,
		Example: examples("web password", "web password --new"),
		Args:    noArgs,
	}, "Asking for the password", func(ctx context.Context, b api.Backend, _ []string) (result, error) {
		get := b.WebPassword
		if renew {
			get = b.RenewWebPassword
		}
		shown, err := get(ctx)
		return result{value: shown, text: shown.Password}, err
	})
	password.Flags().BoolVar(&renew, "new", false, "make a new password")
	cmd := &cobra.Command{Use: "web", Short: "Show or renew the password of the web page", Example: examples("web password"), Args: noArgs}
	cmd.AddCommand(password)
	return cmd
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
)

// program holds the streams and global flags that every verb uses.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	configFile string
	stateDir   string
	logLevel   string
	logFormat  string
	debug      bool
	output     string
	version    bool // print the version instead of running the verb

	verb    string   // the whole path, for example "ps4kit title info"
	started bool     // a verb is running: later errors are not usage errors
	noticed sync.Map // notices that were printed
}

// execute runs a command line and returns its exit code. SIGINT and SIGTERM
// cancel the verb's context.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr}
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	verb, err := root.ExecuteContextC(ctx)
	p.verb = verb.CommandPath()
	if err != nil && !p.started {
		p.output = outputOf(args)
		err = usageError(err)
	}
	return p.finish(err)
}

// outputOf finds --output in a command line that does not parse, for the format
// of the error.
func outputOf(args []string) string {
	cmd := &cobra.Command{FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true}}
	output := cmd.Flags().StringP("output", "o", "text", "")
	_ = cmd.ParseFlags(args) // other errors are known already
	return *output
}

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "ps4kit",
		Short: "PlayStation 4 consoles as televisions in Apple Home",
		Long: `ps4kit makes each PlayStation 4 of the house a television in Apple Home, and
drives consoles from the command line.

Try it with no console at all:  ps4kit serve --simulate 1`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if err := p.checkGlobals(); err != nil {
				return err
			}
			p.started = true
			return nil
		},
	}
	root.SetGlobalNormalizationFunc(dashes)
	f := root.PersistentFlags()
	f.StringVar(&p.configFile, "config", "", "configuration `FILE` (default: config.yaml in ., ~/.config/ps4kit, /etc/ps4kit)")
	f.StringVar(&p.stateDir, "state-dir", "", "`DIR` for what ps4kit remembers")
	f.StringVar(&p.logLevel, "log-level", "", "log `LEVEL`: error, warn, info or debug")
	f.StringVar(&p.logFormat, "log-format", "", "log `FORMAT`: text or json")
	f.BoolVarP(&p.debug, "debug", "v", false, "log everything (--log-level debug)")
	f.StringVarP(&p.output, "output", "o", "text", "`FORMAT` of the result: text or json")
	f.BoolVar(&p.version, "version", false, "print the version and exit")
	root.AddCommand(
		newServe(p), newSearch(p), newConsoles(p), newStatus(p), newWakeup(p), newStandby(p), newToggle(p), newStart(p),
		newRemote(p), newKeyboard(p), newInteractive(p), newTitles(p), newTitle(p), newCredential(p), newLink(p),
		newHomekit(p), newWeb(p), newSimulate(p), newDoctor(p), newConfig(p), newBackup(p), newRestore(p), newVersion(p),
	)
	root.InitDefaultCompletionCmd()
	addCompletions(p, root)
	addVersion(p, root)
	return root
}

// dashes lets flags be spelled with underscores too, as in --ip_address.
func dashes(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
}

// addVersion makes cmd and every verb below it print the version with --version,
// whatever their arguments.
func addVersion(p *program, cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if p.version {
				return nil
			}
			return check(cmd, args)
		}
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if p.version {
				return p.printVersion()
			}
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		addVersion(p, sub)
	}
}

func (p *program) checkGlobals() error {
	if p.output != "text" && p.output != "json" {
		return fmt.Errorf("unknown output format %q: use text or json", p.output)
	}
	if p.logFormat != "" && p.logFormat != "text" && p.logFormat != "json" {
		return fmt.Errorf("unknown log format %q: use text or json", p.logFormat)
	}
	if p.logLevel != "" {
		if _, err := logrus.ParseLevel(p.logLevel); err != nil {
			return fmt.Errorf("unknown log level %q: use error, warn, info or debug", p.logLevel)
		}
	}
	return nil
}

func (p *program) json() bool { return p.output == "json" }

// configuration loads the configuration and applies the global flags. Every
// error has the code config, also if the file does not exist.
func (p *program) configuration() (*config.Config, error) {
	c, err := config.Load(p.configFile)
	if err != nil {
		return nil, &api.Error{Code: "config", Message: api.AsError(err).Message, Err: err}
	}
	if p.logLevel != "" {
		c.Log.Level = p.logLevel
	}
	if p.debug {
		c.Log.Level = "debug"
	}
	if p.logFormat != "" {
		c.Log.Format = p.logFormat
	}
	return c, nil
}

// logger returns the configured logger, which writes to stderr.
func (p *program) logger(c *config.Config) *logrus.Logger {
	log := logrus.New()
	log.SetOutput(p.stderr)
	if level, err := logrus.ParseLevel(c.Log.Level); err == nil {
		log.SetLevel(level)
	}
	if c.Log.Format == "json" {
		log.SetFormatter(&logrus.JSONFormatter{})
	} else {
		log.SetFormatter(&logrus.TextFormatter{DisableColors: !isTerminal(p.stderr), FullTimestamp: true})
	}
	return log
}

// stateDirectory returns the state directory, which also has the server's socket.
func (p *program) stateDirectory() (string, error) {
	return state.Find(p.stateDir, state.Env{})
}

// openState opens a state directory for this process only. The error tells users
// who were directed to the service's directory (state.Find) how to proceed.
func (p *program) openState(dir string) (*state.Store, error) {
	if err := checkStateOwner(dir); err != nil {
		return nil, err
	}
	store, err := state.Open(dir, nil)
	if own, _ := state.Dir(p.stateDir, state.Env{}); errors.Is(err, fs.ErrPermission) && own != dir {
		return nil, &api.Error{Code: "permission", Message: "the ps4kit service of this machine is not running: " + err.Error(),
			Hint: "Start it with \"sudo systemctl start ps4kit\", or name a directory of your own with --state-dir."}
	}
	return store, err
}

// checkStateOwner keeps root from writing files that the owner of the state directory
// could not read.
func checkStateOwner(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil // a missing directory will be root's
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil
	}
	name := fmt.Sprintf("'#%d'", stat.Uid)
	if u, err := user.LookupId(strconv.Itoa(int(stat.Uid))); err == nil {
		name = u.Username
	}
	return &api.Error{Code: "permission", Message: fmt.Sprintf("%s belongs to the user %s, and no server is running", dir, name),
		Hint: "Start the server, or run the command as that user: sudo -u " + name + " ps4kit"}
}

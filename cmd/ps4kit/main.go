// Ps4kit makes PlayStation consoles televisions in Apple Home.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build, see Makefile.
var version = "unknown"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// program holds the streams and global flags that every verb uses.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer // a textWriter, except in tests

	configFile string
	stateDir   string
	logLevel   string
	logFormat  string
	debug      bool
	output     string
	version    bool // print the version instead of running the verb

	path    string   // of the verb, for example "ps4kit title info"
	started bool     // a verb is running: later errors are not usage errors
	noticed sync.Map // notices that were printed
}

func (p *program) json() bool { return p.output == "json" }

// execute runs a command line and returns its exit code. SIGINT and SIGTERM
// cancel the verb's context.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	p := &program{stdin: stdin, stdout: textWriter{stdout}, stderr: textWriter{stderr}}
	root := newRoot(p)
	root.SetArgs(args)
	verb, err := root.ExecuteContextC(ctx)
	p.path = verb.CommandPath()
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

func newVersion(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: examples("version"),
		RunE:    func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

func (p *program) printVersion() error {
	v := map[string]string{"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH}
	return p.report(v, "ps4kit %s (%s, %s/%s)", v["version"], v["go"], v["os"], v["arch"])
}

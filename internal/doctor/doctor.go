// Package doctor finds out why ps4kit doesn't work on a machine. It runs one check
// after the other and reports a [Finding] for each: its result, and what to do
// about it.
//
// It changes nothing on the machine. The checks reach the machine through the
// functions of [System], and the consoles through an api.Client.
package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
)

// Status is the result of a check.
type Status string

// The statuses of a finding.
const (
	OK   Status = "ok"
	Warn Status = "warn" // something may not work, or was not tried
	Fail Status = "fail" // something does not work
)

// Finding is the result of a check.
type Finding struct {
	Check   string `json:"check"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	Hint    string `json:"hint"` // what to do; empty if there is nothing
}

// Options configure Examine. ConfigErr and NoLogin are optional.
type Options struct {
	Config    *config.Config // the defaults if ConfigErr is set
	ConfigErr error
	StateDir  string
	// Connect opens the connection to the consoles. It is called at most once, and
	// not if the configuration is invalid.
	Connect func(context.Context) (Connection, error)
	NoLogin bool // don't log in: the TV shows a message at each login
	System  System
	Report  func(Finding) // called with each finding
}

// Connection is a way to the consoles.
type Connection struct {
	Client  *api.Client
	Running bool   // Client is of a running server
	Host    string // the only console to examine; empty: all
	Close   func()
}

// Examine runs all checks and returns whether one failed. It returns an error only
// if ctx ends first.
func Examine(ctx context.Context, o Options) (failed bool, err error) {
	e := &examination{Options: o}
	// Look at what a connection without a server would change.
	inspection, inspectErr := o.System.Inspect(o.StateDir)
	portErr := o.System.Bind(ctx, o.Config.Discovery.LocalPort)
	var connectErr error
	if o.ConfigErr == nil {
		if e.Connection, connectErr = o.Connect(ctx); connectErr == nil {
			defer e.Close()
		}
	}
	e.configuration()
	e.clock()
	e.interfaces()
	server := 0
	if e.Running {
		server = inspection.Owner
	}
	e.localPort(portErr, server)
	e.multicastPort(server)
	e.firewall()
	e.state(inspection, inspectErr)
	if e.connected(connectErr) {
		e.consoles(ctx)
		e.homekit(ctx)
	}
	if ctx.Err() != nil {
		return e.failed, context.Cause(ctx)
	}
	return e.failed, nil
}

// examination is one run of the checks.
type examination struct {
	Options
	Connection
	known  []api.Console
	failed bool
}

func (e *examination) report(check string, s Status, hint, format string, args ...any) {
	if s == Fail {
		e.failed = true
	}
	e.Report(Finding{Check: check, Status: s, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (e *examination) ok(check, format string, args ...any) { e.report(check, OK, "", format, args...) }

func (e *examination) warn(check, hint, format string, args ...any) {
	e.report(check, Warn, hint, format, args...)
}

func (e *examination) fail(check, hint, format string, args ...any) {
	e.report(check, Fail, hint, format, args...)
}

// plural formats a count: "1 console", "2 consoles".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// list joins the first few names.
func list(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

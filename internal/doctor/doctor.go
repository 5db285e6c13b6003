// Package doctor finds out why ps4kit does not work on a machine. It makes one check after the other and reports a
// [Finding] for each: what is so, and what to do about it.
//
// It changes nothing on the machine. The machine is reached through the functions of [System], and the consoles through
// a api.Backend, that of the running server or of the command itself.
package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
)

// Status says how bad a finding is.
type Status string

// Statuses of a finding.
const (
	OK   Status = "ok"
	Warn Status = "warn" // something may not work, or could not be tried
	Fail Status = "fail" // something does not work
)

// Finding is the result of a check.
type Finding struct {
	Check   string `json:"check"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	Hint    string `json:"hint"` // what to do; empty when there is nothing
}

// Options of Examine. All but ConfigErr, NoLogin and Built are needed.
type Options struct {
	Config    *config.Config // the defaults when ConfigErr is set
	ConfigErr error
	StateDir  string
	// Connect reaches the consoles. It is called once, unless the configuration cannot be used.
	Connect func(context.Context) (Connection, error)
	NoLogin bool      // log in to no console; its TV shows a message at each login
	Built   time.Time // when this program was made; zero: not known
	System  System
	Report  func(Finding) // is told each finding when it is there
}

// Connection is a way to the consoles.
type Connection struct {
	Backend api.Backend
	Running bool   // it is that of a running server
	Host    string // examine this console alone; empty: every one
	Close   func()
}

// Examine makes every check. It returns whether one failed, and an error only when ctx ended before.
func Examine(ctx context.Context, o Options) (failed bool, err error) {
	e := &examination{Options: o}
	e.configuration()
	e.clock()
	for _, check := range []func(context.Context){e.interfaces, e.ports, e.rights, e.firewall, e.reach} {
		if ctx.Err() != nil {
			break
		}
		check(ctx)
	}
	if ctx.Err() != nil {
		return e.failed, context.Cause(ctx)
	}
	return e.failed, nil
}

// examination is one run of the checks.
type examination struct {
	Options
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

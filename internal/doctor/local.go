package doctor

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
)

func (e *examination) configuration() {
	switch {
	case e.ConfigErr != nil:
		e.fail("configuration", "Mend it and try again: ps4kit config check. The other checks go on with the defaults.", "%v", e.ConfigErr)
	case e.Config.File == "":
		e.ok("configuration", "no config.yaml was found: the defaults hold")
	default:
		e.ok("configuration", "%s is good", e.Config.File)
	}
}

// firstRelease is a day before which no clock can be right.
var firstRelease = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock finds one that was never set, as that of a Raspberry Pi without a network. TLS certificates fail with it.
func (e *examination) clock() {
	const hint = "Set it, for example with: sudo timedatectl set-ntp true"
	now, built := e.System.Now(), e.Built
	if built.Before(firstRelease) {
		built = firstRelease
	}
	switch {
	case now.Before(built.AddDate(0, 0, -1)): // a day for those who build it with a clock of their own
		e.fail("clock", hint, "it is %s, which is before this program was made", now.Format(time.DateOnly))
	case now.After(built.AddDate(20, 0, 0)):
		e.warn("clock", hint, "it is %s, which is far in the future", now.Format(time.DateOnly))
	default:
		e.ok("clock", "it is %s", now.Format("2006-01-02 15:04 MST"))
	}
}

// Space below which the state is in danger, in bytes. The state itself takes some megabytes at most, once more while it is
// written; the rest of the disk fills up by other hands.
const (
	lowSpace = 32 << 20
	noSpace  = 1 << 20
)

// state judges what was seen of the state directory before anything opened it.
func (e *examination) state(in state.Inspection, err error, running bool) {
	const check = "state"
	switch {
	case errors.Is(err, fs.ErrNotExist) && in.Writable != nil:
		e.fail(check, "Make it for this user, or name another with --state-dir.", "%s is not there, and this user may not make it", e.StateDir)
		return
	case errors.Is(err, fs.ErrNotExist):
		e.ok(check, "%s is made when it is first needed", e.StateDir)
		return
	case err != nil:
		e.fail(check, "Let this user read it, or name another directory with --state-dir.", "%v", err)
		return
	}
	before := e.failed
	e.stateDirectory(in, running)
	e.documents(in)
	if e.failed == before {
		e.ok(check, "%s in %s", plural(in.Documents, "document", "documents"), e.StateDir)
	}
}

func (e *examination) stateDirectory(in state.Inspection, running bool) {
	const check = "state"
	if in.Mode&0o002 != 0 {
		e.fail(check, "Close it: chmod 750 "+e.StateDir, "everybody may write to %s", e.StateDir)
	}
	if in.Writable != nil && !running {
		e.fail(check, "Run ps4kit as the directory's owner, or name another with --state-dir.", "this user may not write to %s", e.StateDir)
	}
	switch {
	case in.Free < noSpace:
		e.fail(check, "Make room.", "the disk of %s is full: nothing can be remembered", e.StateDir)
	case in.Free < lowSpace:
		e.warn(check, "Make room.", "the disk of %s has only %d MB left", e.StateDir, in.Free>>20)
	}
}

func (e *examination) documents(in state.Inspection) {
	const check = "state"
	if len(in.Damaged) > 0 {
		e.fail(check, "Restore a backup (ps4kit restore FILE), or reset what is damaged (ps4kit homekit reset) and pair again.",
			"damaged: %s", list(in.Damaged))
	}
	if len(in.Newer) > 0 {
		e.fail(check, "Install that version again, or restore a backup.", "written by a newer ps4kit: %s", list(in.Newer))
	}
	if len(in.Aside) > 0 {
		e.warn(check, "Remove them if nothing is missing, or restore a backup.", "set aside because they were damaged: %s", list(in.Aside))
	}
	if len(in.Exposed) > 0 {
		e.warn(check, "chmod 600 them, in "+e.StateDir+".", "others may read secrets in %s", list(in.Exposed))
	}
}

// list names some things.
func list(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

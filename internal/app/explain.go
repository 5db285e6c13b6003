package app

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
)

// Explain returns the code, message and hint of an error. It is the
// one place that gives codes and hints to errors of other packages; those of
// ps4 have their own.
func Explain(err error) *api.Error {
	e := api.AsError(err)
	if e.Code != "failed" {
		return e
	}
	if _, ok := errors.AsType[*config.Error](err); ok {
		e.Code = "config"
		return e
	}
	for _, row := range []struct {
		err        error
		code, hint string
	}{
		{accessory.ErrNoSuchInput, "not_found", "Run ps4kit titles to list the inputs."},
		{accessory.ErrNoFreeSlot, "no_free_slot", "Forget a title, or raise homekit.slots."},
		{accessory.ErrName, "bad_name", "Accented letters and symbols count as two or more."},
		{accessory.ErrNotWoken, "not_woken", "Check that the console is plugged in and may be turned on from the network: Settings > Power Save Settings > Set Features Available in Rest Mode."},
		{accessory.ErrStillAwake, "still_awake", "Check the TV: the console may be waiting for an answer."},
		{accessory.ErrLaunchTimeout, "launch_timeout", "Check the TV: the console may be waiting for an answer, or the title needs an update."},
		{accessory.ErrNoTitles, "no_titles", "Start the title on the console, or with its controller."},
		{accessory.ErrSuperseded, "superseded", "Ignore this: a later command replaced this one."},
		{state.ErrDamaged, "damaged", "Remove its pairings with ps4kit homekit reset NAME, then pair it again."},
		{state.ErrLocked, "locked", ""},
		{state.ErrBackup, "bad_backup", "Choose a file written by ps4kit backup."},
		{artcache.ErrNotFound, "not_found", "Check the id. The source is asked again after a day."},
		{artcache.ErrMalformed, "bad_answer", "Try again after a day: until then the source is not asked again."},
		{artcache.ErrUnavailable, "unreachable", "Check the connection to the internet, and the addresses below art: in the configuration."},
		{artcache.ErrDisabled, "config", "Set art.enabled: true."},
		{artcache.ErrTitleID, "usage", ""},
		{artcache.ErrAddress, "usage", ""},
		{artcache.ErrSize, "usage", ""},
		{fs.ErrPermission, "permission", ""},
		{syscall.ENOSPC, "failed", "Free some space for the state directory, then try again."},
	} {
		if errors.Is(err, row.err) {
			e.Code, e.Hint = row.code, row.hint
			break
		}
	}
	if damaged, ok := errors.AsType[*state.DamagedError](err); ok && damaged.AsideName != "" {
		e.Hint = "" // it is out of the way, and not a file of pairings
	}
	return e
}

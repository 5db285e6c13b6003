package app

import (
	"errors"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
)

// explanation is what programs and people are told of an error that has no code of its
// own.
type explanation struct {
	err        error
	code, hint string
}

func explanations() []explanation {
	return []explanation{
		{accessory.ErrNoSuchInput, "not_found", "ps4kit titles lists the inputs."},
		{accessory.ErrNoFreeSlot, "no_free_slot", "Forget a title, or raise homekit.slots."},
		{accessory.ErrName, "bad_name", ""},
		{accessory.ErrNotWoken, "not_woken", "Look whether it is plugged in, and allow it to be turned on from the network: Settings > Power Save Settings > Set Features Available in Rest Mode."},
		{accessory.ErrStillAwake, "still_awake", "Look at the TV: something there may wait for an answer."},
		{accessory.ErrLaunchTimeout, "launch_timeout", "Look at the TV: something there may wait for an answer, or the title needs an update."},
		{accessory.ErrSuperseded, "superseded", "Nothing is wrong: the later command counts."},
		{accessory.ErrQueueFull, "too_many_keys", "Press more slowly."},
		{state.ErrDamaged, "damaged", "Remove its pairings (ps4kit homekit reset NAME): then it is served with a new identity, and has to be paired again."},
	}
}

// explain gives an error a code and a hint.
func explain(err error) error {
	for _, e := range explanations() {
		if errors.Is(err, e.err) {
			return &api.Error{Code: e.code, Message: err.Error(), Hint: e.hint}
		}
	}
	return err
}

package remoteplay_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// A registration prints without its secrets. Reveal is for its file.
func ExampleRegistration_Reveal() {
	r, err := remoteplay.Stored{
		HostID: "0123456789AB", HostType: ps4.TypePS5, RegistKey: "d1e2f3a4", RPKey: "00112233445566778899aabbccddeeff",
	}.Registration()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.HostType, r.Keys)
	fmt.Println(r.Reveal().RegistKey)
	// Output:
	// PS5 [redacted]
	// d1e2f3a4
}

// Every error says what the user can do.
func ExampleResultError() {
	show := func(err error) {
		if e, ok := errors.AsType[ps4.Error](err); ok {
			fmt.Printf("%s: %v\n%s\n", e.Code(), err, e.Hint())
		}
		if inUse, ok := errors.AsType[*remoteplay.InUseError](err); ok {
			fmt.Println(inUse.Until.Format(time.TimeOnly))
		}
	}
	show(remoteplay.ErrCrashed)
	show(&remoteplay.InUseError{Until: time.Date(2026, 1, 2, 20, 15, 0, 0, time.UTC)})
	// Output:
	// crashed: Remote Play on the console has crashed
	// restart the console from its power menu; rest mode is not enough
	// in_use: Remote Play is in use, or the last session ended badly; not trying again before 20:15:00
	// end Remote Play on other devices, then wait 2 minutes
	// 20:15:00
}

package ps4test_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// A console in rest mode, woken by the library.
func ExampleNew() {
	sim, err := ps4test.New(ps4test.Config{
		Name:    "Den",
		Standby: true,
		Timing:  ps4test.FastTiming(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()

	ctx := context.Background()
	credential, _ := ps4.ParseCredential(strings.Repeat("0123456789abcdef", 4))
	den := ps4.NewConsole(sim.Addr(), credential, sim.Options())
	before, _ := den.Status(ctx)
	fmt.Println(before.HostName, "is in", before.State)

	_ = den.Wake(ctx)
	woken, err := sim.WaitFor(ctx, func(now ps4test.Snapshot) bool { return now.State == ps4.StateAwake })
	fmt.Println("now", woken.State, err)
	// Output:
	// Den is in standby
	// now awake <nil>
}

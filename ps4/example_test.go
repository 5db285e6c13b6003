package ps4_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// The examples talk to simulated consoles. For real ones, nil options are
// enough.

// simulated starts a console that shows a PIN and has a title installed.
func simulated(cfg ps4test.Config) (*ps4test.Console, ps4.Credential) {
	cfg.Name, cfg.HostID, cfg.PIN = "Den", "A0B1C2D3E4F5", "12345678"
	cfg.Titles = []ps4test.Title{{ID: "CUSA00129", Name: "Netflix"}}
	cfg.Timing = ps4test.FastTiming()
	simulated, err := ps4test.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	credential, err := ps4.CredentialFromAccountID("9019256736915509894")
	if err != nil {
		log.Fatal(err)
	}
	return simulated, credential
}

// A program with several consoles opens one network, finds them, and shares its
// socket among them.
func ExampleListen() {
	den, _ := simulated(ps4test.Config{})
	defer den.Close()
	ctx := context.Background()

	network, err := ps4.Listen(ctx, den.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	found, err := network.Discover(ctx, 200*time.Millisecond)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range found {
		fmt.Println(s.HostType, s.HostName, s.HostID, s.State, s.Version())
		console := network.Console(s.Addr, ps4.Credential{})
		console.SetHostID(s.HostID)
		status, err := console.Status(ctx)
		fmt.Println(status.HostName, err)
	}
	// Output:
	// PS4 Den A0B1C2D3E4F5 awake 9.50
	// Den <nil>
}

func ExampleConsole_WakeWait() {
	den, credential := simulated(ps4test.Config{Standby: true})
	defer den.Close()
	ctx := context.Background()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	before, err := console.Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	after, err := console.WakeWait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(before.State, after.State)
	// Output: standby awake
}

func ExampleConsole_Toggle() {
	den, credential := simulated(ps4test.Config{Linked: true})
	defer den.Close()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	fmt.Println(console.Toggle(context.Background()))
	// Output: standby <nil>
}

// StartTitle wakes the console and opens a session of its own.
func ExampleConsole_StartTitle() {
	den, credential := simulated(ps4test.Config{Standby: true, Linked: true})
	defer den.Close()
	ctx := context.Background()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	fmt.Println(console.StartTitle(ctx, "CUSA00129", nil))
	fmt.Println(den.RunningTitle().Name)
	// Output:
	// <nil>
	// Netflix
}

// Compare an error with a sentinel to act on it, and use Error to present any
// of them.
func ExampleError() {
	den, credential := simulated(ps4test.Config{})
	defer den.Close()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	_, err := console.Open(context.Background())
	fmt.Println(errors.Is(err, ps4.ErrPINNeeded))
	var e ps4.Error
	if errors.As(err, &e) {
		fmt.Printf("%s: %s\n%s\n", e.Code(), e, e.Hint())
	}
	var refused ps4.ResultError
	if errors.As(err, &refused) {
		fmt.Println("result", refused.Result())
	}
	// Output:
	// true
	// pin_needed: the console wants a PIN: this program is not linked with it yet
	// link again: on the console choose Settings > Mobile App Connection Settings > Add Device and enter the PIN that it shows
	// result 20
}

func ExampleConsole_Link() {
	den, credential := simulated(ps4test.Config{})
	defer den.Close()
	ctx := context.Background()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	_, err := console.Open(ctx)
	fmt.Println(err)

	pin, err := ps4.ParsePIN("1234 5678")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pin, console.Link(ctx, pin))
	// Output:
	// the console wants a PIN: this program is not linked with it yet
	// [redacted] <nil>
}

func ExampleSession_Keys() {
	den, credential := simulated(ps4test.Config{Linked: true})
	defer den.Close()
	ctx := context.Background()

	session, err := ps4.NewConsole(den.Addr(), credential, den.Options()).Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	err = session.Keys(ctx,
		ps4.Key{Button: ps4.Right, Hold: 300 * time.Millisecond},
		ps4.Key{Button: ps4.Enter})
	if err != nil {
		log.Fatal(err)
	}
	if err := session.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(den.Presses())
	// Output: [right:300 enter]
}

func ExampleSession_StartTitle() {
	den, credential := simulated(ps4test.Config{Linked: true})
	defer den.Close()
	ctx := context.Background()

	session, err := ps4.NewConsole(den.Addr(), credential, den.Options()).Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	fmt.Println(session.StartTitle(ctx, "cusa00129", nil))
	fmt.Println(den.RunningTitle().Name)
	// Output:
	// <nil>
	// Netflix
}

func ExampleSession_Keyboard() {
	den, credential := simulated(ps4test.Config{Linked: true})
	defer den.Close()
	ctx := context.Background()

	session, err := ps4.NewConsole(den.Addr(), credential, den.Options()).Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	den.OpenKeyboard("old text", 64) // as choosing a text field on the TV does
	keyboard, err := session.Keyboard(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q, at most %d\n", keyboard.Text(), keyboard.MaxLength())
	if err := keyboard.SetText(ctx, "Ace Combat 7 ✈"); err != nil {
		log.Fatal(err)
	}
	if err := keyboard.Submit(ctx); err != nil {
		log.Fatal(err)
	}
	if err := session.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", den.Submitted())
	// Output:
	// "old text", at most 64
	// ["Ace Combat 7 ✈"]
}

func ExampleKeeper() {
	den, credential := simulated(ps4test.Config{Linked: true, Running: "CUSA00129"})
	defer den.Close()
	ctx := context.Background()

	keeper := ps4.NewKeeper(ps4.NewConsole(den.Addr(), credential, den.Options()))
	defer keeper.Close()
	for range 3 {
		err := keeper.Do(ctx, func(ctx context.Context, s *ps4.Session) error {
			return s.StartTitle(ctx, "CUSA00129", nil)
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := keeper.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(den.RunningTitle().Name, den.Counters().Connections, "connection")
	// Output: Netflix 1 connection
}

func ExampleWatch() {
	den, credential := simulated(ps4test.Config{})
	defer den.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	for update := range ps4.Watch(ctx, console, &ps4.WatchOptions{Interval: 20 * time.Millisecond}) {
		fmt.Printf("%v %q\n", update.State, update.TitleName)
		if update.TitleID == "CUSA00129" {
			cancel() // the loop ends when Watch closes the channel
		} else {
			den.SetRunning("CUSA00129")
		}
	}
	// Output:
	// awake ""
	// awake "Netflix"
}

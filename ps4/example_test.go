package ps4_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// The examples use simulated consoles. Real ones need no options: pass nil.

// simulated starts a console that shows a PIN and has a title installed.
func simulated(cfg ps4test.Config) (*ps4test.Console, ps4.Credential) {
	cfg.Name, cfg.HostID, cfg.PIN = "Den", "A0B1C2D3E4F5", "12345678"
	cfg.Titles = []ps4test.Title{{ID: "CUSA00129", Name: "Netflix"}}
	cfg.Timing = ps4test.FastTiming()
	cfg.Timing.Wake = 0
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

func ExampleNetwork_Discover() {
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
	}
	// Output: PS4 Den A0B1C2D3E4F5 awake 9.50
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

func ExampleConsole_Link() {
	den, credential := simulated(ps4test.Config{})
	defer den.Close()
	ctx := context.Background()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	pin, err := ps4.ParsePIN("1234 5678") // from "Add Device" on the console
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pin, console.Link(ctx, pin))
	// Output: [redacted] <nil>
}

// This example is not run, because keys need pauses of seconds.
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
		ps4.Key{Button: ps4.Down},
		ps4.Key{Button: ps4.Right, Hold: 300 * time.Millisecond},
		ps4.Key{Button: ps4.Enter})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(den.Presses()) // [down right:300 enter]
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
	den.OpenKeyboard("old text", 64) // as a text field on the TV does
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
	den, credential := simulated(ps4test.Config{Linked: true})
	defer den.Close()
	ctx := context.Background()

	den.OpenKeyboard("old text", 64)
	keeper := ps4.NewKeeper(ps4.NewConsole(den.Addr(), credential, den.Options()))
	defer keeper.Close()
	for range 3 {
		err := keeper.Do(ctx, func(ctx context.Context, s *ps4.Session) error {
			keyboard, err := s.Keyboard(ctx)
			if err != nil {
				return err
			}
			return keyboard.SetText(ctx, "new text")
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := keeper.Close(); err != nil {
		log.Fatal(err)
	}
	text, _ := den.Keyboard()
	fmt.Println(text, "over", den.Counters().Connections, "connection")
	// Output: new text over 1 connection
}

func ExampleWatch() {
	den, credential := simulated(ps4test.Config{})
	defer den.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	console := ps4.NewConsole(den.Addr(), credential, den.Options())
	for status := range ps4.Watch(ctx, console, &ps4.WatchOptions{Interval: 20 * time.Millisecond}) {
		fmt.Printf("%v %q\n", status.State, status.TitleName)
		if status.TitleID == "CUSA00129" {
			cancel() // closes the channel
		} else {
			den.SetRunning("CUSA00129")
		}
	}
	// Output:
	// awake ""
	// awake "Netflix"
}

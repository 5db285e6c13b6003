package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// sim NAME WHAT [VALUE] makes something happen on a simulated console:
//
//	sim den awake|standby|silent    its power, at once
//	sim den title CUSA00129         a title runs ("" none)
//	sim den keyboard TEXT           the on-screen keyboard opens with a text
//	sim den login|boot|sleep N      refuses that with result N (0: no longer)
//	sim den stream ok|refused|ends  that of Remote Play, which carries keys
//	sim den unlink                  forgets every linked device
//	sim den close                   is switched off for good
func cmdSim(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sim NAME WHAT [VALUE]")
	}
	console, value := consoleOf(ts, args[0]), second(args[1:])
	switch args[1] {
	case "awake":
		console.SetAwake()
	case "standby":
		console.SetStandby()
	case "silent":
		console.SetSilent()
	case "title":
		console.SetRunning(value)
	case "keyboard":
		console.OpenKeyboard(value, 100)
	case "login", "boot", "sleep":
		console.SetFaults(faults(ts, args[1], value))
	case "stream":
		console.SetFaults(ps4test.Faults{RefuseStream: value == "refused"})
		if value == "ends" {
			console.EndStream("the user took over")
		}
	case "unlink":
		console.Unlink()
	case "close":
		ts.Check(console.Close())
	default:
		ts.Fatalf("sim cannot %s", args[1])
	}
}

func consoleOf(ts *testscript.TestScript, name string) *ps4test.Console {
	console := rigOf(ts).consoles[name]
	if console == nil {
		ts.Fatalf("there is no console %s", name)
	}
	return console
}

func faults(ts *testscript.TestScript, command, value string) ps4test.Faults {
	n, err := strconv.ParseUint(value, 10, 32)
	ts.Check(err)
	result := ps4.ResultError(n)
	switch command {
	case "login":
		return ps4test.Faults{Login: result}
	case "boot":
		return ps4test.Faults{Boot: result}
	}
	return ps4test.Faults{Standby: result}
}

// sawLimit is how long "saw" waits; nothing that it waits for takes a second.
const sawLimit = 10 * time.Second

// saw NAME WHAT VALUE waits until a simulated console is so or has seen so; with ! it
// must not be so now:
//
//	saw den state standby
//	saw den title CUSA00129
//	saw den presses "up ps:2000"    all that were accepted; a hold time that the
//	                                console measured is rounded to half a second
//	saw den text hello              on the on-screen keyboard
//	saw den submitted hello         the last text that was submitted
//	saw den keyboard closed
//	saw den streams "2 opened, 1 closed"
//	saw den wakeups|logins|boots|standbys|homes N
func cmdSaw(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: saw NAME WHAT VALUE")
	}
	console, want, got := consoleOf(ts, args[0]), args[2], ""
	as := func(s ps4test.Snapshot) bool {
		got = seen(ts, console, s, args[1])
		return got == want
	}
	if neg {
		if as(console.Snapshot()) {
			ts.Fatalf("%s %s is %q", args[0], args[1], got)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sawLimit)
	defer cancel()
	if _, err := console.WaitFor(ctx, as); err != nil {
		ts.Fatalf("%s %s is %q, want %q: %v", args[0], args[1], got, want, err)
	}
}

func seen(ts *testscript.TestScript, console *ps4test.Console, s ps4test.Snapshot, what string) string {
	switch what {
	case "state":
		return s.State.String()
	case "title":
		return s.Title.ID
	case "presses":
		return presses(console)
	case "text":
		return s.Text
	case "submitted":
		list := console.Submitted()
		return strings.Join(list[max(0, len(list)-1):], "")
	case "keyboard":
		if s.Keyboard {
			return "open"
		}
		return "closed"
	case "wakeups":
		return strconv.Itoa(s.Counters.Wakeups)
	case "logins":
		return strconv.Itoa(s.Counters.Logins)
	case "boots":
		return strconv.Itoa(s.Counters.Boots)
	case "homes":
		return strconv.Itoa(s.Counters.Homes)
	case "streams":
		return fmt.Sprintf("%d opened, %d closed", s.Counters.Streams, s.Counters.StreamsClosed)
	case "standbys":
		return strconv.Itoa(s.Counters.Standbys)
	}
	ts.Fatalf("saw does not know %s", what)
	return ""
}

func presses(console *ps4test.Console) string {
	list := console.Presses()
	for i, press := range list {
		button, ms, held := strings.Cut(press, ":")
		if n, err := strconv.Atoi(ms); held && err == nil && console.Counters().Streams > 0 {
			list[i] = fmt.Sprintf("%s:%d", button, (n+250)/500*500)
		}
	}
	return strings.Join(list, " ")
}

package tui_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/internal/tui"
)

// childMode names the variable that makes this test binary something else, so that a
// test can watch a real process on a terminal of its own.
const childMode = "TUI_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childMode) {
	case "start": // what a verb that uses no screen does
		fmt.Println("TERM is", os.Getenv("TERM"))
	case "run":
		if err := tui.Run(context.Background(), tui.Options{Client: clientOf(newFake(den)), In: os.Stdin, Out: os.Stdout}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	default:
		goleak.VerifyTestMain(m)
	}
}

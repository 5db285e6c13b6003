package main

import (
	"testing"

	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// TestLinkRefusals: every result of a login becomes a sentence with what to do.
func TestLinkRefusals(t *testing.T) {
	t.Parallel()
	for n := ps4.ResultError(1); n <= 34; n++ {
		e := app.Explain(linkError(n, false))
		if e.Hint == "" || e.Message == "" || e.Result != uint32(n) || exitCode(e) == exitDone {
			t.Errorf("result %d: exit %d, %+v", n, exitCode(e), e)
		}
	}
}

package app

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// settleAfter is when a start is over, announcing too.
const settleAfter = 2 * time.Second

// GOGC, unless the owner sets it. A start allocates less than it would take to collect
// what it leaves behind, which settle gives back. Later the runtime's own 100 would let
// the heap grow to 4 MB before it collects for the first time, more than is in use.
const (
	startPercent   = 400
	settledPercent = 50
)

func collect(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// settle gives back the memory that only the start needed.
func (s *server) settle(ctx context.Context) {
	if !pause(ctx, settleAfter) {
		return
	}
	collect(settledPercent)
	debug.FreeOSMemory()
	if err := releaseProgram(); err != nil {
		s.Log.WithError(err).Debug("the program's pages stay in memory")
	}
}

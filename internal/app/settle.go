package app

import (
	"context"
	"runtime/debug"
	"time"
)

// settleAfter is when a start is over, announcing too.
const settleAfter = 2 * time.Second

// settle gives back the memory that only the start needed.
func (s *server) settle(ctx context.Context) {
	if !pause(ctx, settleAfter) {
		return
	}
	debug.FreeOSMemory()
	if err := releaseProgram(); err != nil {
		s.Log.WithError(err).Debug("the program's pages stay in memory")
	}
}

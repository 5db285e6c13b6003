package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// clearLine goes back to the beginning of a terminal's line and empties it.
const clearLine = "\r\x1b[K"

// progress says on stderr what a verb waits for and for how long, once that takes
// more than a second. It is silent when stderr is not a terminal. Call stop before
// anything else is printed; further calls of it do nothing.
func (p *program) progress(what string) (stop func()) {
	if !isTerminal(p.stderr) {
		return func() {}
	}
	return showProgress(p.stderr, what)
}

func showProgress(w io.Writer, what string) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for seconds := 1; ; seconds++ {
			select {
			case <-tick.C:
				_, _ = fmt.Fprintf(w, "%s%s … %d s", clearLine, what, seconds)
			case <-quit:
				if seconds > 1 {
					_, _ = io.WriteString(w, clearLine)
				}
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-ended
	})
}

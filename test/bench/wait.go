package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

// askEvery is how often a start is looked at.
const askEvery = time.Millisecond

// until asks again and again; it returns false when ctx was done first.
func until(ctx context.Context, is func(context.Context) bool) bool {
	for !is(ctx) {
		if !pause(ctx, askEvery) {
			return false
		}
	}
	return true
}

// accepts says whether somebody listens.
func accepts(port uint16) func(context.Context) bool {
	return func(ctx context.Context) bool {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address(port))
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	}
}

func address(port uint16) string { return fmt.Sprintf("127.0.0.1:%d", port) }

package doctor

import (
	"context"
	"time"
)

// Browse asks on another port than that of multicast DNS, so that a test hears only itself.
func Browse(ctx context.Context, interfaces []string, port int, wait time.Duration) ([]Service, error) {
	return browse(ctx, interfaces, port, wait)
}

// Services reads a packet.
func Services(packet []byte) []Service { return services(packet) }

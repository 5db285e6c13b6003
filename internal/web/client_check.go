package web

import (
	"context"
	"net/http"
)

// CheckHomekit implements Backend.
func (c *Client) CheckHomekit(ctx context.Context, host string) ([]Finding, error) {
	return ask[[]Finding](ctx, c, http.MethodGet, "/homekit/"+escape(host)+"/check", nil)
}

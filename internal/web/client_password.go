package web

import (
	"context"
	"net/http"
)

// WebPassword implements Backend.
func (c *Client) WebPassword(ctx context.Context) (Password, error) {
	return ask[Password](ctx, c, http.MethodGet, "/password", nil)
}

// RenewWebPassword implements Backend.
func (c *Client) RenewWebPassword(ctx context.Context) (Password, error) {
	return ask[Password](ctx, c, http.MethodPost, "/password", nil)
}

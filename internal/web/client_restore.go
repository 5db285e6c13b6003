package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Restore sends a backup to the server, which checks it, answers and starts
// again with it.
func (c *Client) Restore(ctx context.Context, archive []byte) (restored Restored, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://ps4kit"+prefix+"/restore", bytes.NewReader(archive))
	if err != nil {
		return restored, asking(err)
	}
	req.Header.Set("Content-Type", "application/gzip")
	resp, err := c.http.Do(req)
	if err != nil {
		return restored, asking(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRequest))
	switch {
	case err != nil:
		return restored, asking(err)
	case resp.StatusCode != http.StatusAccepted:
		return restored, refusal(resp.Status, body)
	}
	if err := json.Unmarshal(body, &restored); err != nil {
		return restored, fmt.Errorf("the running server sent an invalid answer: %w", err)
	}
	return restored, nil
}

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

const maxResponse = 64 << 20 // bytes; a backup is the longest

// Client asks a running server through its socket; it implements Backend. It has no
// timeouts of its own: the contexts of its calls end them, and with them what the
// server was doing for them.
type Client struct{ http *http.Client }

func newClient(transport http.RoundTripper) *Client {
	return &Client{&http.Client{Transport: transport}}
}

// ask sends a request, with in as its body unless that is nil, and returns the result.
func ask[Out any](ctx context.Context, c *Client, method, path string, in any) (out Out, err error) {
	body, err := c.send(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return out, fmt.Errorf("the running server answered something else than JSON (is it of another version?): %w", err)
	}
	return out, nil
}

// tell sends a request that has no result.
func (c *Client) tell(ctx context.Context, method, path string, in any) error {
	_, err := c.send(ctx, method, path, in)
	return err
}

func (c *Client) send(ctx context.Context, method, path string, in any) ([]byte, error) {
	req, err := newRequest(ctx, method, path, in)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, asking(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, asking(err)
	case len(body) > maxResponse:
		return nil, fmt.Errorf("the running server answered with more than %d MB", maxResponse>>20)
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent:
		return nil, refusal(resp.Status, body)
	}
	return body, nil
}

func newRequest(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("asking the running server: %w", err)
		}
	}
	if len(body) > maxRequest { // the answer might not get past what was not read
		return nil, errTooLarge()
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://ps4kit"+prefix+path, bytes.NewReader(body))
	if err != nil {
		return nil, asking(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// asking leaves out the address, which is none that a person knows.
func asking(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the running server stopped before it answered")
	}
	return fmt.Errorf("asking the running server: %w", err)
}

func refusal(status string, body []byte) error {
	var e errorBody
	if err := json.Unmarshal(body, &e); err != nil || e.Error == nil {
		return fmt.Errorf("the running server answered %s (is it of another version?)", status)
	}
	return e.Error
}

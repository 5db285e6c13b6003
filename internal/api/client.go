package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// Client sends operations to a running server, or carries them out in this
// process: see Query.Do and Command.Do. It has no timeouts: when the context of
// a call ends, so does the command. Every refusal is an *Error.
type Client struct {
	// OnNotice, if set, gets what the user should know besides a result or an
	// error.
	OnNotice func(text string)

	http     *http.Client // of a running server
	services *Services    // of this process instead
}

// Local returns a client of the services of this process, so that a command
// works the same way, and fails with the same errors, with and without a server.
func Local(s Services) *Client { return &Client{services: &s} }

// IsLocal reports whether c is a client of this process.
func (c *Client) IsLocal() bool { return c.services != nil }

// Do carries out the operation and returns its result.
func (q Query[In, Out]) Do(ctx context.Context, c *Client, in In) (out Out, err error) {
	if c.services != nil {
		if c.OnNotice != nil {
			ctx = context.WithValue(ctx, noticeKey{}, c.OnNotice)
		}
		return q.run(ctx, *c.services, in)
	}
	body, err := c.send(ctx, q.operation, in)
	if err != nil {
		return out, err
	}
	switch result := any(&out).(type) {
	case *None:
	case *Archive:
		*result = body
	default:
		if err := json.Unmarshal(body, &out); err != nil {
			return out, fmt.Errorf("the running server did not answer in JSON (is it another version?): %w", err)
		}
	}
	return out, nil
}

// Do carries out the operation.
func (o Command[In]) Do(ctx context.Context, c *Client, in In) error {
	_, err := o.Query.Do(ctx, c, in)
	return err
}

func (c *Client) send(ctx context.Context, o *operation, in any) ([]byte, error) {
	req, err := newRequest(ctx, o, in)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, sendError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for _, escaped := range resp.Header.Values(noticeHeader) {
		if text, err := url.PathUnescape(escaped); err == nil && c.OnNotice != nil {
			c.OnNotice(text)
		}
	}
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, sendError(err)
	case resp.StatusCode/100 == 2:
		return body, nil
	}
	var answer refusal
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error == nil {
		return nil, fmt.Errorf("the running server answered %s (is it another version?)", resp.Status)
	}
	return nil, answer.Error
}

// newRequest puts the path fields of in into the path, and the others into the
// body.
func newRequest(ctx context.Context, o *operation, in any) (*http.Request, error) {
	path := o.path
	var body []byte
	var mediaType string
	if backup, ok := in.(Archive); ok {
		body, mediaType = backup, backup.mediaType()
	} else {
		for field, value := range reflect.ValueOf(in).Fields() {
			if name, ok := field.Tag.Lookup("path"); ok {
				if value.String() == dash {
					return nil, &Error{Code: "not_found", Message: "nothing is known as -", Hint: "Use the host id of the console, or the id of the title."}
				}
				path = strings.Replace(path, "{"+name+"}", url.PathEscape(cmp.Or(value.String(), dash)), 1)
			} else {
				mediaType = "application/json"
			}
		}
		if mediaType != "" {
			var err error
			if body, err = json.Marshal(in); err != nil {
				return nil, sendError(err)
			}
		}
		if len(body) > maxRequest { // the server would hang up before it could answer
			return nil, errTooLarge(maxRequest)
		}
	}
	req, err := http.NewRequestWithContext(ctx, o.method, "http://ps4kit"+Prefix+path, bytes.NewReader(body))
	if err != nil {
		return nil, sendError(err)
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	return req, nil
}

// sendError leaves out the address of the socket, which users don't know.
func sendError(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the running server stopped before it answered")
	}
	return fmt.Errorf("asking the running server: %w", err)
}

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
)

const maxResponse = 64 << 20 // bytes; a backup is the largest

var _ Backend = (*Client)(nil)

// Client sends the operations of a Backend to a running server, or to a handler
// in the same process. It has no timeouts: when the context of a call ends, so
// does the command. Every refusal is an *Error.
type Client struct {
	// OnNotice, if set, gets what the user should know besides a result or an
	// error.
	OnNotice func(text string)

	http       *http.Client
	operations map[string]operation
}

// Local returns a client of a handler in this process, so that a command works
// the same way, and fails with the same errors, with and without a server.
func Local(h http.Handler) *Client { return newClient(local{h}) }

// IsLocal reports whether c is a client of this process.
func (c *Client) IsLocal() bool {
	_, ok := c.http.Transport.(local)
	return ok
}

// local carries requests to a handler.
type local struct{ http.Handler }

func (p local) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	p.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header,
		Body: io.NopCloser(&w.body), Request: r}, nil
}

// recorder is the answer of a handler.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

func newClient(transport http.RoundTripper) *Client {
	c := &Client{http: &http.Client{Transport: transport}, operations: map[string]operation{}}
	for _, o := range operations() {
		c.operations[o.id] = o
	}
	return c
}

// The methods of Backend.

func (c *Client) Search(ctx context.Context, wait time.Duration) ([]Console, error) {
	return ask[[]Console](ctx, c, "search", searchRequest{wait.String()})
}

func (c *Client) Consoles(ctx context.Context) ([]Console, error) {
	return ask[[]Console](ctx, c, "consoles", none{})
}

func (c *Client) Status(ctx context.Context, host string) (Console, error) {
	return ask[Console](ctx, c, "status", hostRequest{host})
}

func (c *Client) AddConsole(ctx context.Context, address string) (Console, error) {
	return ask[Console](ctx, c, "addConsole", addConsoleRequest{address})
}

func (c *Client) ForgetConsole(ctx context.Context, host string) error {
	return c.do(ctx, "forgetConsole", hostRequest{host})
}

func (c *Client) Wake(ctx context.Context, host string, wait bool) error {
	return c.do(ctx, "power", powerRequest{host, StateAwake, wait})
}

func (c *Client) Standby(ctx context.Context, host string) error {
	return c.do(ctx, "power", powerRequest{Host: host, State: StateStandby})
}

func (c *Client) Start(ctx context.Context, host, title string, noQuit bool) error {
	return c.do(ctx, "start", startRequest{host, title, noQuit})
}

func (c *Client) Keys(ctx context.Context, host string, keys []string) error {
	return c.do(ctx, "keys", keysRequest{host, keys})
}

func (c *Client) Keyboard(ctx context.Context, host string) (Keyboard, error) {
	return ask[Keyboard](ctx, c, "keyboard", hostRequest{host})
}

func (c *Client) SetText(ctx context.Context, host, text string) error {
	return c.do(ctx, "setText", textRequest{host, &text})
}

func (c *Client) Submit(ctx context.Context, host string, text *string) error {
	return c.do(ctx, "submit", submitRequest{host, text})
}

func (c *Client) CloseKeyboard(ctx context.Context, host string) error {
	return c.do(ctx, "closeKeyboard", hostRequest{host})
}

func (c *Client) Link(ctx context.Context, host string, link Link) error {
	return c.do(ctx, "link", linkRequest{host, link})
}

func (c *Client) SetRegistration(ctx context.Context, host string, r Registration) error {
	return c.do(ctx, "setRegistration", registrationRequest{host, r})
}

func (c *Client) SetCredential(ctx context.Context, host string, user User) error {
	return c.do(ctx, orDefault("setCredential", host), credentialRequest{host, user})
}

func (c *Client) Credential(ctx context.Context, host string) (User, error) {
	return ask[User](ctx, c, orDefault("credential", host), hostRequest{host})
}

func (c *Client) Titles(ctx context.Context, host string) ([]Title, error) {
	return ask[[]Title](ctx, c, "titles", hostRequest{host})
}

func (c *Client) AddTitle(ctx context.Context, host, id, name string) error {
	return c.do(ctx, "addTitle", addTitleRequest{host, id, name})
}

func (c *Client) ImportTitles(ctx context.Context, host string, titles []ImportTitle, dryRun bool) (Imported, error) {
	return ask[Imported](ctx, c, "importTitles", importTitlesRequest{host, titles, dryRun})
}

func (c *Client) RenameTitle(ctx context.Context, host, id, name string) error {
	return c.do(ctx, "changeTitle", changeTitleRequest{Host: host, ID: id, Name: &name})
}

func (c *Client) HideTitle(ctx context.Context, host, id string, hide bool) error {
	return c.do(ctx, "changeTitle", changeTitleRequest{Host: host, ID: id, Hidden: &hide})
}

func (c *Client) PinTitle(ctx context.Context, host, id string, pin bool) error {
	return c.do(ctx, "changeTitle", changeTitleRequest{Host: host, ID: id, Pinned: &pin})
}

func (c *Client) ForgetTitle(ctx context.Context, host, id string) error {
	return c.do(ctx, "forgetTitle", titleRequest{host, id})
}

func (c *Client) Homekit(ctx context.Context) ([]Accessory, error) {
	return ask[[]Accessory](ctx, c, "homekit", none{})
}

func (c *Client) ResetHomekit(ctx context.Context, host string) error {
	return c.do(ctx, "unpair", hostRequest{host})
}

func (c *Client) Backup(ctx context.Context) ([]byte, error) { return c.send(ctx, "backup", none{}) }

func (c *Client) WebPassword(ctx context.Context) (Password, error) {
	return ask[Password](ctx, c, "firstPassword", none{})
}

func (c *Client) RenewWebPassword(ctx context.Context) (Password, error) {
	return ask[Password](ctx, c, "newPassword", none{})
}

// Restore sends a backup to the server, which checks it, answers, and restarts
// with it.
func (c *Client) Restore(ctx context.Context, backup []byte) (Restored, error) {
	return ask[Restored](ctx, c, "restore", archive(backup))
}

// orDefault returns the id of an operation on the credential of one console, or
// of its variant on the default credential.
func orDefault(id, host string) string {
	if host == "" {
		return id + "OfAll"
	}
	return id
}

// ask sends a request and returns its result.
func ask[Out any](ctx context.Context, c *Client, id string, in any) (out Out, err error) {
	body, err := c.send(ctx, id, in)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return out, fmt.Errorf("the running server did not answer in JSON (is it another version?): %w", err)
	}
	return out, nil
}

// do sends a request that has no result.
func (c *Client) do(ctx context.Context, id string, in any) error {
	_, err := c.send(ctx, id, in)
	return err
}

func (c *Client) send(ctx context.Context, id string, in any) ([]byte, error) {
	req, err := newRequest(ctx, c.operations[id], in)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, sendError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	c.notices(resp.Header)
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, sendError(err)
	case len(body) > maxResponse:
		return nil, fmt.Errorf("the running server answered with more than %d MB", maxResponse>>20)
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
func newRequest(ctx context.Context, o operation, in any) (*http.Request, error) {
	path := o.path
	var body []byte
	var mediaType string
	if backup, ok := in.(archive); ok {
		body, mediaType = backup, backup.mediaType()
	} else {
		for field, value := range reflect.ValueOf(in).Fields() {
			if name, ok := field.Tag.Lookup("path"); ok {
				path = strings.Replace(path, "{"+name+"}", escape(value.String()), 1)
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

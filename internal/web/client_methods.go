package web

import (
	"context"
	"net/http"
	"time"
)

var _ Backend = (*Client)(nil)

func console(host, rest string) string { return "/consoles/" + escape(host) + rest }

func title(host, id string) string { return console(host, "/titles/"+escape(id)) }

func credential(host string) string {
	if host == "" {
		return "/credential"
	}
	return console(host, "/credential")
}

// Search implements Backend.
func (c *Client) Search(ctx context.Context, wait time.Duration) ([]Console, error) {
	return ask[[]Console](ctx, c, http.MethodPost, "/search", searchRequest{wait.String()})
}

// Consoles implements Backend.
func (c *Client) Consoles(ctx context.Context) ([]Console, error) {
	return ask[[]Console](ctx, c, http.MethodGet, "/consoles", nil)
}

// Status implements Backend.
func (c *Client) Status(ctx context.Context, host string) (Console, error) {
	return ask[Console](ctx, c, http.MethodGet, console(host, ""), nil)
}

// Wake implements Backend.
func (c *Client) Wake(ctx context.Context, host string, wait bool) error {
	return c.tell(ctx, http.MethodPost, console(host, "/power"), powerRequest{StateAwake, wait})
}

// Standby implements Backend.
func (c *Client) Standby(ctx context.Context, host string) error {
	return c.tell(ctx, http.MethodPost, console(host, "/power"), powerRequest{State: StateStandby})
}

// Start implements Backend.
func (c *Client) Start(ctx context.Context, host, title string, noQuit bool) error {
	return c.tell(ctx, http.MethodPost, console(host, "/start"), startRequest{title, noQuit})
}

// Keys implements Backend.
func (c *Client) Keys(ctx context.Context, host string, keys []string) error {
	return c.tell(ctx, http.MethodPost, console(host, "/keys"), keysRequest{keys})
}

// Keyboard implements Backend.
func (c *Client) Keyboard(ctx context.Context, host string) (Keyboard, error) {
	return ask[Keyboard](ctx, c, http.MethodGet, console(host, "/keyboard"), nil)
}

// SetText implements Backend.
func (c *Client) SetText(ctx context.Context, host, text string) error {
	return c.tell(ctx, http.MethodPut, console(host, "/keyboard"), textRequest{&text})
}

// Submit implements Backend.
func (c *Client) Submit(ctx context.Context, host string, text *string) error {
	return c.tell(ctx, http.MethodPost, console(host, "/keyboard/submit"), textRequest{text})
}

// CloseKeyboard implements Backend.
func (c *Client) CloseKeyboard(ctx context.Context, host string) error {
	return c.tell(ctx, http.MethodDelete, console(host, "/keyboard"), nil)
}

// Link implements Backend.
func (c *Client) Link(ctx context.Context, host, pin string) error {
	return c.tell(ctx, http.MethodPost, console(host, "/link"), linkRequest{pin})
}

// SetCredential implements Backend.
func (c *Client) SetCredential(ctx context.Context, host string, user User) error {
	return c.tell(ctx, http.MethodPut, credential(host), user)
}

// Credential implements Backend.
func (c *Client) Credential(ctx context.Context, host string) (User, error) {
	return ask[User](ctx, c, http.MethodGet, credential(host), nil)
}

// Titles implements Backend.
func (c *Client) Titles(ctx context.Context, host string) ([]Title, error) {
	return ask[[]Title](ctx, c, http.MethodGet, console(host, "/titles"), nil)
}

// AddTitle implements Backend.
func (c *Client) AddTitle(ctx context.Context, host, id, name string) error {
	return c.tell(ctx, http.MethodPost, console(host, "/titles"), titleRequest{id, name})
}

// RenameTitle implements Backend.
func (c *Client) RenameTitle(ctx context.Context, host, id, name string) error {
	return c.tell(ctx, http.MethodPatch, title(host, id), titleChange{Name: &name})
}

// HideTitle implements Backend.
func (c *Client) HideTitle(ctx context.Context, host, id string, hide bool) error {
	return c.tell(ctx, http.MethodPatch, title(host, id), titleChange{Hidden: &hide})
}

// PinTitle implements Backend.
func (c *Client) PinTitle(ctx context.Context, host, id string, pin bool) error {
	return c.tell(ctx, http.MethodPatch, title(host, id), titleChange{Pinned: &pin})
}

// ForgetTitle implements Backend.
func (c *Client) ForgetTitle(ctx context.Context, host, id string) error {
	return c.tell(ctx, http.MethodDelete, title(host, id), nil)
}

// Homekit implements Backend.
func (c *Client) Homekit(ctx context.Context) ([]Accessory, error) {
	return ask[[]Accessory](ctx, c, http.MethodGet, "/homekit", nil)
}

// ResetHomekit implements Backend.
func (c *Client) ResetHomekit(ctx context.Context, host string) error {
	return c.tell(ctx, http.MethodDelete, "/homekit/"+escape(host)+"/pairings", nil)
}

// Backup implements Backend.
func (c *Client) Backup(ctx context.Context) ([]byte, error) {
	return c.send(ctx, http.MethodGet, "/backup", nil)
}

package api

import (
	"context"
	"net/http"
	"net/url"
)

// noticeHeader carries notices, percent-escaped.
const noticeHeader = "Ps4kit-Notice"

type noticeKey struct{}

// withNotices returns a context whose notices go into the header of an answer.
func withNotices(ctx context.Context, h http.Header) context.Context {
	return context.WithValue(ctx, noticeKey{}, h)
}

// Notice tells the user of the request that ctx belongs to something besides
// its result: see Client.OnNotice. A Backend calls it before it returns, from
// the goroutine that it was called in.
func Notice(ctx context.Context, text string) {
	if h, ok := ctx.Value(noticeKey{}).(http.Header); ok {
		h.Add(noticeHeader, url.PathEscape(text))
	}
}

// notices hands the notices of an answer to OnNotice.
func (c *Client) notices(h http.Header) {
	if c.OnNotice == nil {
		return
	}
	for _, escaped := range h.Values(noticeHeader) {
		if text, err := url.PathUnescape(escaped); err == nil {
			c.OnNotice(text)
		}
	}
}

package api

import "net/http"

// NewClient returns a client whose requests go anywhere.
func NewClient(transport http.RoundTripper) *Client {
	return &Client{http: &http.Client{Transport: transport}}
}

// DialError is the error of Connect for a failed dial.
var DialError = dialError

// OperationIDs lists the operations of the table.
func OperationIDs() (ids []string) {
	for _, o := range operations() {
		ids = append(ids, o.id)
	}
	return ids
}

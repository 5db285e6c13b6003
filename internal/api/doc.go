// Package api is the JSON API of ps4kit: its types, its one error type, its
// operations, their server and their client.
//
//	page, scripts ── TCP ── package web ─┐
//	                                     ├─ Handler ─ Services ─ Backend, Page, Accounts
//	ps4kit commands ── control.sock ─────┘
//
// Every operation is one row of the table in operations.go. The server routes
// requests by it, Client builds requests from it, and GET /openapi.json
// describes it from the Go types of its request and result.
//
// The package knows no console. Package app implements Backend and Page, and
// package web implements Accounts. docs/api.md shows how to use the API.
package api

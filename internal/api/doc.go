// Package api is the JSON API of ps4kit: its types, its one error type, its
// operations, their server and their client.
//
//	page, scripts ── TCP ── package web ─┐
//	                                     ├─ Handler ─ Services ─ Backend, Page, Accounts
//	ps4kit commands ── control.sock ─────┘
//
// Every operation is one row of the table in operations.go: its request type,
// and the method that carries it out. The server routes requests by the row,
// its Do sends one to the server of a Client or calls the method itself, and
// GET /openapi.json describes it.
//
// The package knows no console. Package app implements Backend and Page, and
// package web implements Accounts. docs/api.md shows how to use the API.
package api

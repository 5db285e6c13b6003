// Package web is how people and programs reach a running ps4kit over HTTP: health
// for supervisors on the address of `web.listen`, and the API under /api/v1 on a
// unix socket in the state directory, through which every other ps4kit command
// talks to the server (docs/ARCHITECTURE.md).
//
// It knows no console: what it shows comes through the Backend that internal/app
// implements.
package web

// Package web is how people and programs reach a running ps4kit over HTTP:
//
//	web.listen ─ Bound ─ Site ─ headers, names, origin ─┬─ /healthz, /readyz, /metrics
//	                                                    ├─ /login, /logout ─ Guard
//	                                                    ├─ /, /assets/ ─ the files of package page
//	                                                    └─ /api/v1 ─ Guard ─┬─ API ─ Backend, Page
//	control.sock ───────────────────────────────────────────────────────────┘
//
// Every other ps4kit command talks to the server through the socket, whose permissions
// guard it (docs/ARCHITECTURE.md).
//
// It knows no console: what it shows comes through the Backend that internal/app
// implements.
package web

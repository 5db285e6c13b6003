// Package web serves web.listen: the page, signing in, health and metrics.
//
//	web.listen ─ Bound ─ Site ─ headers, host, origin ─┬─ /healthz, /readyz, /metrics
//	                                                   ├─ /login, /logout ─ Guard
//	                                                   ├─ /, /assets/, /guide/ ─ site_files.go
//	                                                   └─ /api/v1 ─ Guard ─ package api
package web

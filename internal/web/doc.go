// Package web serves web.listen: the page, signing in, health and metrics.
//
//	web.listen ─ Bound ─ Site ─ headers, host, origin ─┬─ /healthz, /readyz, /metrics
//	                                                   ├─ /login, /logout ─ Guard
//	                                                   ├─ /, /assets/ ─ files of package page
//	                                                   └─ /api/v1 ─ Guard ─ package api
package web

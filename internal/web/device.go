package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// deviceCookie marks a browser that signed in with the current password. It
// grants nothing but sign-in attempts of its own, so that someone who guesses
// passwords from the same address can't lock the owner out.
const deviceCookie = "ps4kit_device"

// device returns the id of a known browser, or "".
func (g *Guard) device(r *http.Request) string {
	id, signature, _ := strings.Cut(cookieOf(r, deviceCookie), ".")
	if !hmac.Equal([]byte(signature), []byte(g.sign(id))) {
		return ""
	}
	return id
}

// sign returns the signature of a device's id. Its key is the password's hash,
// so a new password makes every device a stranger.
func (g *Guard) sign(device string) string {
	h := hmac.New(sha256.New, []byte(g.hash()))
	h.Write([]byte(deviceCookie + device))
	return hex.EncodeToString(h.Sum(nil))
}

// remember marks the browser as known.
func (g *Guard) remember(w http.ResponseWriter, r *http.Request) {
	if g.device(r) == "" {
		id := rand.Text()
		setCookie(w, r, deviceCookie, id+"."+g.sign(id))
	}
}

// behindProxies gives a request that came through a trusted proxy the address
// of its client: the last one in X-Forwarded-For that is not a trusted proxy
// itself. The client may have forged those before it.
func behindProxies(trusted []netip.Prefix, next http.Handler) http.Handler {
	isTrusted := func(a netip.Addr) bool {
		a = a.Unmap().WithZone("")
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := addressOf(r)
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, hop := range slices.Backward(hops) {
			before, err := netip.ParseAddr(strings.TrimSpace(hop))
			if err != nil || !isTrusted(from) {
				break
			}
			from = before
		}
		if from != addressOf(r) {
			r = r.WithContext(r.Context()) // a copy
			r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
		}
		next.ServeHTTP(w, r)
	})
}

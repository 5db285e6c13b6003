package web

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// localNames are the names that this machine has by itself.
func localNames() []string {
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "" {
		short, _, _ := strings.Cut(strings.ToLower(host), ".")
		names = append(names, strings.ToLower(host), short, short+".local")
	}
	return names
}

// checkHost refuses requests for any other name than these and for what is no IP address.
// A hostile page elsewhere can give its own name the address of this machine (DNS
// rebinding): for a browser the server is then part of that page.
func checkHost(names []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := hostName(r.Host)
		if _, err := netip.ParseAddr(name); err != nil && !slices.Contains(names, name) {
			deny(w, r, &Error{Code: codeHost, Message: "the page is not served by this name",
				Hint: "Use the IP address of the machine, or add the name to web.allowed_hosts in config.yaml."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName is the header Host without its port, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

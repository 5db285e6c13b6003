package ddp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Methods of a request.
const (
	Search = "SRCH"   // asks for a Reply
	Wakeup = "WAKEUP" // turns on a console in rest mode; has no answer
	Launch = "LAUNCH" // makes an awake console open its TCP port; has no answer
)

// Values of the client-type and auth-type headers of the 2nd Screen app.
const (
	ClientAndroid = "a"
	ClientIOS     = "i"
	AuthCode      = "C" // "R" is Remote Play
)

// Request is a datagram to a console.
type Request struct {
	Method     string // Search, Wakeup or Launch
	Credential string // 64 hex digits, empty for Search; a secret
	ClientType string
	AuthType   string
	Version    string // protocol version; default Version
}

// NewSearch returns a request for the status of consoles with a protocol
// version.
func NewSearch(version string) Request { return Request{Method: Search, Version: version} }

// NewWakeup returns the request that turns on a console.
func NewWakeup(credential string) Request { return withCredential(Wakeup, credential) }

// NewLaunch returns the request that makes a console open its TCP port.
func NewLaunch(credential string) Request { return withCredential(Launch, credential) }

func withCredential(method, credential string) Request {
	return Request{
		Method: method, Credential: credential,
		ClientType: ClientAndroid, AuthType: AuthCode, Version: Version,
	}
}

// headers returns the headers in the order of docs/protocol.md §1.
func (r *Request) headers() []header {
	return []header{
		{"user-credential", &r.Credential},
		{"client-type", &r.ClientType},
		{"auth-type", &r.AuthType},
		{"device-discovery-protocol-version", &r.Version},
	}
}

// Marshal returns the bytes to send.
func (r Request) Marshal() []byte {
	if r.Version == "" {
		r.Version = Version
	}
	return marshal(r.Method+" * HTTP/1.1", r.headers())
}

// ParseRequest parses the datagram of a client, as leniently as ParseReply. Its
// errors wrap ErrTooLarge or ErrMalformed and never contain the credential.
func ParseRequest(datagram []byte) (Request, error) {
	first, values, err := split(datagram)
	if err != nil {
		return Request{}, err
	}
	method, rest, _ := strings.Cut(first, " ")
	switch method {
	case Search, Wakeup, Launch:
	default:
		return Request{}, fmt.Errorf("%w: unknown method", ErrMalformed)
	}
	if !strings.Contains(rest, "HTTP/1.") {
		return Request{}, fmt.Errorf("%w: not a request", ErrMalformed)
	}
	r := Request{Method: method}
	for _, h := range r.headers() {
		*h.value = clean(values[h.name])
	}
	if r.Version == "" {
		r.Version = Version
	}
	return r, nil
}

// RemotePlayWakeup returns the datagram that turns on a console with the
// registration of Remote Play. The credential is a secret; the version is that
// of the console's port (docs/protocol.md §10).
func RemotePlayWakeup(credential, version string) []byte {
	clientType, auth, model, app := "vr", "R", "w", "r"
	return marshal(Wakeup+" * HTTP/1.1", []header{
		{"client-type", &clientType},
		{"auth-type", &auth},
		{"model", &model},
		{"app-type", &app},
		{"user-credential", &credential},
		{"device-discovery-protocol-version", &version},
	})
}

// LimitedBroadcast reaches one network only, that of the default route.
var LimitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// Broadcast returns the last address of an IPv4 network. Networks of one or two
// addresses have none.
func Broadcast(prefix netip.Prefix) (netip.Addr, bool) {
	if !prefix.Addr().Is4() || prefix.Bits() > 30 {
		return netip.Addr{}, false
	}
	a := prefix.Addr().As4()
	hosts := uint32(1)<<(32-prefix.Bits()) - 1
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])|hosts)
	return netip.AddrFrom4(a), true
}

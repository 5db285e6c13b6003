package ddp

import (
	"fmt"
	"strings"
)

// Methods of a request.
const (
	Search = "SRCH"   // asks for the status; answered with a Reply
	Wakeup = "WAKEUP" // turns a resting console on; never answered
	Launch = "LAUNCH" // makes a console that is on open its TCP port; never answered
)

// Values of the client-type and auth-type headers of the 2nd Screen app.
const (
	ClientAndroid = "a"
	ClientIOS     = "i"
	AuthCode      = "C" // a 2nd Screen credential of 64 hex digits; "R" is Remote Play
)

// Request is the datagram of a client.
type Request struct {
	Method     string // Search, Wakeup or Launch
	Credential string // user-credential: 64 hex digits; a secret; empty for Search
	ClientType string
	AuthType   string
	Version    string // protocol version; empty means Version
}

// NewSearch returns a request for the status of a PS4 or PS5, depending on
// version.
func NewSearch(version string) Request {
	return Request{Method: Search, Version: version}
}

// NewWakeup returns the request that turns a resting console on.
func NewWakeup(credential string) Request { return withCredential(Wakeup, credential) }

// NewLaunch returns the request that makes a console open its TCP port.
func NewLaunch(credential string) Request { return withCredential(Launch, credential) }

func withCredential(method, credential string) Request {
	return Request{
		Method: method, Credential: credential,
		ClientType: ClientAndroid, AuthType: AuthCode, Version: Version,
	}
}

// Marshal returns exactly the bytes to send, headers in the order of
// docs/protocol.md §1.
func (r Request) Marshal() []byte {
	var w writer
	w.line(r.Method + " * HTTP/1.1")
	w.header(hdrCredential, r.Credential)
	w.header(hdrClientType, r.ClientType)
	w.header(hdrAuthType, r.AuthType)
	version := r.Version
	if version == "" {
		version = Version
	}
	w.header(hdrVersion, version)
	return w.Bytes()
}

// ParseRequest parses the datagram of a client with the leniency, limits and
// errors of ParseReply. A request without a version is one to a PS4. Errors
// never contain the credential.
func ParseRequest(datagram []byte) (Request, error) {
	first, h, err := split(datagram)
	if err != nil {
		return Request{}, err
	}
	method, rest, _ := strings.Cut(first, " ")
	version := h.text(hdrVersion)
	if version == "" {
		version = Version
	}
	switch method {
	case Search, Wakeup, Launch:
	default:
		return Request{}, fmt.Errorf("%w: unknown method", ErrMalformed)
	}
	if !strings.Contains(rest, "HTTP/1.") {
		return Request{}, fmt.Errorf("%w: not a request", ErrMalformed)
	}
	return Request{
		Method:     method,
		Credential: h.text(hdrCredential),
		ClientType: h.text(hdrClientType),
		AuthType:   h.text(hdrAuthType),
		Version:    version,
	}, nil
}

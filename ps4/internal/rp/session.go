package rp

import (
	"encoding/base64"
	"encoding/binary"
)

// InitRequest is the first request of a session (docs/protocol.md §12).
type InitRequest struct {
	Family    Family
	Host      string
	RegistKey string // 8 hex digits
}

// Marshal returns the bytes of the request.
func (r InitRequest) Marshal() []byte {
	return Request{Method: "GET", Path: r.Family.Dialect().InitPath, Header: Header{
		{"Host", r.Host}, {"User-Agent", userAgent}, {"Connection", "close"}, {"Content-Length", "0"},
		{"RP-Registkey", encodeRegistKey(r.RegistKey)}, {"Rp-Version", r.Family.Dialect().Version},
	}}.Marshal()
}

// ParseInitRequest returns the content of an init request. The family is that of
// its RP-Version, or 0.
func ParseInitRequest(req Request) (InitRequest, error) {
	key, err := decodeRegistKey(req.Header.Get("RP-Registkey"))
	if err != nil {
		return InitRequest{}, err
	}
	family := FamilyByVersion(req.Header.Get("RP-Version"))
	return InitRequest{Family: family, Host: req.Header.Get("Host"), RegistKey: key}, nil
}

// InitReply is the console's answer to an InitRequest.
type InitReply struct{ Nonce Block }

// Marshal returns the bytes of the reply.
func (r InitReply) Marshal() []byte {
	return Reply{Status: 200, Header: Header{
		{"Content-Length", "0"}, {"RP-Nonce", base64.StdEncoding.EncodeToString(r.Nonce[:])},
	}}.Marshal()
}

// ParseInitReply returns the content of a reply with status 200.
func ParseInitReply(reply Reply) (InitReply, error) {
	nonce, err := decodeBlock(reply.Header.Get("RP-Nonce"))
	return InitReply{nonce}, err
}

func decodeBlock(text string) (b Block, err error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != len(b) {
		return b, protocolError("not the base64 of 16 bytes")
	}
	return Block(raw), nil
}

// ControlRequest is the second request of a session. DeviceID names this client
// (docs/protocol.md §12).
type ControlRequest struct {
	Family    Family
	Host      string
	RegistKey string // 8 hex digits
	DeviceID  Block
}

// sealedHeaders are the headers that hold something sealed, in the order of the
// counter. A client sends only those of its family.
var sealedHeaders = []string{"RP-Auth", "RP-Did", "RP-OSType", "RP-StartBitrate", "RP-StreamingType"}

// Content of the sealed headers (docs/protocol.md §12).
const (
	didPrefix  = "\x00\x18\x00\x00\x00\x07\x00\x40\x00\x80"
	didSize    = 32
	osType     = "Win10.0.0\x00"
	streamH264 = 1
)

// Marshal returns the bytes of the request. It spends counters for what it
// seals.
func (r ControlRequest) Marshal(c *Counters) []byte {
	seal := func(plain []byte) string { return base64.StdEncoding.EncodeToString(c.Seal(plain)) }
	did := make([]byte, didSize)
	copy(did[copy(did, didPrefix):], r.DeviceID[:])
	h := Header{
		{"Host", r.Host}, {"User-Agent", userAgent}, {"Connection", "keep-alive"}, {"Content-Length", "0"},
		{"RP-Auth", seal(append([]byte(r.RegistKey), make([]byte, 8)...))},
		{"RP-Version", r.Family.Dialect().Version},
		{"RP-Did", seal(did)},
		{"RP-ControllerType", "3"}, {"RP-ClientType", "11"},
		{"RP-OSType", seal([]byte(osType))},
		{"RP-ConPath", "1"},
	}
	if !r.Family.legacy() {
		h = append(h, Field{"RP-StartBitrate", seal(make([]byte, 4))})
	}
	if r.Family == PS5 {
		h = append(h, Field{"RP-StreamingType", seal(binary.LittleEndian.AppendUint32(nil, streamH264))})
	}
	return Request{Method: "GET", Path: r.Family.Dialect().ControlPath, Header: h}.Marshal()
}

// ParseControlRequest opens the request of a client, and spends a counter for
// each sealed header that it has.
func ParseControlRequest(f Family, c *Counters, req Request) (ControlRequest, error) {
	r := ControlRequest{Family: f, Host: req.Header.Get("Host")}
	opened := map[string][]byte{}
	for _, name := range sealedHeaders {
		sealed, err := base64.StdEncoding.DecodeString(req.Header.Get(name))
		if err != nil {
			return ControlRequest{}, protocolError("%s is not base64", name)
		}
		opened[name] = c.Open(sealed)
	}
	auth, did := opened["RP-Auth"], opened["RP-Did"]
	if len(auth) < RegistKeyLen || len(did) != didSize {
		return ControlRequest{}, protocolError("RP-Auth of %d bytes and RP-Did of %d", len(auth), len(did))
	}
	r.RegistKey = string(auth[:RegistKeyLen])
	copy(r.DeviceID[:], did[len(didPrefix):])
	return r, nil
}

// Models of a ControlReply.
const (
	ModelPS4    = 0
	ModelPS4Pro = 1
	ModelPS5    = 2
)

// ControlReply is the console's answer to a ControlRequest.
type ControlReply struct{ Model byte }

// Marshal returns the bytes of the reply, and spends a counter.
func (r ControlReply) Marshal(c *Counters) []byte {
	sealed := c.Seal(append([]byte{r.Model}, make([]byte, 15)...))
	return Reply{Status: 200, Header: Header{
		{"Content-Length", "0"}, // captures have none, but playactor would wait for a body
		{"RP-Server-Type", base64.StdEncoding.EncodeToString(sealed)},
	}}.Marshal()
}

// ParseControlReply opens a reply with status 200, and spends a counter.
func ParseControlReply(c *Counters, reply Reply) (ControlReply, error) {
	sealed, err := decodeBlock(reply.Header.Get("RP-Server-Type"))
	if err != nil {
		return ControlReply{}, err
	}
	return ControlReply{Model: c.Open(sealed[:])[0]}, nil
}

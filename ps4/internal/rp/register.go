package rp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Places in the context of a registration (docs/protocol.md §11).
const (
	ContextSize   = 480
	keySelector   = 0x18d // picks the row of the key
	nonceSelector = 0     // picks the row that hides the nonce
	nonceHead     = 0x191 // bytes 0 to 7 of the hidden nonce
	nonceTail     = 0xc7  // bytes 8 to 15
	nonceLegacy   = 0x11c // all 16 bytes
)

const userAgent = "remoteplay Windows"

// RegisterRequest is the POST that registers a client. PIN and OnlineID or
// AccountID are the user's.
type RegisterRequest struct {
	Family    Family
	Host      string // the HOST header
	PIN       uint32
	AccountID uint64
	OnlineID  string            // replaces AccountID on a console before 7.00, if set
	Nonce     Block             // random
	Context   [ContextSize]byte // any filling; Marshal hides Nonce in a copy
}

// Cipher returns the cipher of the request and its reply; both use counter 0.
func (r *RegisterRequest) Cipher() *Cipher {
	return newCipher(r.Family, registerKey(r.Family, r.Context[keySelector], r.PIN), r.Nonce)
}

func registerKey(f Family, selector byte, pin uint32) Block {
	if f.legacy() {
		key := tables().Legacy.RegistKey
		binary.BigEndian.PutUint32(key[:], binary.BigEndian.Uint32(key[:])^pin)
		return key
	}
	key := f.row("regist_key", selector&31)
	binary.BigEndian.PutUint32(key[12:], binary.BigEndian.Uint32(key[12:])^pin)
	return key
}

// Text returns the lines that the request seals.
func (r *RegisterRequest) Text() string {
	if r.byName() {
		return fmt.Sprintf("Client-Type: %s\r\nNp-Online-Id: %s\r\n", tables().ClientType.Legacy, r.OnlineID)
	}
	clientType := tables().ClientType.Modern
	if r.Family.legacy() {
		clientType = tables().ClientType.Legacy
	}
	return fmt.Sprintf("Client-Type: %s\r\nNp-AccountId: %s\r\n", clientType, EncodeAccountID(r.AccountID))
}

func (r *RegisterRequest) byName() bool { return r.Family == PS4At6 && r.OnlineID != "" }

// Marshal returns the bytes of the request.
func (r *RegisterRequest) Marshal() []byte {
	context := r.Context
	hideNonce(r.Family, &context, r.Nonce)
	body := append(context[:], r.Cipher().Seal(0, []byte(r.Text()))...)
	h := Header{
		{"HOST", r.Host}, {"User-Agent", userAgent}, {"Connection", "close"},
		{"Content-Length", strconv.Itoa(len(body))},
	}
	if !r.byName() {
		h = append(h, Field{"RP-Version", r.Family.Dialect().Version})
	}
	return Request{Method: "POST", Path: r.Family.Dialect().RegisterPath, Header: h, Body: body}.Marshal()
}

// ParseRegisterRequest opens the request of a client with the PIN that the
// console shows. A wrong PIN is an error that wraps [ErrProtocol], as any other
// damage.
func ParseRegisterRequest(f Family, pin uint32, req Request) (RegisterRequest, error) {
	if len(req.Body) < ContextSize {
		return RegisterRequest{}, protocolError("registration of %d bytes", len(req.Body))
	}
	r := RegisterRequest{Family: f, Host: req.Header.Get("Host"), PIN: pin}
	copy(r.Context[:], req.Body)
	r.Nonce = findNonce(f, &r.Context)
	h, err := parseHeader(string(r.Cipher().Open(0, req.Body[ContextSize:])))
	if err != nil || h.Get("Client-Type") == "" {
		return RegisterRequest{}, protocolError("registration does not open")
	}
	if r.OnlineID = h.Get("Np-Online-Id"); r.OnlineID != "" {
		return r, nil
	}
	r.AccountID, err = DecodeAccountID(h.Get("Np-AccountId"))
	if err != nil {
		return RegisterRequest{}, err
	}
	return r, nil
}

// hideNonce writes the nonce into a context.
func hideNonce(f Family, context *[ContextSize]byte, nonce Block) {
	if f.legacy() {
		for i, n := range nonce {
			context[nonceLegacy+i] = (n - byte(i) - 0x29) ^ tables().Legacy.B[i]
		}
		return
	}
	row, bias := f.nonceRow(context)
	for i := range nonce {
		nonce[i] = (nonce[i] ^ row[i]) + bias + byte(i)
	}
	copy(context[nonceHead:], nonce[:8])
	copy(context[nonceTail:], nonce[8:])
}

// findNonce reverts hideNonce.
func findNonce(f Family, context *[ContextSize]byte) (nonce Block) {
	if f.legacy() {
		for i := range nonce {
			nonce[i] = (context[nonceLegacy+i] ^ tables().Legacy.B[i]) + byte(i) + 0x29
		}
		return nonce
	}
	copy(nonce[:8], context[nonceHead:])
	copy(nonce[8:], context[nonceTail:])
	row, bias := f.nonceRow(context)
	for i := range nonce {
		nonce[i] = (nonce[i] - bias - byte(i)) ^ row[i]
	}
	return nonce
}

// nonceRow returns what hides the nonce of a modern registration.
func (f Family) nonceRow(context *[ContextSize]byte) (row Block, bias byte) {
	bias = 0x29
	if f == PS5 {
		bias = 0x100 - 0x2d
	}
	return f.row("regist_nonce", context[nonceSelector]>>3), bias
}

// EncodeAccountID returns the base64 of the id of a PSN account, little endian.
func EncodeAccountID(id uint64) string {
	return base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(nil, id))
}

// DecodeAccountID reverts [EncodeAccountID].
func DecodeAccountID(text string) (uint64, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 8 {
		return 0, protocolError("invalid account id")
	}
	return binary.LittleEndian.Uint64(raw), nil
}

// RegistKeyLen is the length of a RegistKey in hex digits. On the wire it is the
// hex form of those digits (docs/protocol.md §11).
const RegistKeyLen = 8

func encodeRegistKey(digits string) string { return hex.EncodeToString([]byte(digits)) }

func decodeRegistKey(text string) (string, error) {
	digits, err := hex.DecodeString(text)
	if err != nil {
		return "", protocolError("invalid RegistKey")
	}
	_, err = WakeCredential(string(digits))
	return string(digits), err
}

// WakeCredential returns a RegistKey as the number that wakes the console.
func WakeCredential(digits string) (uint32, error) {
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != RegistKeyLen {
		return 0, protocolError("invalid RegistKey") // the cause would quote a secret
	}
	return uint32(n), nil
}

// Registration is the sealed text with which a console answers a
// RegisterRequest. RegistKey and Key are secrets.
type Registration struct {
	HostType   string // "PS5" or "PS4"
	HostID     string // 12 hex digits in upper case, as in discovery
	Nickname   string
	RegistKey  string // 8 hex digits
	Key        Block  // RP-Key
	KeyType    string // "2"
	SupportCmd string // of a PS5
}

// Marshal returns the text in the clear.
func (r Registration) Marshal() []byte {
	h := Header{{"AP-Bssid", "000000000000"}, {"AP-Name", "PS5"}}
	if r.HostType != "PS5" {
		h = Header{
			{"AP-Ssid", "50533400"}, {"AP-Bssid", strings.ToLower(r.HostID)}, {"AP-Key", "313233"},
			{"AP-Name", "PLAYSTATION(R)4"},
		}
	}
	h = append(h, Header{
		{r.HostType + "-Mac", strings.ToLower(r.HostID)},
		{r.HostType + "-RegistKey", encodeRegistKey(r.RegistKey)},
		{r.HostType + "-Nickname", r.Nickname},
		{"RP-KeyType", r.KeyType},
		{"RP-Key", hex.EncodeToString(r.Key[:])},
	}...)
	if r.SupportCmd != "" {
		h = append(h, Field{"RP-SupportCmd", r.SupportCmd})
	}
	return h.append(nil)
}

// ParseRegistration parses the text in the clear. Only RegistKey and RP-Key have
// to be there. Errors never contain them.
func ParseRegistration(text []byte) (Registration, error) {
	h, err := parseHeader(string(text))
	if err != nil {
		return Registration{}, err
	}
	r := Registration{HostType: "PS5", KeyType: h.Get("RP-KeyType"), SupportCmd: h.Get("RP-SupportCmd")}
	if h.Get("PS5-RegistKey") == "" {
		r.HostType = "PS4"
	}
	r.HostID, r.Nickname = strings.ToUpper(h.Get(r.HostType+"-Mac")), h.Get(r.HostType+"-Nickname")
	if r.RegistKey, err = decodeRegistKey(h.Get(r.HostType + "-RegistKey")); err != nil {
		return Registration{}, err
	}
	if err := r.Key.UnmarshalText(bytes.TrimSpace([]byte(h.Get("RP-Key")))); err != nil {
		return Registration{}, err
	}
	return r, nil
}

package wire

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"fmt"
)

// ProtocolVersion is the version in both hellos.
const ProtocolVersion = 0x00020000

// Sizes of fields in bytes.
const (
	KeySize      = 16
	IVSize       = 16
	sealedSize   = 256 // a block of RSA-2048
	TitleIDSize  = 16
	ModelSize    = 16
	PasscodeSize = 4
)

// Hello opens a connection.
type Hello struct {
	Version uint32
	_       [16]byte
}

func (h Hello) Marshal() []byte { return marshal(TypeHello, h) }

// UnmarshalHello parses the hello of a client.
func UnmarshalHello(p Packet) (Hello, error) { return unmarshal[Hello](p, TypeHello) }

// HelloReply is the answer to a Hello.
type HelloReply struct {
	Version uint32
	Status  int32 // 0: accepted
	Option  uint32
	IV      [IVSize]byte // start of the cipher in both directions
}

func (h HelloReply) Marshal() []byte { return marshal(TypeHello, h) }

// UnmarshalHelloReply parses the hello of a console.
func UnmarshalHelloReply(p Packet) (HelloReply, error) { return unmarshal[HelloReply](p, TypeHello) }

// Handshake carries the AES key to the console. It has no answer.
type Handshake struct {
	Sealed [sealedSize]byte // the key, encrypted for the console
	IV     [IVSize]byte     // that of the HelloReply
}

// SealKey returns the handshake for an AES key: RSA-OAEP with SHA-1 and without
// a label. The public key must have 2048 bits.
func SealKey(pub *rsa.PublicKey, key [KeySize]byte, iv [IVSize]byte) (Handshake, error) {
	h := Handshake{IV: iv}
	if pub.Size() != sealedSize {
		return h, fmt.Errorf("the console's public key has %d bits instead of %d", pub.Size()*8, sealedSize*8)
	}
	sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, pub, key[:], nil)
	if err != nil {
		return h, fmt.Errorf("sealing the session key: %w", err)
	}
	copy(h.Sealed[:], sealed)
	return h, nil
}

// Open returns the AES key. Only consoles can.
func (h Handshake) Open(priv *rsa.PrivateKey) (key [KeySize]byte, err error) {
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, priv, h.Sealed[:], nil)
	if err != nil || len(plain) != KeySize {
		return key, fmt.Errorf("%w: the handshake does not open", ErrProtocol)
	}
	copy(key[:], plain)
	return key, nil
}

func (h Handshake) Marshal() []byte { return marshal(TypeHandshake, h) }

// UnmarshalHandshake parses the handshake of a client.
func UnmarshalHandshake(p Packet) (Handshake, error) { return unmarshal[Handshake](p, TypeHandshake) }

// Login signs a user in. Longer strings are truncated.
type Login struct {
	Passcode   string // 4 digits or empty; a secret
	Credential string // 64 hex digits; a secret
	AppLabel   string // up to 256 bytes, shown when the client connects
	OSVersion  string // up to 16 bytes
	Model      string // up to ModelSize bytes, shown in the list of linked devices
	PIN        string // 8 digits to link, or empty; a secret
}

// loginInfo is the constant that clients send in the info field.
const loginInfo = 0x201

// loginFields is the layout of a login (docs/protocol.md §5).
type loginFields struct {
	Passcode   [PasscodeSize]byte
	Info       uint32
	Credential [64]byte
	AppLabel   [256]byte
	OSVersion  [16]byte
	Model      [ModelSize]byte
	PIN        [16]byte
}

func (l Login) Marshal() []byte {
	f := loginFields{Info: loginInfo}
	putString(f.Passcode[:], l.Passcode)
	putString(f.Credential[:], l.Credential)
	putString(f.AppLabel[:], l.AppLabel)
	putString(f.OSVersion[:], l.OSVersion)
	putString(f.Model[:], l.Model)
	putString(f.PIN[:], l.PIN)
	return marshal(TypeLogin, f)
}

// UnmarshalLogin parses the login of a client.
func UnmarshalLogin(p Packet) (Login, error) {
	f, err := unmarshal[loginFields](p, TypeLogin)
	return Login{
		Passcode:   getString(f.Passcode[:]),
		Credential: getString(f.Credential[:]),
		AppLabel:   getString(f.AppLabel[:]),
		OSVersion:  getString(f.OSVersion[:]),
		Model:      getString(f.Model[:]),
		PIN:        getString(f.PIN[:]),
	}, err
}

// Empty is a packet without fields: TypeStandby, TypeKeyboardStart, TypeLogout
// or TypeBye.
type Empty struct{ Type Type }

func (e Empty) Marshal() []byte { return marshal(e.Type) }

// Word is a packet with one number: a result, the status of a heartbeat or of
// its answer, or a keyboard command.
type Word struct {
	Type  Type
	Value uint32
}

// HeartbeatKeyboard is the bit in the status of a heartbeat that is set while
// the on-screen keyboard is open.
const HeartbeatKeyboard = 4

func (w Word) Marshal() []byte {
	if w.Type == TypeLoginResult { // has a second word, of unknown meaning
		return marshal(w.Type, w.Value, uint32(0))
	}
	return marshal(w.Type, w.Value)
}

// UnmarshalWord returns the number of a packet of any type.
func UnmarshalWord(p Packet) (uint32, error) { return unmarshal[uint32](p, p.Type) }

// Boot starts a title.
type Boot struct{ TitleID string }

func (m Boot) Marshal() []byte {
	var id [TitleIDSize]byte
	putString(id[:], m.TitleID)
	return marshal(TypeBoot, id)
}

// UnmarshalBoot parses the boot of a client.
func UnmarshalBoot(p Packet) (Boot, error) {
	id, err := unmarshal[[TitleIDSize]byte](p, TypeBoot)
	return Boot{TitleID: getString(id[:])}, err
}

// Operation is a remote-control operation (docs/protocol.md §5).
type Operation uint32

// Operations.
const (
	OpUp      Operation = 1
	OpDown    Operation = 2
	OpRight   Operation = 4
	OpLeft    Operation = 8
	OpEnter   Operation = 16
	OpBack    Operation = 32
	OpOption  Operation = 64
	OpPS      Operation = 128
	OpKeyOff  Operation = 256
	OpCancel  Operation = 512
	OpOpenRC  Operation = 1024
	OpCloseRC Operation = 2048
)

// String returns "up", "key_off", "open_rc" and so on.
func (o Operation) String() string {
	names := map[Operation]string{
		OpUp: "up", OpDown: "down", OpRight: "right", OpLeft: "left", OpEnter: "enter", OpBack: "back",
		OpOption: "option", OpPS: "ps", OpKeyOff: "key_off", OpCancel: "cancel", OpOpenRC: "open_rc", OpCloseRC: "close_rc",
	}
	if name, known := names[o]; known {
		return name
	}
	return fmt.Sprintf("Operation(%d)", uint32(o))
}

// Remote is a remote-control operation with its hold time.
type Remote struct {
	Operation Operation
	HoldMS    uint32
}

func (r Remote) Marshal() []byte { return marshal(TypeRemote, r) }

// UnmarshalRemote parses the operation of a client.
func UnmarshalRemote(p Packet) (Remote, error) { return unmarshal[Remote](p, TypeRemote) }

package wire

// Empty is a packet without fields: TypeStandby, TypeKeyboardStart, TypeLogout
// or TypeBye.
type Empty struct{ Type Type }

// Marshal implements Message.
func (e Empty) Marshal() []byte { return newPacket(e.Type, headerLen) }

// Word is a packet with one word: a result, a heartbeat's status, a status or
// a keyboard command.
type Word struct {
	Type  Type
	Value uint32
}

// Lengths of packets that hold a result.
const (
	wordLen        = 12
	loginResultLen = 16
)

// Marshal implements Message.
func (w Word) Marshal() []byte {
	length := wordLen
	if w.Type == TypeLoginResult {
		length = loginResultLen
	}
	b := newPacket(w.Type, length)
	putU32(b, 8, w.Value)
	return b
}

// UnmarshalWord reads the word of a packet of any type. Lengths are minima:
// further fields and padding may hold anything.
func UnmarshalWord(p Packet) (uint32, error) {
	if err := need(p, p.Type, wordLen-headerLen); err != nil {
		return 0, err
	}
	return u32(p.Body, 0), nil
}

// HeartbeatKeyboard is the bit of a heartbeat's status that says that the
// on-screen keyboard is open.
const HeartbeatKeyboard = 4

// Boot starts a title.
type Boot struct{ TitleID string }

// TitleIDSize is the size of the title id field in bytes.
const TitleIDSize = 16

const bootLen = 24

// Marshal implements Message.
func (m Boot) Marshal() []byte {
	b := newPacket(TypeBoot, bootLen)
	putString(b[8:24], m.TitleID)
	return b
}

// UnmarshalBoot reads a client's boot.
func UnmarshalBoot(p Packet) (Boot, error) {
	if err := need(p, TypeBoot, bootLen-headerLen); err != nil {
		return Boot{}, err
	}
	return Boot{TitleID: getString(p.Body[:TitleIDSize])}, nil
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

// Remote is one remote-control operation with its hold time in milliseconds.
type Remote struct {
	Operation Operation
	HoldMS    uint32
}

const remoteLen = 16

// Marshal implements Message.
func (r Remote) Marshal() []byte {
	b := newPacket(TypeRemote, remoteLen)
	putU32(b, 8, uint32(r.Operation))
	putU32(b, 12, r.HoldMS)
	return b
}

// UnmarshalRemote reads a client's operation.
func UnmarshalRemote(p Packet) (Remote, error) {
	if err := need(p, TypeRemote, remoteLen-headerLen); err != nil {
		return Remote{}, err
	}
	return Remote{Operation: Operation(u32(p.Body, 0)), HoldMS: u32(p.Body, 4)}, nil
}

package wire

// Layout of a login (docs/protocol.md §5).
const (
	loginLen       = 384
	loginInfo      = 0x201
	CredentialSize = 64
	AppLabelSize   = 256
	OSVersionSize  = 16
	ModelSize      = 16
	PINSize        = 16
	PasscodeSize   = 4
)

// Login signs in with the console. All limits are bytes.
type Login struct {
	Passcode   string // 4 ASCII digits, or empty; a secret
	Credential string // 64 hex digits; a secret
	AppLabel   string // shown in the console's toast; at most AppLabelSize
	OSVersion  string // at most OSVersionSize
	Model      string // names the device in the console's list; at most ModelSize
	PIN        string // 8 digits to link, or empty; a secret
}

// Marshal implements Message.
func (l Login) Marshal() []byte {
	b := newPacket(TypeLogin, loginLen)
	putString(b[8:12], l.Passcode)
	putU32(b, 12, loginInfo)
	putString(b[16:80], l.Credential)
	putString(b[80:336], l.AppLabel)
	putString(b[336:352], l.OSVersion)
	putString(b[352:368], l.Model)
	putString(b[368:384], l.PIN)
	return b
}

// UnmarshalLogin reads a client's login, as a console does.
func UnmarshalLogin(p Packet) (Login, error) {
	if err := need(p, TypeLogin, loginLen-headerLen); err != nil {
		return Login{}, err
	}
	b := p.Body
	return Login{
		Passcode:   getString(b[0:4]),
		Credential: getString(b[8:72]),
		AppLabel:   getString(b[72:328]),
		OSVersion:  getString(b[328:344]),
		Model:      getString(b[344:360]),
		PIN:        getString(b[360:376]),
	}, nil
}

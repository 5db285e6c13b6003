package takion

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// launchSpec describes the stream that the client asks for: the smallest that
// clients ask for, at the lowest rate, with a claimed MTU and a claimed round trip
// of 1 ms. Other clients send the same text; the purpose of most values is unknown.
const launchSpec = `{"sessionId":"sessionId4321",` +
	`"streamResolutions":[{"resolution":{"width":640,"height":360},"maxFps":%d,"score":10}],` +
	`"network":{"bwKbpsSent":2000,"bwLoss":0.001000,"mtu":%d,"rtt":1,"ports":[53,2053]},` +
	`"slotId":1,` +
	`"appSpecification":{"minFps":30,"minBandwidth":0,"extTitleId":"ps3","version":1,"timeLimit":1,` +
	`"startTimeout":100,"afkTimeout":100,"afkTimeoutDisconnect":100},` +
	`"konan":{"ps3AccessToken":"accessToken","ps3RefreshToken":"refreshToken"},` +
	`"requestGameSpecification":{"model":"bravia_tv","platform":"android","audioChannels":"5.1","language":"sp",` +
	`"acceptButton":"X","connectedControllers":["xinput","ds3","ds4"],"yuvCoefficient":"bt601",` +
	`"videoEncoderProfile":"hw4.1","audioEncoderProfile":"audio1"%s},` +
	`"userProfile":{"onlineId":"psnId","npId":"npId","region":"US","languagesUsed":["en","jp"]},` +
	`%s"handshakeKey":"%s"}` + "\x00"

// LaunchSpec is the part of the launch specification that varies.
type LaunchSpec struct {
	MaxFPS       int
	PS5          bool
	HandshakeKey []byte
}

func (s LaunchSpec) json() []byte {
	mode, codec := "", ""
	if s.PS5 {
		mode, codec = `,"adaptiveStreamMode": "resize"`, `"videoCodec":"avc","dynamicRange":"SDR",`
	}
	return fmt.Appendf(nil, launchSpec, s.MaxFPS, MTU, mode, codec, base64.StdEncoding.EncodeToString(s.HandshakeKey))
}

// Seal returns the sealed text for BIG. Sealing zeros with counter 0 of the
// session's cipher gives its key stream.
func (s LaunchSpec) Seal(cipher func(counter uint64, plain []byte) []byte) string {
	text := s.json()
	subtle.XORBytes(text, text, cipher(0, make([]byte, len(text))))
	return base64.StdEncoding.EncodeToString(text)
}

// OpenLaunchSpec returns the handshake key of a sealed launch specification.
func OpenLaunchSpec(sealed string, cipher func(counter uint64, plain []byte) []byte) (handshakeKey []byte, err error) {
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, protocolError("the launch specification is not base64")
	}
	subtle.XORBytes(text, text, cipher(0, make([]byte, len(text))))
	var spec struct {
		HandshakeKey []byte `json:"handshakeKey"`
	}
	if err := json.Unmarshal(bytes.TrimRight(text, "\x00"), &spec); err != nil || len(spec.HandshakeKey) != HandshakeKeyLen {
		return nil, protocolError("the launch specification has no handshake key") // the cause might quote it
	}
	return spec.HandshakeKey, nil
}

package ps4test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
)

// stream is an association with a client.
type stream struct {
	*takion.Endpoint
	console *Console
	port    int // streamPort or probePort
	client  netip.AddrPort
	session *rpSession
	cookie  [takion.CookieLen]byte
	open    bool

	streaming  bool // the client acknowledged STREAMINFO
	controller bool // one is connected
	ticks      int
	next       uint16                      // sequence of the next history
	down       map[takion.Button]time.Time // buttons that are down, and since when
}

var errNoStream = errors.New("no stream is open")

// streamPacketLocked handles a packet to the port of the stream or the probe.
func (c *Console) streamPacketLocked(port int, from netip.AddrPort, packet []byte) (what, outcome string) {
	if len(packet) == 0 {
		return "", ""
	}
	c.log.counters.StreamPackets++
	what, err := c.takeStreamLocked(port, from, packet)
	if err != nil {
		c.log.counters.StreamErrors++
		return "stream " + what, "ignored: " + err.Error()
	}
	if what != "" {
		what = "stream " + what
	}
	return what, ""
}

// takeStreamLocked handles a packet. It returns what the trace says about it.
func (c *Console) takeStreamLocked(port int, from netip.AddrPort, packet []byte) (string, error) {
	r := &c.rp
	s := r.streams[port]
	t := takion.TypeOf(packet)
	late := s == nil && r.left[port] == from // such as a repeated DISCONNECT
	if t != takion.TypeControl {
		switch {
		case late:
			return "", nil
		case s == nil || s.client != from || s.Receive == nil:
			return fmt.Sprintf("packet of type %d", t), errNoStream
		case !s.controller:
			return "", nil // ignored until a controller is connected
		}
		return s.takeFeedbackLocked(t, packet)
	}
	chunk, err := takion.ParseControl(packet)
	if err != nil {
		return "control packet", err
	}
	if chunk.Chunk == takion.ChunkInit {
		return "INIT", c.initStreamLocked(port, from, chunk)
	}
	if late {
		return "", nil
	}
	if s == nil || s.client != from || chunk.Tag != s.Local {
		return fmt.Sprintf("chunk %d", chunk.Chunk), errNoStream
	}
	switch chunk.Chunk {
	case takion.ChunkCookie:
		if !bytes.Equal(chunk.Body, s.cookie[:]) {
			return "COOKIE", errors.New("another cookie")
		}
		s.Control(takion.ChunkCookieAck, 0, nil)
		if !s.open {
			s.open = true
			s.tickLocked()
		}
		return "COOKIE", nil
	case takion.ChunkData, takion.ChunkDataAck:
		if !s.open {
			return "DATA", errNoStream
		}
		messages, err := s.Take(chunk, packet)
		what := ""
		for _, m := range messages {
			text, failed := s.handleLocked(m)
			what, err = what+text, errors.Join(err, failed)
		}
		return what, err
	}
	return fmt.Sprintf("chunk %d", chunk.Chunk), errors.New("unknown")
}

// initStreamLocked answers INIT while a user is signed in.
func (c *Console) initStreamLocked(port int, from netip.AddrPort, chunk takion.Control) error {
	init, err := takion.ParseInit(chunk.Body)
	if err != nil {
		return err
	}
	session := c.rp.session
	if session == nil || !session.loggedIn || c.faults.NoStream || port == probePort && c.faults.NoProbe {
		return errNoStream
	}
	current := &c.rp.streams[port]
	if s := *current; s == nil || s.client != from || s.Remote != init.Tag {
		if s != nil && s.open && s.session == session {
			return errors.New("another stream is open")
		}
		socket, to := c.rp.sockets[port], net.UDPAddrFromAddrPort(from)
		s := &stream{
			console: c, port: port, client: from, session: session, down: map[takion.Button]time.Time{},
			Endpoint: takion.NewEndpoint(func(packet []byte) { _, _ = socket.WriteTo(packet, to) }),
		}
		_, _ = rand.Read(s.cookie[:])
		s.Remote = init.Tag
		s.In.Reset(init.Sequence)
		*current = s
	}
	s := *current
	s.Control(takion.ChunkInitAck, 0, s.Init(s.cookie[:]))
	return nil
}

// handleLocked handles a message of the client.
func (s *stream) handleLocked(m takion.Message) (string, error) {
	switch m.Type {
	case takion.TypeVersions:
		s.Say(takion.ChannelControl, takion.Versions(takion.TypeVersionsAck, takion.VersionSenkusha))
		return "VERSIONS", nil
	case takion.TypeBig:
		return "BIG", s.bigLocked(m)
	case takion.TypeHeartbeat:
		return "", nil
	case takion.TypeStreamInfoAck:
		s.streaming = true
		return "STREAMINFOACK", nil
	case takion.TypeControllerConnection:
		connection, err := takion.ParseControllerConnection(m)
		s.controller = connection.Connected
		return "CONTROLLERCONNECTION", err
	case takion.TypeDisconnect:
		if s.port == streamPort && s.Receive != nil {
			s.console.log.counters.StreamsClosed++
		}
		s.closeLocked()
		return "DISCONNECT", nil
	}
	return fmt.Sprintf("message %d", m.Type), errors.New("unknown")
}

// bigLocked answers BIG, once.
func (s *stream) bigLocked(m takion.Message) error {
	big, err := takion.ParseBig(m)
	if err != nil || s.Receive != nil {
		return err
	}
	c := s.console
	if s.port == probePort {
		s.Say(takion.ChannelControl, takion.Bang{Version: big.Version, KeyAccepted: true, VersionAccepted: true}.Message())
		return nil
	}
	version := uint64(takion.VersionPS4)
	if c.rp.family == rp.PS5 {
		version = takion.VersionPS5
	}
	bang := takion.Bang{Version: version, VersionAccepted: big.Version == version && !c.faults.RefuseStream, SessionKey: big.SessionKey}
	key, err := takion.OpenLaunchSpec(big.LaunchSpec, s.session.cipher.Seal)
	var fromClient, fromConsole *takion.Key
	if err == nil {
		handshake := takion.NewHandshake(key)
		fromClient, fromConsole, err = handshake.Keys(big.PublicKey, big.Signature)
		bang.PublicKey, bang.Signature = handshake.Public()
	}
	bang.KeyAccepted = err == nil
	s.Say(takion.ChannelControl, bang.Message())
	if !bang.KeyAccepted || !bang.VersionAccepted {
		return err
	}
	s.Receive, s.Send = fromClient, fromConsole
	c.log.counters.Streams++
	s.Say(takion.ChannelStreamInfo, takion.StreamInfo(640, 360, make([]byte, 64), make([]byte, 14)))
	return nil
}

// tickEvery is how often a stream resends packets and sends media. Each tenth
// tick sends a heartbeat.
const tickEvery = 100 * time.Millisecond

// tickLocked keeps the stream alive, and sends random bytes for pictures and
// sound.
func (s *stream) tickLocked() {
	if s.console.rp.streams[s.port] != s { // it was closed
		return
	}
	if !s.Resend() {
		s.console.log.counters.Dropped++
		s.closeLocked()
		return
	}
	s.ticks++
	if s.streaming {
		if s.ticks%10 == 0 {
			s.Say(takion.ChannelControl, takion.Message{Type: takion.TypeHeartbeat})
		}
		for _, size := range []int{1200, 1200, 1200, 200, 200} {
			packet := make([]byte, size)
			_, _ = rand.Read(packet)
			packet[0] = byte(takion.TypeVideo)
			if size < 1000 {
				packet[0] = byte(takion.TypeAudio)
			}
			s.Write(packet)
			s.console.log.counters.MediaBytes += size
		}
	}
	s.console.afterLocked(tickEvery, s.tickLocked)
}

// closeLocked ends the association.
func (s *stream) closeLocked() {
	if r := &s.console.rp; r.streams[s.port] == s {
		s.console.log.counters.ButtonsLeftDown += len(s.down)
		r.streams[s.port], r.left[s.port] = nil, s.client
	}
}

// EndStream ends the open stream of Remote Play, and tells the client the reason.
func (c *Console) EndStream(reason string) {
	c.update(func() { c.closeStreamsLocked(reason) })
}

// closeStreamsLocked tells the clients that their streams are over.
func (c *Console) closeStreamsLocked(reason string) {
	for _, s := range c.rp.streams {
		if s != nil {
			if s.open {
				s.Say(takion.ChannelControl, takion.Disconnect{Reason: reason}.Message())
			}
			s.closeLocked()
		}
	}
}

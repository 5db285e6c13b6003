package ps4test

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// RemotePlay configures the Remote Play service of a console. Config.PIN is the
// PIN that its screen "Link Device" shows, and Config.Passcode that of the user.
type RemotePlay struct {
	Port     uint16   // TCP and UDP, and of UDP the next two; 0 picks free ones
	Accounts []uint64 // PSN accounts on this console; nil: any
	// Registered lists devices that are registered already.
	Registered []remoteplay.Registration
}

// remotePlay is the state of the Remote Play service (docs/protocol.md §10 to
// §15).
type remotePlay struct {
	family   rp.Family
	addr     netip.AddrPort
	sockets  [ports]net.PacketConn
	streams  [ports]*stream        // the open ones
	left     [ports]netip.AddrPort // clients of the last ones, whose packets may come late
	free     func()                // frees the reserved TCP port
	stop     func()                // ends listening; nil: TCP refuses connections
	searched time.Time             // the last search word that was answered
	door     time.Time             // with Faults.NeedSearch: TCP refuses from then on

	registered map[string]rp.Block // RP-Keys by RegistKey
	session    *rpSession          // the one that passed control
	init       *initialized        // the last one; nil: used up
	busyUntil  time.Time           // a session failed: refuses the next ones as in use
}

// UDP ports, as offsets from the port of the service.
const (
	searchPort = 0
	streamPort = takion.PortOffset
	probePort  = takion.SenkushaPortOffset
	ports      = 3
)

// initialized is a session between init and control.
type initialized struct {
	registKey  string
	key, nonce rp.Block
	closed     time.Time // when the connection of init was closed; zero: not yet
}

// searchTime is how long a search word permits a registration or, with
// Faults.NeedSearch, connections.
const searchTime = 10 * time.Second

// portTries is how many ports to try until one is free for both TCP and UDP.
const portTries = 16

// startRemotePlay opens the sockets of the service, if the console has it.
func (c *Console) startRemotePlay(addr netip.Addr) error {
	cfg := c.cfg.RemotePlay
	if cfg == nil {
		return nil
	}
	family, err := rp.FamilyOf(c.cfg.HostType, c.cfg.SystemVersion)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	r := &c.rp
	r.family = family
	r.registered = map[string]rp.Block{}
	for _, reg := range cfg.Registered {
		stored := reg.Reveal()
		var key rp.Block
		if err := key.UnmarshalText([]byte(stored.RPKey)); err != nil {
			return fmt.Errorf("%w: a registration is incomplete", ErrConfig)
		}
		r.registered[stored.RegistKey] = key
	}
	for range portTries {
		if err = r.bind(c.net, netip.AddrPortFrom(addr, cfg.Port)); err == nil || cfg.Port != 0 {
			break
		}
	}
	return err
}

// bind reserves a TCP port, and opens the UDP sockets from that port on.
func (r *remotePlay) bind(network transport, at netip.AddrPort) (err error) {
	if r.addr, r.free, err = network.reserve(at); err != nil {
		return err
	}
	for i := range r.sockets {
		at := netip.AddrPortFrom(r.addr.Addr(), r.addr.Port()+uint16(i)) //nolint:gosec // small
		if r.sockets[i], err = network.packet(at, false); err != nil {
			r.release()
			return err
		}
	}
	return nil
}

func (r *remotePlay) release() {
	for _, socket := range r.sockets {
		if socket != nil {
			_ = socket.Close()
		}
	}
	if r.free != nil {
		r.free()
		r.free = nil
	}
}

// RemotePlayAddr returns the address of the Remote Play service.
func (c *Console) RemotePlayAddr() netip.AddrPort { return c.rp.addr }

// RemotePlayOptions returns the options of a Remote Play client for this
// console. The caller may change them.
func (c *Console) RemotePlayOptions() *remoteplay.Options {
	o := &remoteplay.Options{Port: c.rp.addr.Port(), Logf: c.cfg.Logf}
	if c.cfg.Network != nil {
		o.Dial, o.ListenPacket = c.cfg.Network.Dial, c.cfg.Network.ListenPacket
	}
	return o
}

// searchWordLocked answers a search word while the screen that shows the PIN is
// open (docs/protocol.md §11).
func (c *Console) searchWordLocked(from netip.AddrPort, word []byte) (what, outcome string) {
	dialect := c.rp.family.Dialect()
	if !strings.HasPrefix(string(word), dialect.SearchWord) {
		return "", ""
	}
	awake := c.power.awake && !c.power.moving
	if awake && c.faults.NeedSearch {
		c.rp.door = time.Now().Add(searchTime)
	}
	if !awake || c.cfg.PIN == "" {
		return "search word", "no answer: no PIN is shown"
	}
	c.rp.searched = time.Now()
	_, _ = c.rp.sockets[searchPort].WriteTo([]byte(dialect.SearchAnswer+"\x01\x05\x00"), net.UDPAddrFromAddrPort(from))
	return "search word", ""
}

// acceptsRemotePlay reports whether a WAKEUP carries the RegistKey of a
// registered device.
func (c *Console) acceptsRemotePlay(r ddp.Request) bool {
	number, err := strconv.ParseUint(r.Credential, 10, 32)
	_, known := c.rp.registered[fmt.Sprintf("%08x", number)]
	return r.AuthType == "R" && err == nil && known
}

// serveRequest answers the request of a connection, which control turns into a
// session.
func (c *Console) serveRequest(cl *client) {
	in := bufio.NewReader(cl.conn)
	req, err := rp.ReadRequest(in)
	if err != nil {
		cl.trace("Remote Play connection", "malformed: "+err.Error())
		return
	}
	session, dialect := &rpSession{client: cl}, c.rp.family.Dialect()
	var (
		reply   []byte // nil: none
		reason  remoteplay.ResultError
		outcome string
		started *initialized
		faults  Faults
	)
	c.update(func() {
		switch {
		case use(&c.faults.HangUp):
		case c.faults.RemotePlay != 0:
			reason = c.faults.RemotePlay
		case req.Path == dialect.RegisterPath:
			reply, reason = c.registerLocked(req)
		case req.Path == dialect.InitPath:
			reply, reason = c.initLocked(req)
		case req.Path == dialect.ControlPath:
			reply, reason = session.startLocked(req)
		default: // the path of another family
			reason = remoteplay.ErrVersion
		}
		switch {
		case reason != 0:
			outcome = fmt.Sprintf("refused with %08x", uint32(reason))
			speaks := rp.Family(0)
			if reason == remoteplay.ErrVersion {
				speaks = c.rp.family
			}
			reply = rp.Refusal(uint32(reason), speaks).Marshal()
		case reply == nil:
			outcome = "no reply"
		}
		started, faults = c.rp.init, c.takeFaultsLocked()
	})
	cl.trace("Remote Play "+req.Method+" "+req.Path, outcome)
	accepted := reply != nil && cl.write(reply, faults) == nil && reason == 0
	switch {
	case req.Path == dialect.ControlPath:
		_ = cl.conn.SetReadDeadline(time.Time{})
		session.run(func() error {
			if accepted {
				return session.next(in)
			}
			_, err := io.Copy(io.Discard, in) // a silent console waits for its client to leave
			return cmp.Or(err, io.EOF)
		}, session.endLocked)
	case req.Path == dialect.InitPath && accepted:
		if half, ok := cl.conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
			_, _ = io.Copy(io.Discard, in) // until the client closes it, too
		}
		cl.close()
		c.update(func() { started.closed = time.Now() })
	}
}

// registerLocked registers a device.
func (c *Console) registerLocked(req rp.Request) (reply []byte, reason remoteplay.ResultError) {
	c.log.counters.Registrations++
	r := &c.rp
	pin, err := strconv.ParseUint(c.cfg.PIN, 10, 32)
	if err != nil || time.Since(r.searched) > searchTime {
		return nil, remoteplay.ErrOther
	}
	request, err := rp.ParseRegisterRequest(r.family, uint32(pin), req)
	switch {
	case err != nil:
		return nil, remoteplay.ErrRegistration
	case c.cfg.RemotePlay.Accounts != nil && !slices.Contains(c.cfg.RemotePlay.Accounts, request.AccountID):
		return nil, remoteplay.ErrNoSuchAccount
	}
	var key [4]byte
	_, _ = rand.Read(key[:])
	entry := rp.Registration{
		HostType: c.cfg.HostType, HostID: c.cfg.HostID, Nickname: c.cfg.Name,
		RegistKey: hex.EncodeToString(key[:]), KeyType: "2",
	}
	_, _ = rand.Read(entry.Key[:])
	if c.cfg.HostType == ps4.TypePS5 {
		entry.SupportCmd = "140000"
	}
	r.registered[entry.RegistKey] = entry.Key
	body := request.Cipher().Seal(0, entry.Marshal())
	return rp.Reply{Status: 200, Header: rp.Header{
		{Name: "Connection", Value: "close"}, {Name: "Content-Length", Value: strconv.Itoa(len(body))},
	}, Body: body}.Marshal(), 0
}

// initLocked answers the first request of a session.
func (c *Console) initLocked(req rp.Request) (reply []byte, reason remoteplay.ResultError) {
	r := &c.rp
	c.log.counters.Inits++
	request, err := rp.ParseInitRequest(req)
	key, known := r.registered[request.RegistKey]
	switch {
	case err != nil || !known || req.Header.Get("Content-Length") != "0":
		return nil, remoteplay.ErrOther
	case request.Family != r.family:
		return nil, remoteplay.ErrVersion
	case r.session != nil || time.Now().Before(r.busyUntil):
		c.inUseLocked()
		return nil, remoteplay.ErrInUse
	}
	r.init = &initialized{registKey: request.RegistKey, key: key}
	_, _ = rand.Read(r.init.nonce[:])
	return rp.InitReply{Nonce: r.init.nonce}.Marshal(), 0
}

// inUseLocked makes the console refuse sessions for a while
// (docs/protocol.md §14).
func (c *Console) inUseLocked() {
	if c.rp.session == nil {
		c.rp.busyUntil = time.Now().Add(c.cfg.Timing.InUse)
	}
}

// Package hapserver serves accessories of github.com/brutella/hap's model to
// HomeKit controllers: pairing, encrypted sessions, requests, events and the
// announcement. It knows no console.
//
// A connection is HTTP/1.1 in the clear up to the answer to pair-verify's last
// message, and HTTP/1.1 in encrypted frames after it:
//
//	pair-setup, once                 pair-verify, on each connection
//	M1 ->  <- M2 salt, B             M1 X25519 key ->  <- M2 key, sealed signature
//	M3 A, proof ->  <- M4 proof      M3 sealed signature ->  <- M4
//	M5 sealed key ->  <- M6 sealed key
//
//	+--------------+--------------------------------+----------+
//	| length n (2) | ChaCha20-Poly1305 of n <= 1024 | tag (16) |
//	+--------------+--------------------------------+----------+
//
// The length is little-endian and authenticated; the nonce counts frames, in
// each direction. An event is the message "EVENT/1.0 200 OK" between two
// responses, with the JSON of a read.
//
// Limits of time, size and number bound what a stranger can use. A verified
// controller may read and write what the model allows, and cannot delay another
// one. Codes, keys and pairings never appear in a log, an error or formatted
// output.
//
// docs/homekit.md §6 lists what this package must withstand;
// docs/adr/0001-own-hap-session-layer.md explains its design.
package hapserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/brutella/hap/accessory"

	"github.com/ps4kit/ps4kit/internal/mdns"
)

// Logger is a logger with levels, such as a *logrus.Entry.
type Logger = mdns.Logger

// Options configure a Server. Accessories and Store are required.
type Options struct {
	Name        string         // to announce; at most 63 bytes
	Accessories []*accessory.A // with all ids set, the first with id 1; their structure must not change
	Category    uint8          // 31 television, 35 set-top box, 36 stick
	SetupCode   string         // as FormatSetupCode returns it; empty: the stored code, or a random one
	Store       Store
	Log         Logger    // nil discards
	Publisher   Publisher // nil: not announced
	OnChange    func()    // called after a change of pairings or of the setup state

	Strangers *Strangers // shared by the servers of a process; nil: of this server alone
}

// Format hides the setup code.
func (o Options) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "hapserver.Options(%s)[redacted]", o.Name)
}

// Limits of time (docs/homekit.md §6).
const (
	requestTime = 10 * time.Second      // from the first to the last byte of a request
	idleTime    = 2 * time.Minute       // between requests on an unverified connection
	writeTime   = 5 * time.Second       // for a peer to take a message
	eventDelay  = 20 * time.Millisecond // to collect changes into one event
)

// Server is one HAP server: one identity, its pairings and its accessories.
type Server struct {
	o       Options
	log     Logger
	db      *database
	records *records
	hold    setupHold
	offer   srpOffer
	peers   peers
	routes  http.Handler
	counts  counts

	publishing  sync.Mutex       // guards publication, and orders its updates
	publication mdns.Publication // nil: not announced
}

// New returns a server with its stored record, or with a new identity if there
// is none. It does no network I/O. It fails if accessories have missing or
// repeated ids, or if the record cannot be read, is damaged or cannot be saved.
func New(o *Options) (*Server, error) {
	db, err := newDatabase(o.Accessories)
	if err != nil {
		return nil, err
	}
	s := &Server{o: *o, log: o.Log, db: db}
	if s.log == nil {
		s.log = mdns.Discard{}
	}
	if s.o.Strangers == nil {
		s.o.Strangers = &Strangers{}
	}
	if s.records, err = openRecords(o.Store, o.SetupCode, db.structure); err != nil {
		return nil, err
	}
	s.routes = s.newRoutes()
	return s, nil
}

func (s *Server) newRoutes() http.Handler {
	mux := http.NewServeMux()
	s.counts.requests = map[string]*RequestStats{"": {Name: "other"}}
	route := func(name, pattern string, h http.HandlerFunc) {
		mux.Handle(pattern, h)
		s.counts.requests[pattern] = &RequestStats{Name: name}
	}
	route("identify", "POST /identify", s.identify)
	route("pair_setup", "POST /pair-setup", s.pairSetup)
	route("pair_verify", "POST /pair-verify", s.pairVerify)
	route("pairings", "POST /pairings", verifiedOnly(s.pairings))
	route("accessories", "GET /accessories", verifiedOnly(s.getAccessories))
	route("read", "GET /characteristics", verifiedOnly(s.getCharacteristics))
	route("write", "PUT /characteristics", verifiedOnly(s.putCharacteristics))
	route("prepare", "PUT /prepare", verifiedOnly(s.prepare))
	return mux
}

// verifiedOnly answers requests on an unverified connection with status 470.
func verifiedOnly(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !peerOf(r).verified() {
			writeJSON(w, statusAuthorization, statusJSON{Status: statusPrivileges})
			return
		}
		h(w, r)
	}
}

// Serve accepts connections from ln and announces the server until ctx is done.
// Then it says goodbye, closes ln and all connections, waits for its goroutines
// and returns nil. It returns an error if ln fails.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var work sync.WaitGroup
	defer work.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	if s.o.Publisher != nil {
		addr, _ := netip.ParseAddrPort(ln.Addr().String())
		defer s.publish(addr.Port())()
	}
	for {
		conn, err := ln.Accept()
		var temporary interface{ Temporary() bool }
		switch {
		case err == nil:
			s.admit(ctx, conn, &work) // which closes it if ctx is done
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &temporary) && temporary.Temporary():
			s.log.Warnf("cannot accept connections for now: %v", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond): // the machine is out of file descriptors or memory
			}
		default:
			return fmt.Errorf("accept connections: %w", err)
		}
	}
}

// admit serves a connection if the limits allow.
func (s *Server) admit(ctx context.Context, conn net.Conn, work *sync.WaitGroup) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		// Apple's controllers may be silent for days. A dead one is found
		// within a minute.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3,
		})
	}
	p := newPeer(ctx, s, conn, work)
	if !s.o.Strangers.add(p) {
		s.log.Debugf("refused a connection from %s: too many are unverified", p.addr)
		p.evict()
		return
	}
	s.peers.add(p)
	s.counts.opened.Add(1)
	work.Go(p.serve)
}

// identify flashes an accessory that is not paired yet. Paired controllers write
// to the characteristic instead.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) {
	if s.records.load().paired() {
		writeJSON(w, http.StatusBadRequest, statusJSON{Status: statusPrivileges})
		return
	}
	if do := s.o.Accessories[0].IdentifyFunc; do != nil {
		do(r)
	}
	w.WriteHeader(http.StatusNoContent)
}

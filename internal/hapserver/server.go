package hapserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/internal/mdns"
)

// Logger is a logger with levels, such as a *logrus.Entry.
type Logger = mdns.Logger

// Options configure a Server. Accessories and Store are needed; the rest may be left out.
type Options struct {
	Name        string         // service instance name for mDNS, cleaned; at most 63 bytes
	Accessories []*accessory.A // ids and instance ids set; the first has id 1. Their structure must not change any more
	Category    uint8          // ci of the announcement: 31 television, 35 set-top box, 36 stick
	SetupCode   string         // from the configuration, 518-08-582; empty: the stored one, or a random one
	Store       Store
	Log         Logger    // nil: discard
	Publisher   Publisher // nil: not announced
	// OnChange is called after a change of pairings or of the setup state, by the goroutine that caused it.
	OnChange func()
	Limits   Limits
}

// Format keeps the setup code out of logs and errors.
func (o Options) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "hapserver.Options(%s)[redacted]", o.Name)
}

// Server is one HAP server: one identity, its pairings and its accessories.
type Server struct {
	o       Options
	log     Logger
	lim     Limits
	db      *database
	records *records
	hold    *setupHold
	offer   srpOffer
	peers   *peers
	routes  http.Handler
	counts  counts
	changed chan struct{} // announce again
	wide    sync.Mutex    // guards uint64 values, see store

	publication atomic.Pointer[mdns.Publication] // nil: not announced
}

// New prepares a server: it loads its record, or makes an identity if there never was one, and saves it when anything is new. It does
// no network I/O. It fails for accessories with missing or repeated ids, a setup code that ValidSetupCode refuses, and a
// record that cannot be read, is damaged or cannot be saved.
func New(o *Options) (*Server, error) {
	if o == nil || o.Store == nil {
		return nil, errors.New("a HAP server needs a store")
	}
	db, err := newDatabase(o.Accessories)
	if err != nil {
		return nil, err
	}
	structure, err := db.structure()
	if err != nil {
		return nil, err
	}
	s := &Server{o: *o, log: o.Log, lim: o.Limits.withDefaults(), db: db, hold: &setupHold{}, changed: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = mdns.Discard{}
	}
	if o.SetupCode != "" {
		if s.o.SetupCode, err = FormatSetupCode(o.SetupCode); err != nil {
			return nil, err
		}
	}
	if s.records, err = openRecords(o.Store, s.o.SetupCode, structure); err != nil {
		return nil, err
	}
	s.hold.limit = s.lim.SetupHold
	s.peers = &peers{lim: s.lim, hold: s.hold}
	s.routes = s.newRoutes()
	return s, nil
}

func (s *Server) newRoutes() http.Handler {
	mux := http.NewServeMux()
	s.counts.requests = map[string]*requestCounts{"": {name: "other"}}
	route := s.counts.route
	route(mux, "identify", "POST /identify", s.identify)
	route(mux, "pair_setup", "POST /pair-setup", s.pairSetup)
	route(mux, "pair_verify", "POST /pair-verify", s.pairVerify)
	route(mux, "pairings", "POST /pairings", verifiedOnly(s.pairings))
	route(mux, "accessories", "GET /accessories", verifiedOnly(s.getAccessories))
	route(mux, "read", "GET /characteristics", verifiedOnly(s.getCharacteristics))
	route(mux, "write", "PUT /characteristics", verifiedOnly(s.putCharacteristics))
	route(mux, "prepare", "PUT /prepare", verifiedOnly(s.prepare))
	return mux
}

// verifiedOnly answers strangers with 470, in the clear as their connection is.
func verifiedOnly(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !peerOf(r).verified() {
			writeJSON(w, statusAuthorization, statusJSON{Status: statusPrivileges})
			return
		}
		h(w, r)
	}
}

// Serve takes connections from ln and announces the server until ctx is done; then it says goodbye, closes ln and
// all connections, waits for everything it started and returns nil. It returns an error when ln fails.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var work sync.WaitGroup
	defer work.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	if s.o.Publisher != nil {
		work.Go(func() { s.publish(ctx, portOf(ln.Addr())) })
	}
	for {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case err == nil:
			s.admit(ctx, conn, &work)
		case isTemporary(err):
			s.log.Warnf("no connection can be taken for the moment: %v", err)
			pause(ctx, acceptPause)
		default:
			return fmt.Errorf("taking connections: %w", err)
		}
	}
}

// acceptPause is how long to wait when the machine is out of file descriptors or memory.
const acceptPause = 100 * time.Millisecond

// isTemporary tells an accept error that passes by, such as too many open files.
func isTemporary(err error) bool {
	var e interface{ Temporary() bool }
	return errors.As(err, &e) && e.Temporary()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// admit starts to serve a connection, if the caps allow.
func (s *Server) admit(ctx context.Context, conn net.Conn, work *sync.WaitGroup) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		// A controller that left without a word is found within a minute; Apple's may be silent for days.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3})
	}
	p := newPeer(ctx, s, conn, work)
	if !s.peers.add(p) {
		p.shut()
		return
	}
	s.counts.opened.Add(1)
	work.Go(p.serve)
}

func portOf(a net.Addr) uint16 {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return uint16(tcp.Port)
	}
	return 0
}

// identify flashes an accessory that nobody has paired yet.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) {
	if s.records.load().paired() {
		writeJSON(w, http.StatusBadRequest, statusJSON{Status: statusPrivileges})
		return
	}
	a := s.o.Accessories[0]
	if a.IdentifyFunc != nil {
		a.IdentifyFunc(r)
	} else if c := a.Ss[0].C(characteristic.TypeIdentify); c != nil && c.SetValueRequestFunc != nil {
		c.SetValueRequestFunc(true, r)
	}
	w.WriteHeader(http.StatusNoContent)
}

package hapserver

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// peer is one connection. Its goroutine reads and answers requests, one after
// another; once verified, a second one writes events.
type peer struct {
	s    *Server
	conn net.Conn
	addr netip.Addr
	ctx  context.Context
	stop context.CancelFunc
	work *sync.WaitGroup

	opened     time.Time
	used       atomic.Int64            // when the last request came, in Unix nanoseconds
	controller atomic.Pointer[Pairing] // nil until verified
	events     eventQueue

	writing sync.Mutex
	frames  *frameSealer // nil: in the clear

	// The goroutine's own:
	in      *bufio.Reader
	setup   *setupExchange
	verify  *verifyExchange
	secret  []byte // of pair-verify: encrypt after the current answer
	timed   *timedWrite
	closing bool // close after the current answer
}

// readBuffer holds a frame. A verified connection has two, one for each side of
// the encryption.
const readBuffer = 2 << 10

func newPeer(ctx context.Context, s *Server, conn net.Conn, work *sync.WaitGroup) *peer {
	p := &peer{
		s: s, conn: conn, addr: addrOf(conn.RemoteAddr()), opened: time.Now(), work: work,
		events: eventQueue{on: map[*cell]bool{}, wake: make(chan struct{}, 1)},
		in:     bufio.NewReaderSize(conn, readBuffer),
	}
	p.ctx, p.stop = context.WithCancel(context.WithValue(ctx, peerKey{}, p))
	return p
}

type peerKey struct{}

// peerOf returns the connection of a request, or nil.
func peerOf(r *http.Request) *peer {
	if r == nil {
		return nil
	}
	p, _ := r.Context().Value(peerKey{}).(*peer)
	return p
}

func (p *peer) verified() bool { return p.controller.Load() != nil }

// shut closes the connection. Any goroutine may call it.
func (p *peer) shut() {
	p.stop()
	p.conn.Close()
}

// evict closes the connection to make room for another one.
func (p *peer) evict() {
	p.s.counts.refused.Add(1)
	p.shut()
}

// serve answers requests until the connection ends.
func (p *peer) serve() {
	defer p.s.peers.remove(p)
	defer p.s.o.Strangers.remove(p)
	defer p.s.hold.release(p)
	defer p.shut()
	defer context.AfterFunc(p.ctx, func() { p.conn.Close() })()
	for p.serveRequest() {
	}
}

// serveRequest answers one request. It returns false if the connection must
// end.
func (p *peer) serveRequest() bool {
	req, err := p.readRequest()
	if err != nil {
		p.refuse(err)
		return false
	}
	p.used.Store(time.Now().UnixNano())
	w := newResponse(req)
	if !p.handle(w, req) {
		p.s.counts.answered(req.Pattern, 0)
		return false
	}
	p.s.counts.answered(req.Pattern, cmp.Or(w.status, http.StatusOK))
	last := p.closing || req.Close
	if last {
		w.Header().Set("Connection", "close")
	}
	if p.write(w.bytes()) != nil || last {
		return false
	}
	if p.secret != nil {
		// Switch to frames. Those that the controller has already sent are in
		// p.in. The names of the keys are the controller's view.
		read := newAEAD(deriveKey(p.secret, "Control-Salt", "Control-Write-Encryption-Key"))
		p.in = bufio.NewReaderSize(&frameReader{r: p.in, aead: read}, readBuffer)
		p.frames = &frameSealer{aead: newAEAD(deriveKey(p.secret, "Control-Salt", "Control-Read-Encryption-Key"))}
		p.secret = nil
		p.work.Go(p.deliverEvents) // only now does a second goroutine write
	}
	return true
}

// handle calls the handler. A panic ends the connection, not the process.
func (p *peer) handle(w *response, req *http.Request) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			p.s.log.Errorf("%s %s panicked: %v\n%s", req.Method, req.URL.Path, r, debug.Stack())
		}
	}()
	p.s.routes.ServeHTTP(w, req)
	return true
}

// linger lets the peer read a refusal: closing while it still sends would reset
// the connection and lose the answer.
func (p *peer) linger() {
	half, ok := p.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if p.conn.SetReadDeadline(time.Now().Add(500*time.Millisecond)) == nil {
		_, _ = io.CopyN(io.Discard, p.conn, 256<<10)
	}
}

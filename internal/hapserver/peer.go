package hapserver

import (
	"bufio"
	"cmp"
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// peer is one connection. Its goroutine reads and answers requests, one after
// another; once verified, a second one writes events.
type peer struct {
	s    *Server
	conn net.Conn
	host string // without port
	ctx  context.Context
	stop context.CancelFunc
	work *sync.WaitGroup

	controller atomic.Pointer[Pairing] // nil until verified
	events     *eventQueue
	out        *messageWriter

	// The goroutine's own:
	quota   *quotaReader
	in      *bufio.Reader
	setup   *setupExchange
	verify  *verifyExchange
	secure  *sessionCiphers // to use after the current answer
	timed   *timedWrite
	closing bool // close after the current answer
}

// readBuffer holds a frame. A verified connection has two, one for each side of
// the encryption.
const readBuffer = 2 << 10

func newPeer(ctx context.Context, s *Server, conn net.Conn, work *sync.WaitGroup) *peer {
	p := &peer{s: s, conn: conn, host: hostOf(conn.RemoteAddr()), work: work, events: newEventQueue()}
	p.ctx, p.stop = context.WithCancel(context.WithValue(ctx, peerKey{}, p))
	p.out = &messageWriter{conn: conn, timeout: s.lim.Write}
	p.quota = &quotaReader{r: conn}
	p.in = bufio.NewReaderSize(p.quota, readBuffer)
	return p
}

// hostOf returns an address without its port.
func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
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

// serve answers requests until the connection ends.
func (p *peer) serve() {
	defer p.s.peers.remove(p)
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
	if p.out.write(w.bytes()) != nil || last {
		return false
	}
	if p.secure != nil {
		p.encrypt()
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

// encrypt switches to frames. Frames that the controller has already sent are
// in p.in.
func (p *peer) encrypt() {
	p.in = bufio.NewReaderSize(&frameReader{r: p.in, aead: p.secure.fromController}, readBuffer)
	p.out.encrypt(p.secure.toController)
	p.secure = nil
	p.work.Go(func() { p.deliverEvents(p.ctx) })
}

// linger lets the peer read a refusal: closing while it still sends would reset
// the connection and lose the answer.
func (p *peer) linger() {
	half, ok := p.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if p.conn.SetReadDeadline(time.Now().Add(500*time.Millisecond)) == nil {
		p.quota.left = 256 << 10
		discard(p.quota)
	}
}

// peers are the open connections, oldest first. A full limit closes the oldest
// unverified connection, so that strangers cannot keep a controller out.
type peers struct {
	lim     Limits
	hold    *setupHold
	mu      sync.Mutex
	list    []*peer
	refused uint64 // connections that were closed or not accepted because of a limit
}

// add returns false if the limits are full of verified connections.
func (ps *peers) add(p *peer) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	sameHost := func(q *peer) bool { return q.host == p.host }
	anyHost := func(*peer) bool { return true }
	if !ps.makeRoom(ps.lim.PerAddress, sameHost) || !ps.makeRoom(ps.lim.Connections, anyHost) {
		ps.refused++
		return false
	}
	ps.list = append(ps.list, p)
	return true
}

// makeRoom closes a connection that matches if limit of them are open. The one
// that is pairing goes last.
func (ps *peers) makeRoom(limit int, match func(*peer) bool) bool {
	n := 0
	for _, p := range ps.list {
		if match(p) {
			n++
		}
	}
	if n < limit {
		return true
	}
	i := slices.IndexFunc(ps.list, func(p *peer) bool { return match(p) && !p.verified() && !ps.hold.heldBy(p) })
	if i < 0 {
		i = slices.IndexFunc(ps.list, func(p *peer) bool { return match(p) && !p.verified() })
	}
	if i < 0 {
		return false
	}
	ps.refused++
	ps.list[i].shut()
	ps.list = slices.Delete(ps.list, i, i+1)
	return true
}

func (ps *peers) remove(p *peer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.list = slices.DeleteFunc(ps.list, func(q *peer) bool { return q == p })
}

func (ps *peers) all() []*peer {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return slices.Clone(ps.list)
}

// count returns the numbers of open, verified and refused connections.
func (ps *peers) count() (open, verified int, refused uint64) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.list {
		if p.verified() {
			verified++
		}
	}
	return len(ps.list), verified, ps.refused
}

package hapserver

import (
	"bufio"
	"cmp"
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// peer is one connection: a stranger's until pair-verify, a controller's after it. Its own goroutine reads requests one after
// another and answers them; a second one, once verified, writes events.
type peer struct {
	s    *Server
	conn net.Conn
	host string // without port, for the cap per address
	ctx  context.Context
	stop context.CancelFunc
	work *sync.WaitGroup

	controller atomic.Pointer[Pairing] // nil until verified
	events     *eventQueue
	out        *messageWriter

	// Of the peer's own goroutine:
	quota   *quotaReader
	in      *bufio.Reader
	setup   *setupExchange
	verify  *verifyExchange
	secure  *sessionCiphers // to be used once the answer under way is written
	timed   *timedWrite
	closing bool // close once the answer under way is written
}

// readBuffer is what one connection keeps to read from, twice when verified: a frame and its overhead fit.
const readBuffer = 2 << 10

func newPeer(ctx context.Context, s *Server, conn net.Conn, work *sync.WaitGroup) *peer {
	p := &peer{s: s, conn: conn, host: hostOf(conn.RemoteAddr()), work: work, events: newEventQueue()}
	p.ctx, p.stop = context.WithCancel(context.WithValue(ctx, peerKey{}, p))
	p.out = &messageWriter{conn: conn, timeout: s.lim.Write}
	p.quota = &quotaReader{r: conn}
	p.in = bufio.NewReaderSize(p.quota, readBuffer)
	return p
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

type peerKey struct{}

// peerOf returns the connection of a request, nil for none.
func peerOf(r *http.Request) *peer {
	if r == nil {
		return nil
	}
	p, _ := r.Context().Value(peerKey{}).(*peer)
	return p
}

func (p *peer) verified() bool { return p.controller.Load() != nil }

// shut ends the connection from any goroutine.
func (p *peer) shut() {
	p.stop()
	p.conn.Close()
}

// serve reads and answers requests until either side has had enough.
func (p *peer) serve() {
	defer p.s.peers.remove(p)
	defer p.s.hold.release(p)
	defer p.shut()
	defer context.AfterFunc(p.ctx, func() { p.conn.Close() })()
	for p.next() {
	}
}

// next handles one request; false ends the connection.
func (p *peer) next() bool {
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

// handle calls the handler. One that panics costs its connection, not the process.
func (p *peer) handle(w *response, req *http.Request) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			p.s.log.Errorf("%s %s panicked: %v\n%s", req.Method, req.URL.Path, r, debug.Stack())
		}
	}()
	p.s.routes.ServeHTTP(w, req)
	return true
}

// encrypt makes everything from here on run in frames. What the controller has sent ahead of our answer is in p.in already.
func (p *peer) encrypt() {
	p.in = bufio.NewReaderSize(&frameReader{r: p.in, aead: p.secure.fromController}, readBuffer)
	p.out.encrypt(p.secure.toController)
	p.secure = nil
	p.work.Go(func() { p.deliverEvents(p.ctx) })
}

// linger lets a peer read why it is refused: closing while it still sends would reset the connection and lose the answer.
func (p *peer) linger() {
	half, ok := p.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	const wait, most = 500 * time.Millisecond, 256 << 10
	if p.conn.SetReadDeadline(time.Now().Add(wait)) == nil {
		p.quota.left = most
		discard(p.quota)
	}
}

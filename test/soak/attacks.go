package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/test/hapclient"
)

// comeAndGo has a phone connect and leave, politely or not, again and again.
func (s *soak) comeAndGo(ctx context.Context) {
	for range 40 {
		p := s.places[s.rng.IntN(len(s.places))]
		polite := s.rng.IntN(2) == 0
		_, _ = s.command("hap connect", func() error {
			conn, err := p.connect(p.phones[s.rng.IntN(phonesEach)])
			if err != nil {
				return err
			}
			if !polite {
				_ = conn.Send(http.MethodGet, "/accessories", "", nil)
			}
			return conn.Close()
		})
		if ctx.Err() != nil {
			return
		}
	}
}

// stall has phones ask for much and read nothing until the server gives them up.
func (s *soak) stall(ctx context.Context) {
	var stalled []*hapclient.Conn
	for _, p := range s.places {
		for range 4 {
			conn, err := p.connect(p.phones[1])
			if err != nil {
				s.fail("a phone that will stall: %v", err)
				continue
			}
			conn.Patience = 200 * time.Millisecond
			for range 200 { // until nothing fits into the buffers any more
				if conn.Send(http.MethodGet, "/accessories", "", nil) != nil {
					break
				}
			}
			stalled = append(stalled, conn)
		}
	}
	pause(ctx, 6*time.Second) // the server gives them 5 s
	for _, conn := range stalled {
		_ = conn.Close()
	}
}

// flood has one phone of each console ask as fast as it gets answers.
func (s *soak) flood(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var floods sync.WaitGroup
	for _, p := range s.places {
		floods.Go(func() {
			conn, err := p.connect(p.phones[2])
			if err != nil {
				s.fail("a phone that will flood: %v", err)
				return
			}
			defer func() { _ = conn.Close() }()
			for n := 0; n < 5000 && ctx.Err() == nil; n++ {
				kind, do := "flood read", func() error { return get(conn, fmt.Sprintf("/characteristics?id=1.%d", p.iids.active)) }
				if n%4 == 0 {
					kind, do = "flood key", func() error { return put(conn, characteristic{AID: 1, IID: p.iids.key, Value: 4}) }
				}
				if _, err := s.command(kind, do); err != nil {
					return
				}
			}
		})
	}
	floods.Wait()
}

// rudeness is what strangers send.
var rudeness = []string{
	"",
	"\x00\xff\x00\xff",
	"GET /accessories HTTP/1.1\r\n\r\n",
	"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\npassword=",
	"POST /pair-setup HTTP/1.1\r\nHost: x\r\nContent-Type: application/pairing+tlv8\r\nContent-Length: 6\r\n\r\n\x06\x01\x01\x00\x01\x00",
	"POST /pair-verify HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\x06\x01\x03",
	"PUT /characteristics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
	"GET / HTTP/1.1\r\nX: ",
}

func (s *soak) strangersHAP(ctx context.Context) {
	for _, p := range s.some() {
		s.strangers(ctx, p.address())
	}
}

func (s *soak) strangersWeb(ctx context.Context) { s.strangers(ctx, webAddress) }

// strangers hold sixty connections with what they said, for two seconds. They come from
// an address of their own: what is not verified gives way when its address has too many.
func (s *soak) strangers(ctx context.Context, address string) {
	from := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 66, 1)}}
	var conns []net.Conn
	for range 60 {
		conn, err := from.DialContext(ctx, "tcp", address)
		if err != nil {
			s.fail("a stranger cannot connect: %v", err)
			break
		}
		_, _ = io.WriteString(conn, rudeness[s.rng.IntN(len(rudeness))])
		conns = append(conns, conn)
	}
	pause(ctx, 2*time.Second)
	for _, conn := range conns {
		_ = conn.Close()
	}
}

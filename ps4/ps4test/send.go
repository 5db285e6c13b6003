package ps4test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// typeUnknown is a packet type without meaning, which clients must skip.
const typeUnknown wire.Type = 0x7fff

// readWriter joins the two directions of a connection.
type readWriter struct {
	io.Reader
	io.Writer
}

// outlet buffers bytes until flush.
type outlet struct {
	conn  net.Conn
	bytes []byte
}

// Write buffers bytes.
func (o *outlet) Write(b []byte) (int, error) {
	o.bytes = append(o.bytes, b...)
	return len(b), nil
}

func (o *outlet) queue(b []byte) error {
	_, err := o.Write(b)
	return err
}

// flush writes the buffered bytes, in pieces of n bytes unless n is 0.
func (o *outlet) flush(n int) error {
	b := o.bytes
	o.bytes = o.bytes[:0]
	if n <= 0 {
		n = len(b)
	}
	if err := o.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	for len(b) > 0 {
		n = min(n, len(b))
		if _, err := o.conn.Write(b[:n]); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		b = b[n:]
	}
	return nil
}

// takeFaultsLocked returns the faults of one packet. GarbageTCP is 1 if the
// packet must be garbage.
func (c *Console) takeFaultsLocked() Faults {
	f := c.faults
	f.GarbageTCP = 0
	if use(&c.faults.GarbageTCP) {
		f.GarbageTCP = 1
	}
	return f
}

// send writes one encrypted packet.
func (s *session) send(m wire.Message) error {
	var faults Faults
	s.console.update(func() { faults = s.console.takeFaultsLocked() })
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	return s.transmit(faults, func() error {
		if faults.Coalesce {
			if err := s.wire.Write(wire.Word{Type: typeUnknown}); err != nil {
				return fmt.Errorf("sending: %w", err)
			}
		}
		return s.wire.Write(m)
	})
}

// transmit queues and flushes bytes and applies faults to them. Callers hold
// the writing lock.
func (s *session) transmit(faults Faults, queue func() error) error {
	if !s.pause(faults.Delay) {
		return net.ErrClosed
	}
	if err := queue(); err != nil {
		return err
	}
	if faults.GarbageTCP != 0 {
		_, _ = rand.Read(s.out.bytes)
	}
	return s.out.flush(faults.Split)
}

// pause waits for d. It returns false if the session ends meanwhile.
func (s *session) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}

package ps4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Console is one console that is spoken to. It is safe for concurrent use.
type Console struct {
	set *settings

	mu     sync.Mutex
	addr   netip.AddrPort
	user   User
	hostID string
	woken  time.Time // when it was last woken, or seen awake after that
	rested time.Time // when a session put it to rest

	asked  [searchBurst]time.Time // when the last questions left, the oldest first
	heard  Status                 // the last answer to anybody's
	answer chan struct{}          // closed when the next one comes
}

// NewConsole makes a console from the address where it answers discovery; port
// 0 means 987. The credential may be zero for Status. It does no I/O.
func NewConsole(addr netip.AddrPort, cred Credential, o *Options) *Console {
	set := newSettings(o)
	return &Console{
		set: set, addr: withPort(addr), answer: make(chan struct{}),
		user: User{Credential: cred, Passcode: set.Passcode, Model: set.Model},
	}
}

// Addr returns the address where the console is asked.
func (c *Console) Addr() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addr
}

// SetAddr changes the address, for what starts from now on; an open session
// stays.
func (c *Console) SetAddr(addr netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addr = withPort(addr)
}

// HostID returns the host id that was set, or "".
func (c *Console) HostID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hostID
}

// SetHostID says which console this is: replies of another one that has got
// its address are ignored from now on. "" takes every reply.
func (c *Console) SetHostID(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hostID = strings.ToUpper(strings.TrimSpace(id))
}

// User is the PSN user as whom a program logs in with a console. It prints as
// [redacted] where it is secret.
type User struct {
	Credential Credential
	Passcode   Passcode // if he has one on the console
	Model      string   // names program and user in the console's list, see Options.Model; empty: as it was
}

// SetUser changes the user, for what starts from now on; an open session stays.
func (c *Console) SetUser(u User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u.Model = cmp.Or(wire.Truncate(u.Model, wire.ModelSize), c.user.Model)
	c.user = u
}

// who returns the user; it fails with ErrNoCredential.
func (c *Console) who() (User, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user.Credential.IsZero() {
		return User{}, ErrNoCredential
	}
	return c.user, nil
}

// Status asks the console for its status, once a second until it answers or
// ctx is done; without a deadline in ctx, for 3 s. No answer in that time is
// [ErrUnreachable]; for up to a minute after a standby that is normal.
func (c *Console) Status(ctx context.Context) (Status, error) {
	if _, limited := ctx.Deadline(); !limited {
		return c.statusWithin(ctx, statusLimit)
	}
	return c.ask(ctx, searchOnly)
}

func (c *Console) statusWithin(ctx context.Context, limit time.Duration) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.ask(ctx, searchOnly)
}

// Wake sends one WAKEUP, which turns a resting console on. It is never
// answered; see WakeWait. It fails with [ErrNoCredential].
func (c *Console) Wake(ctx context.Context) error {
	c.noteWoken()
	return c.sendOnce(ctx, ddp.NewWakeup)
}

// Launch sends one LAUNCH, which makes a console that is on open its TCP port
// for some seconds. It is never answered. It fails with [ErrNoCredential].
func (c *Console) Launch(ctx context.Context) error { return c.sendOnce(ctx, ddp.NewLaunch) }

func (c *Console) sendOnce(ctx context.Context, request func(credential string) ddp.Request) error {
	user, err := c.who()
	if err != nil {
		return err
	}
	target := c.Addr()
	sock, err := c.set.listen(ctx, c.set.askFrom(target))
	if err != nil {
		return err
	}
	defer sock.Close()
	return sock.send(request(user.Credential.Reveal()).Marshal(), target)
}

// WakeWait wakes the console and waits until it is awake: WAKEUP every 3 s and
// SRCH each second, for 60 s or until ctx is done (docs/protocol.md §7). It
// fails with [ErrNoCredential], [ErrUnreachable] when the console never
// answered, and [ErrNotWoken] when it stayed in rest mode.
func (c *Console) WakeWait(ctx context.Context) (Status, error) {
	user, err := c.who()
	if err != nil {
		return Status{}, err
	}
	limited, cancel := context.WithTimeout(ctx, wakeLimit)
	defer cancel()
	status, err := c.ask(limited, question{wakeup: ddp.NewWakeup(user.Credential.Reveal()).Marshal()})
	if err == nil {
		c.noteWoken()
	}
	return status, err
}

func (c *Console) noteWoken() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = time.Now()
}

func (c *Console) noteRested() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rested = time.Now()
}

func (c *Console) restedAt() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rested
}

// justWoken reports whether TCP may still be refused because of a wake-up.
func (c *Console) justWoken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.woken) < wokenGrace
}

// question is what to ask a console until it answers; with a WAKEUP to send,
// only "awake" is an answer.
type question struct{ wakeup []byte }

var searchOnly question

// ask repeats a question until the answer comes or ctx is done.
func (c *Console) ask(ctx context.Context, q question) (Status, error) {
	target := c.Addr()
	last := Status{Addr: target, HostID: c.HostID()}
	sock, err := c.set.listen(ctx, c.set.askFrom(target))
	if err != nil {
		return last, err
	}
	defer sock.Close()
	wake := time.Now()
	for {
		if q.wakeup != nil && !time.Now().Before(wake) {
			wake = wake.Add(wakeEvery)
			if err := sock.send(q.wakeup, target); err != nil {
				return last, unreachable(err)
			}
		}
		if err := c.awaitTurn(ctx, target); err != nil {
			return last, c.verdict(ctx, last, err)
		}
		if err := sock.send(searchFor(target.Port()), target); err != nil {
			return last, unreachable(err)
		}
		answered, err := c.listenFor(ctx, sock, q, &last)
		if answered || err != nil {
			return last, c.verdict(ctx, last, err)
		}
	}
}

// awaitTurn waits until the console may be asked: whoever asks, it gets no more
// questions in a second than it bears (docs/protocol.md §1). A simulated one
// bears any number.
func (c *Console) awaitTurn(ctx context.Context, target netip.AddrPort) error {
	for isReal(target) {
		wait := c.takeTurn()
		if wait <= 0 {
			break
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// takeTurn takes the turn if it is free, else it returns how long until one is.
func (c *Console) takeTurn() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if wait := c.asked[0].Add(time.Second).Sub(now); wait > 0 {
		return wait
	}
	copy(c.asked[:], c.asked[1:])
	c.asked[searchBurst-1] = now
	return 0
}

// follow returns the next status: what the console answers to somebody else, who may
// be asking as often as it bears, or after a while to a question of its own.
func (c *Console) follow(ctx context.Context) (Status, error) {
	c.mu.Lock()
	answer := c.answer
	c.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, confirmEvery)
	defer cancel()
	select {
	case <-answer:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.heard, nil
	case <-limited.Done():
		return c.statusWithin(ctx, statusLimit)
	}
}

func (c *Console) noteHeard(s Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = s
	close(c.answer)
	c.answer = make(chan struct{})
}

// listenFor waits a second for the answer and keeps the last reply.
func (c *Console) listenFor(ctx context.Context, sock *socket, q question, last *Status) (bool, error) {
	target, hostID := last.Addr, c.HostID()
	return sock.receive(ctx, time.Now().Add(searchEvery), func(from netip.Addr, r ddp.Reply) bool {
		if from != target.Addr() || hostID != "" && r.HostID != hostID {
			c.set.Counters.DDPDropped.Add(1)
			return false
		}
		*last = newStatus(target, r)
		c.noteHeard(*last)
		return q.wakeup == nil || last.State == StateAwake
	})
}

// verdict turns the end of ctx into what it means for the console.
func (c *Console) verdict(ctx context.Context, last Status, err error) error {
	switch {
	case err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return err
	case last.State == StateStandby:
		return ErrNotWoken
	}
	return fmt.Errorf("%w (%v)", ErrUnreachable, last.Addr)
}

// unreachable keeps the cause of a datagram that could not be sent.
func unreachable(err error) error { return fmt.Errorf("%w: %w", ErrUnreachable, err) }

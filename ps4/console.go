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

// Console is one console: where it is, who logs in, and what it last said. It
// is safe for concurrent use. [Network.Console] and [NewConsole] make one.
type Console struct {
	set *settings
	net *Network

	mu     sync.Mutex
	addr   netip.AddrPort
	user   User
	hostID string
	woken  time.Time // when it was last woken, or seen awake after that

	heard   Status        // the last answer to anybody's question
	heardAt time.Time     // when it came
	ordered time.Time     // when a session last told it to do something
	watches int           // how many Watches follow it
	answer  chan struct{} // closed when the next one comes
	other   string        // host id of another console that answered at addr since then

	rested time.Time // when it was last put to rest; zero once it is on again
	left   bool      // since then it has said that it rests, or nothing

	moved movement
}

// movement is where a console was seen that is not where it is asked.
type movement struct {
	to     netip.AddrPort
	seen   time.Time // when it was last seen there
	rival  time.Time // when yet another address last claimed to be it
	warned bool      // the owner was warned of a rival
}

// NewConsole makes a console for a program that has only one: it opens a socket
// for each question and closes it again. The address is where the console
// answers discovery; port 0 means 987. The credential may be zero for Status.
// NewConsole does no I/O.
func NewConsole(addr netip.AddrPort, cred Credential, o *Options) *Console {
	set := newSettings(o)
	if (o == nil || o.LocalPort == 0) && !isReal(withPort(addr)) {
		set.LocalPort = AnyPort // simulated: port 1987 is for real consoles
	}
	return newConsole(newNetwork(set), set, addr, cred)
}

// Console makes a console that is asked through the network's socket, with the
// network's options. It does no I/O; any number of consoles share the socket.
func (n *Network) Console(addr netip.AddrPort, cred Credential) *Console {
	return newConsole(n, n.set, addr, cred)
}

// ConsoleWith is Console with options of its own, but for those of UDP: the
// socket is the network's.
func (n *Network) ConsoleWith(addr netip.AddrPort, cred Credential, o *Options) *Console {
	return newConsole(n, newSettings(o), addr, cred)
}

func newConsole(n *Network, set *settings, addr netip.AddrPort, cred Credential) *Console {
	return &Console{
		set: set, net: n, addr: withPort(addr), answer: make(chan struct{}),
		user: User{Credential: cred, Passcode: set.Passcode, Model: set.Model},
	}
}

// Addr returns the address where the console is asked.
func (c *Console) Addr() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addr
}

// SetAddr changes the address for everything that starts from now on; an open
// session stays.
func (c *Console) SetAddr(addr netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addr, c.moved, c.other, c.heardAt = withPort(addr), movement{}, "", time.Time{}
}

// HostID returns the host id that was set, or "".
func (c *Console) HostID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hostID
}

// SetHostID binds the console to a host id: another console that has got its
// address is [ErrOtherConsole] from now on. With "" every reply counts.
func (c *Console) SetHostID(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hostID = strings.ToUpper(strings.TrimSpace(id))
}

// User is the PSN user that a program logs in as. Its secrets print as
// [redacted].
type User struct {
	Credential Credential
	Passcode   Passcode // zero: the user has none on the console
	Model      string   // names program and user in the console's list, see Options.Model; empty: as before
}

// SetUser changes the user for everything that starts from now on; an open
// session stays.
func (c *Console) SetUser(u User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u.Model = cmp.Or(wire.Truncate(u.Model, wire.ModelSize), c.user.Model)
	c.user = u
}

// currentUser returns the user; it fails with ErrNoCredential.
func (c *Console) currentUser() (User, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user.Credential.IsZero() {
		return User{}, ErrNoCredential
	}
	return c.user, nil
}

// Status asks the console for its status, once a second until it answers or
// ctx is done; without a deadline in ctx, for 3 s.
//
// A console that went to rest less than a minute ago need not answer
// (docs/protocol.md §1): its silence is StateStandby. Any other silence is
// [ErrUnreachable]. Another console at the address is [ErrOtherConsole], and a
// question that could not be sent [ErrNoNetwork]. A console with a host id that
// is silent for 3 s and found elsewhere is asked there from then on, as [Watch]
// does.
func (c *Console) Status(ctx context.Context) (Status, error) {
	if deadline, limited := ctx.Deadline(); limited {
		return c.statusWithin(ctx, time.Until(deadline))
	}
	return c.statusNow(ctx)
}

// statusNow is Status within 3 s, whatever the deadline of ctx.
func (c *Console) statusNow(ctx context.Context) (Status, error) {
	return c.statusWithin(ctx, statusLimit)
}

func (c *Console) statusWithin(ctx context.Context, limit time.Duration) (Status, error) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	status, err := c.ask(limited, nil)
	switch {
	case !errors.Is(err, ErrUnreachable):
	case time.Now().Before(c.DeafUntil()):
		return c.lastStatus(StateStandby), nil
	case time.Since(began) >= defaultMisses*searchEvery && c.move(began):
		return c.askOnce(ctx, searchEvery)
	}
	return status, err
}

// recentStatus returns the last answer if a Watch follows the console and the
// answer is at most a second old and still holds; otherwise it asks.
func (c *Console) recentStatus(ctx context.Context) (Status, error) {
	c.mu.Lock()
	status := c.heard
	holds := c.watches > 0 && time.Since(c.heardAt) < searchEvery && c.heardAt.After(c.ordered) && c.rested.IsZero()
	c.mu.Unlock()
	if holds {
		return status, nil
	}
	return c.statusNow(ctx)
}

// noteOrdered notes that a session told the console to do something, so that
// earlier answers no longer hold.
func (c *Console) noteOrdered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ordered = time.Now()
}

// lastStatus returns what the console last said, with another state.
func (c *Console) lastStatus(state State) Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.heard
	s.Addr, s.HostID = c.addr, cmp.Or(c.hostID, s.HostID)
	s.State, s.TitleID, s.TitleName = state, "", ""
	return s
}

// Wake sends one WAKEUP, which turns a resting console on. It is never
// answered; see WakeWait. It fails with [ErrNoCredential] and [ErrNoNetwork].
func (c *Console) Wake(ctx context.Context) error {
	c.noteWoken()
	return c.sendOnce(ctx, ddp.NewWakeup)
}

// Launch sends one LAUNCH, which makes a console that is on open its TCP port
// for some seconds. It is never answered. It fails with [ErrNoCredential] and
// [ErrNoNetwork].
func (c *Console) Launch(ctx context.Context) error { return c.sendOnce(ctx, ddp.NewLaunch) }

func (c *Console) sendOnce(ctx context.Context, request func(credential string) ddp.Request) error {
	user, err := c.currentUser()
	if err != nil {
		return err
	}
	if err := c.net.acquire(ctx); err != nil {
		return err
	}
	defer c.net.release()
	if err := c.net.send(ctx, request(user.Credential.Reveal()).Marshal(), c.Addr()); err != nil {
		return err
	}
	c.set.Counters.DDPSent.Add(1)
	return nil
}

// WakeWait wakes the console and waits until it is awake: WAKEUP every 3 s and
// SRCH each second, for 60 s or until ctx is done (docs/protocol.md §7). It
// fails with [ErrNoCredential], [ErrUnreachable] when the console never
// answered, and [ErrNotWoken] when it stayed in rest mode.
func (c *Console) WakeWait(ctx context.Context) (Status, error) {
	user, err := c.currentUser()
	if err != nil {
		return Status{}, err
	}
	limited, cancel := context.WithTimeout(ctx, wakeLimit)
	defer cancel()
	status, err := c.ask(limited, ddp.NewWakeup(user.Credential.Reveal()).Marshal())
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

// justWoken reports whether TCP may still be refused because of a wake-up.
func (c *Console) justWoken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.woken) < wokenGrace
}

// SetRested notes when the console was put to rest, for a program that knows it
// from an earlier run. Sessions and replies note it by themselves.
func (c *Console) SetRested(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rested, c.left = at, false
}

// DeafUntil returns until when the console's silence is rest mode, because it
// went to rest less than [DeafTime] ago; a time in the past otherwise.
func (c *Console) DeafUntil() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rested.IsZero() || time.Until(c.rested) > 0 { // the clock was set back
		return time.Time{}
	}
	return c.rested.Add(DeafTime)
}

// ask repeats a question until the answer comes or ctx is done. With a WAKEUP
// to send, only an awake console is an answer.
func (c *Console) ask(ctx context.Context, wakeup []byte) (Status, error) {
	target := c.Addr()
	network := c.socketFor(target)
	stop, err := network.follow(ctx, c)
	if err != nil {
		return Status{}, err
	}
	defer stop()
	last := Status{Addr: target, HostID: c.HostID()}
	wake, searched := time.Now(), false
	for {
		if err := ended(ctx); err != nil {
			return last, c.silence(ctx, last, err)
		}
		if wakeup != nil && !time.Now().Before(wake) {
			wake = wake.Add(wakeEvery)
			if err := network.send(ctx, wakeup, target); err != nil {
				return last, err
			}
			c.set.Counters.DDPSent.Add(1)
		}
		status, err := c.question(ctx, network, searchEvery)
		switch {
		case err == nil && (wakeup == nil || status.State == StateAwake):
			return status, nil
		case err == nil:
			last = status
		case !errors.Is(err, ErrSilent):
			return last, c.silence(ctx, last, err)
		case !searched && c.HostID() != "":
			searched = true
			c.net.lookFor(ctx) // perhaps it has moved: see move
		}
		if wakeup != nil && err == nil {
			if err := sleep(ctx, searchEvery); err != nil {
				return last, c.silence(ctx, last, err)
			}
		}
	}
}

// askOnce asks one question and waits so long for its answer; without one it
// fails with [ErrSilent].
func (c *Console) askOnce(ctx context.Context, limit time.Duration) (Status, error) {
	network := c.socketFor(c.Addr())
	stop, err := network.follow(ctx, c)
	if err != nil {
		return Status{}, err
	}
	defer stop()
	return c.question(ctx, network, limit)
}

func (c *Console) question(ctx context.Context, network *Network, limit time.Duration) (Status, error) {
	until := time.Now().Add(limit)
	answer := c.nextAnswer()
	if err := network.ask(ctx, c, answer); err != nil {
		return Status{}, err
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return Status{}, context.Cause(ctx)
	case <-timer.C:
	case <-answer:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.heard, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.other != "" {
		return Status{}, &OtherConsoleError{Addr: c.addr, Want: c.hostID, Got: c.other}
	}
	return Status{}, ErrSilent
}

// ended returns the cause of ctx's end, at the very instant of its deadline too.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return context.Cause(ctx)
}

// socketFor returns the network to ask through.
func (c *Console) socketFor(target netip.AddrPort) *Network {
	if !isReal(target) && c.HostID() == "" {
		return c.net.alone(target)
	}
	return c.net
}

// nextAnswer returns a channel that is closed with the console's next reply.
func (c *Console) nextAnswer() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.other = ""
	return c.answer
}

// silence says what the end of ctx means for the console.
func (c *Console) silence(ctx context.Context, last Status, err error) error {
	switch {
	case !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return err
	case last.State == StateStandby:
		return ErrNotWoken
	}
	return fmt.Errorf("%w (%v)", ErrUnreachable, last.Addr)
}

// hear takes in a reply and reports whether it was the console's.
func (c *Console) hear(at netip.AddrPort, r ddp.Reply) bool {
	c.mu.Lock()
	here := at.Addr() == c.addr.Addr()
	if here && !isReal(c.addr) && at.Port() != c.addr.Port() {
		here = isReal(at) && c.hostID != "" // else it may be a simulated console that shares the address
	}
	if !here || c.hostID != "" && r.HostID != c.hostID {
		defer c.mu.Unlock()
		if here && isReal(c.addr) { // simulated ones may share an address
			c.other = r.HostID
		} else if !here && c.hostID != "" && r.HostID == c.hostID {
			c.seenElsewhere(at)
		}
		return false
	}
	target := c.addr
	c.note(newStatus(target, r))
	c.mu.Unlock()
	c.set.Counters.DDPReceived.Add(1)
	c.net.answered(target)
	return true
}

// note takes in what the console says; c.mu is held.
func (c *Console) note(s Status) {
	now := time.Now()
	switch {
	case s.State == StateStandby:
		if c.heard.State == StateAwake { // somebody put it to rest
			c.rested = now
		}
		c.left = true
	case c.left || now.Sub(c.rested) >= leaveTime:
		c.rested, c.left = time.Time{}, false
	}
	c.heard, c.heardAt, c.moved = s, now, movement{warned: c.moved.warned}
	close(c.answer)
	c.answer = make(chan struct{})
}

// noteRested notes that a session put the console to rest.
func (c *Console) noteRested() { c.SetRested(time.Now()) }

// silentFor returns how long ago the console last answered.
func (c *Console) silentFor() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.heardAt)
}

// noteSilent notes that the console has left questions unanswered.
func (c *Console) noteSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
}

// seenElsewhere notes that a reply with the console's host id came from another
// address; c.mu is held. Anybody on the network can send one, so the console
// moves only if it is silent where it was and no third address claims to be it:
// see move.
func (c *Console) seenElsewhere(at netip.AddrPort) {
	m := &c.moved
	now := time.Now()
	if m.to.Addr() == at.Addr() || now.Sub(m.seen) > searchAgain {
		if m.to.Addr() != at.Addr() || isReal(m.to) {
			m.to = at // else the port of a simulated console is known already
		}
		m.seen = now
		return
	}
	m.rival = now
	if !m.warned {
		m.warned = true
		c.set.Warnf("%v and %v both claim to be console %s: keeping %v", m.to.Addr(), at.Addr(), c.hostID, c.addr.Addr())
	}
}

// move changes the console's address to the one where it was seen since the
// given time, if there is just one and it is on a network of this machine.
func (c *Console) move(since time.Time) bool {
	c.mu.Lock()
	m, id, from := c.moved, c.hostID, c.addr
	c.mu.Unlock()
	if m.seen.Before(since) || !m.rival.Before(since) || !c.net.set.OnLink(m.to.Addr()) {
		return false
	}
	c.SetAddr(m.to)
	c.set.Warnf("console %s has moved from %v to %v", id, from.Addr(), m.to.Addr())
	return true
}

// next returns the next status: the answer to somebody else's question or,
// without one, to a question of its own.
func (c *Console) next(ctx context.Context) (Status, error) {
	answer := c.nextAnswer()
	limited, cancel := context.WithTimeout(ctx, confirmEvery)
	defer cancel()
	select {
	case <-answer:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.heard, nil
	case <-limited.Done():
	}
	limited, cancel = context.WithTimeout(ctx, statusLimit)
	defer cancel()
	return c.ask(limited, nil)
}

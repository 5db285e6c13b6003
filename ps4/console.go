package ps4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// A Console is one console on the network: its address, the user that logs in,
// and the status that it last reported. It is safe for concurrent use.
// [Network.Console] and [NewConsole] return one.
type Console struct {
	set *settings
	net *Network

	watches atomic.Int32 // how many watches follow it

	mu     sync.Mutex
	addr   netip.AddrPort
	user   User
	hostID string

	heard   Status        // the last status
	heardAt time.Time     // when it came
	ordered time.Time     // when a session last sent it a command
	answer  chan struct{} // closed when the next one comes
	other   string        // the host id of another console that replied from addr
	otherAt time.Time     // when it last did

	power powerHistory
	moved movement
}

// NewConsole returns a console for a program that has only one. It opens a UDP
// socket for each question and closes it afterwards; programs with several
// consoles share the socket of a [Network] instead.
//
// The address is where the console answers discovery; port 0 means 987. The
// credential may be zero for [Console.Status]. If Options.LocalPort is unset
// and the address has another port than 987 or 9302, which only a simulated
// console has, the local port is [AnyPort]. NewConsole does no I/O.
func NewConsole(addr netip.AddrPort, cred Credential, o *Options) *Console {
	set := newSettings(o)
	if (o == nil || o.LocalPort == 0) && !isReal(withPort(addr)) {
		set.LocalPort = AnyPort
	}
	return newConsole(newNetwork(set), set, addr, cred)
}

// Console returns a console that is reached through the network's socket, with
// the network's options. Port 0 in the address means 987. Console does no I/O.
func (n *Network) Console(addr netip.AddrPort, cred Credential) *Console {
	return newConsole(n, n.set, addr, cred)
}

// ConsoleWith is like [Network.Console] with options of its own. Those about
// UDP (LocalPort, Broadcast, Interfaces, ListenPacket, OnLink, LinkUp) have no
// effect: the socket is the network's.
func (n *Network) ConsoleWith(addr netip.AddrPort, cred Credential, o *Options) *Console {
	return newConsole(n, newSettings(o), addr, cred)
}

func newConsole(n *Network, set *settings, addr netip.AddrPort, cred Credential) *Console {
	return &Console{
		set: set, net: n, addr: withPort(addr), answer: make(chan struct{}),
		user: User{Credential: cred, Passcode: set.Passcode, Model: set.Model},
	}
}

// Addr returns the address where the console answers discovery. It changes if
// the console moves: see [Watch].
func (c *Console) Addr() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addr
}

// SetAddr changes the address; port 0 means 987. An open session stays.
func (c *Console) SetAddr(addr netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setAddr(withPort(addr))
}

// setAddr changes the address; c.mu is held.
func (c *Console) setAddr(addr netip.AddrPort) {
	c.addr, c.moved, c.otherAt, c.heardAt = addr, movement{}, time.Time{}, time.Time{}
}

// HostID returns the host id that SetHostID or a [Watch] set, or "".
func (c *Console) HostID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hostID
}

// SetHostID binds the console to a host id, in any case: from now on replies of
// another console at its address are [ErrOtherConsole], and the console is
// found if it moves. With "", the default, a reply of any console counts.
func (c *Console) SetHostID(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hostID = strings.ToUpper(strings.TrimSpace(id))
}

// A User is the PSN user that a program logs in as. Its secrets print as
// [redacted].
type User struct {
	Credential Credential
	Passcode   Passcode // zero if the user has none on the console
	Model      string   // as Options.Model; if empty, SetUser keeps the current one
}

// SetUser changes the user that logs in. An open session stays.
func (c *Console) SetUser(u User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u.Model = cmp.Or(text.Truncate(u.Model, wire.ModelSize), c.user.Model)
	c.user = u
}

// currentUser returns the user, or ErrNoCredential.
func (c *Console) currentUser() (User, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user.Credential.IsZero() {
		return User{}, ErrNoCredential
	}
	return c.user, nil
}

// Status asks the console for its status, once a second until it answers or
// ctx is done; without a deadline in ctx, for 3 s. It needs no credential.
//
// A console that entered rest mode less than [DeafTime] ago may not answer
// (docs/protocol.md §1), so its silence is StateStandby. Any other silence is
// [ErrUnreachable]. A reply from another console at the address is
// [ErrOtherConsole]; see [OtherConsoleError]. A question that could not be sent
// is [ErrNoNetwork] or, on a closed network, [net.ErrClosed].
//
// A console with a host id that is silent for 3 s and is found at another
// address moves there, under the conditions of [Watch].
func (c *Console) Status(ctx context.Context) (Status, error) {
	if deadline, limited := ctx.Deadline(); limited {
		return c.statusWithin(ctx, time.Until(deadline))
	}
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
		return c.presumed(c.lastHeard(), StateStandby), nil
	case time.Since(began) >= defaultMisses*searchEvery && c.move(began):
		limited, cancel := context.WithTimeout(ctx, searchEvery)
		defer cancel()
		return c.ask(limited, nil)
	}
	return status, err
}

// Ask sends one question and waits for its answer for the given time. In
// contrast to [Console.Status], silence is always [ErrSilent], even that of a
// console in rest mode. Ask also fails with [ErrOtherConsole], with
// [ErrNoNetwork] or, on a closed network, with [net.ErrClosed].
func (c *Console) Ask(ctx context.Context, wait time.Duration) (Status, error) {
	e := c.endpoint()
	ctx, stop, err := c.net.follow(ctx, c, e)
	if err != nil {
		return Status{}, err
	}
	defer stop()
	return c.question(ctx, e, wait)
}

// recentStatus returns the last status if a Watch follows the console and the
// status is less than a second old and still holds. Otherwise it asks.
func (c *Console) recentStatus(ctx context.Context) (Status, error) {
	c.mu.Lock()
	status := c.heard
	holds := c.watches.Load() > 0 && time.Since(c.heardAt) < searchEvery && c.heardAt.After(c.ordered) && c.power.rested.IsZero()
	c.mu.Unlock()
	if holds {
		return status, nil
	}
	return c.statusWithin(ctx, statusLimit)
}

// presumed returns s, the last status that the console reported, with the state
// that it is presumed to be in now.
func (c *Console) presumed(s Status, state State) Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Addr, s.HostID = c.addr, cmp.Or(c.hostID, s.HostID)
	s.State, s.TitleID, s.TitleName = state, "", ""
	return s
}

// ask repeats a question until the answer comes or ctx is done. With a WAKEUP
// datagram, it repeats the question until the console is awake, and sends the
// datagram now and then, unless another console answers. After ctx's deadline
// its error is that the console was silent or stayed in rest mode.
func (c *Console) ask(ctx context.Context, wakeup []byte) (last Status, err error) {
	defer func() {
		switch {
		case err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded):
		case last.State == StateStandby:
			err = ErrNotWoken
		default:
			err = fmt.Errorf("%w (%v)", ErrUnreachable, c.Addr())
		}
	}()
	last = Status{Addr: c.Addr(), HostID: c.HostID()}
	e := c.endpoint()
	followed, stop, err := c.net.follow(ctx, c, e)
	if err != nil {
		return last, err
	}
	defer stop()
	var wake time.Time // when the next WAKEUP is due; zero: none has left
	searched := false
	for {
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
			<-followed.Done() // due at this instant
		}
		if err := context.Cause(followed); err != nil {
			return last, err
		}
		began := time.Now()
		status, err := c.question(followed, e, searchEvery)
		switch {
		case errors.Is(err, ErrSilent):
			if !searched {
				searched = true
				c.net.lookFor(followed, c)
			}
		case err != nil:
			return last, err
		case wakeup == nil || status.State == StateAwake:
			if !wake.IsZero() {
				c.noteWoken()
			}
			return status, nil
		default:
			last = status
		}
		if wakeup != nil && !time.Now().Before(wake) {
			wake = time.Now().Add(wakeEvery)
			if err := c.sendSecret(followed, wakeup); err != nil {
				return last, err
			}
		}
		if err := sleep(followed, searchEvery-time.Since(began)); err != nil {
			return last, err
		}
	}
}

// endpoint returns the endpoint to ask from. A simulated console with a port of
// its own may share its address with others. As long as its host id is unknown,
// only an endpoint of its own can tell its replies from theirs.
func (c *Console) endpoint() *endpoint {
	if addr := c.Addr(); !isReal(addr) && c.HostID() == "" {
		return newEndpoint(c.net, 0, addr.Port())
	}
	return c.net.shared
}

// question asks one question, or shares that of another caller. The console is
// followed.
func (c *Console) question(ctx context.Context, e *endpoint, limit time.Duration) (Status, error) {
	began := time.Now()
	answer := c.nextAnswer()
	if err := e.ask(ctx, c, answer); err != nil {
		return Status{}, err
	}
	select {
	case <-ctx.Done():
		return Status{}, context.Cause(ctx)
	case <-answer:
		return c.lastHeard(), nil
	case <-time.After(limit):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.otherAt.Before(began) {
		return Status{}, &OtherConsoleError{Addr: c.addr, Want: c.hostID, Got: c.other}
	}
	return Status{}, ErrSilent
}

// nextAnswer returns a channel that is closed when the next status comes.
func (c *Console) nextAnswer() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answer
}

func (c *Console) lastHeard() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

// hear handles a reply and reports whether it is this console's.
func (c *Console) hear(at netip.AddrPort, r ddp.Reply) bool {
	c.mu.Lock()
	addr, warning := c.addr, ""
	// The shared endpoint doesn't know the port of a simulated console, which is
	// recognized by its host id instead.
	here := at.Addr() == c.addr.Addr() && (isReal(c.addr) || at.Port() == c.addr.Port() || isReal(at) && c.hostID != "")
	same := c.hostID == "" || r.HostID == c.hostID
	switch {
	case here && same:
		s, now := newStatus(addr, r), time.Now()
		c.power.note(c.heard.State, s.State, now)
		c.heard, c.heardAt, c.moved = s, now, movement{warned: c.moved.warned}
		close(c.answer)
		c.answer = make(chan struct{})
	case here && isReal(addr): // simulated consoles may share an address
		c.other, c.otherAt = r.HostID, time.Now()
	case !here && same && c.hostID != "":
		warning = c.seenElsewhere(at)
	}
	c.mu.Unlock()
	if warning != "" {
		c.set.Warnf("%s", warning)
	}
	if !here || !same {
		return false
	}
	c.set.Counters.DDPReceived.Add(1)
	c.net.shared.noteAnswered(addr)
	return true
}

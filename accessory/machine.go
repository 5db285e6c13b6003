package accessory

import (
	"cmp"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// machine pursues wishes: it decides which command goes to the console and when,
// and what HomeKit reads meanwhile. It is pure: no clock, no I/O, no goroutine.
// testdata/intents.md is its table, and its test.
//
// A write opens a window of 100 ms in which writes merge (wish). Then it becomes
// the goal for the power, the launch, or both, which is pursued until the
// console confirms it, refuses it, or time runs out. Until then HomeKit does not
// see polls that say otherwise.
type machine struct {
	wish   wish
	goal   power
	goalBy time.Time // then it is given up
	sent   bool      // the goal's standby is on its way or done
	launch *launch
	busy   *action // the command that uses the session
	cancel bool    // busy was cancelled

	seen    seen
	fresh   time.Time // a poll that began earlier says nothing about the last write or command
	retryAt time.Time
	woke    time.Time // the last WAKEUP, until the console is seen awake
	leaveBy time.Time // until then "awake" may be the last word of a console that goes to rest
	deafBy  time.Time // until then silence is rest mode

	powerErr  error // how the last goal and launch ended
	launchErr error
	refusal   error // why the last try of the present goal failed, if that may pass
	refusals  int   // how many tries did

	now time.Time // of this step
	out []action
}

// power is a goal for the console's power.
type power uint8

const (
	powerAny power = iota
	powerOn
	powerOff
)

func powerFor(on bool) power {
	if on {
		return powerOn
	}
	return powerOff
}

// launch is a selected title; an empty one is the home screen.
type launch struct {
	title  string
	noQuit bool
	until  time.Time
	woken  bool // it had to wake the console
}

// wish is what the writes of the open window ask for, merged.
type wish struct {
	power  power
	launch *launch
	began  time.Time
}

func (w wish) open() bool { return w.power != powerAny || w.launch != nil }

// seen is the console's state according to polls.
type seen struct {
	state  ps4.State
	title  string    // the running one
	began  time.Time // of the last answered poll
	misses int       // polls without an answer since
}

// Events, besides a [ps4.Update].
type (
	event       any
	setPower    struct{ power power }
	selectTitle struct {
		title  string
		noQuit bool
	}
	woken    struct{ err error } // a WAKEUP was sent, or not
	finished struct {
		err  error
		sent bool // it left for the console, or may have
	}
	tick struct{}
)

// do is a kind of action.
type do uint8

const (
	doWake    do = iota // send one WAKEUP
	doStandby           // this and doLaunch use the session, one at a time
	doLaunch
	doCancel // end the command under way; it still reports how it finished
	doReport // show the owner err, once
)

// action is something that step wants done.
type action struct {
	do     do
	launch *launch
	until  time.Time
	leave  time.Time // a standby's: leaveBy before it
	err    error
}

// step handles an event and returns what to do now.
func (m *machine) step(e event, now time.Time) []action {
	m.out, m.now = nil, now
	switch e := e.(type) {
	case setPower:
		m.write()
		m.wish.power = e.power
	case selectTitle:
		m.write()
		m.wish.launch = &launch{title: e.title, noQuit: e.noQuit}
	case ps4.Update:
		m.polled(e)
	case woken:
		m.woken(e)
	case finished:
		m.finished(e)
	}
	m.advance()
	return m.out
}

func (m *machine) write() {
	if !m.wish.open() {
		m.wish.began = m.now
	}
	m.fresh = m.now
}

// advance does what is due.
func (m *machine) advance() {
	if m.wish.open() {
		if m.now.Before(m.wish.began.Add(mergeTime)) {
			return
		}
		m.settle()
	}
	switch m.goal {
	case powerOn:
		m.wakeUp()
	case powerOff:
		m.rest()
	}
	m.play()
	m.supersede()
}

// settle makes the merged wish the goal. Power off wins over a launch of the same
// window.
func (m *machine) settle() {
	w := m.wish
	m.wish = wish{}
	if w.power == powerOff {
		m.launch = nil
		if m.goal != powerOff {
			m.pursue(powerOff, w.began.Add(standbyHold))
		}
		return
	}
	switch {
	case w.launch != nil: // its limit is that of the waking, too
		w.launch.until = w.began.Add(launchLimit)
		m.launch = w.launch
		m.forgive()
		m.pursue(powerOn, w.launch.until)
	case m.goal != powerOn:
		m.pursue(powerOn, w.began.Add(bootHold))
	}
	m.stretch()
}

// stretch counts the limits of power on from the end of the deaf minute, until
// which the console hears no WAKEUP. Without that, a console that is turned on
// again at once would be given up shortly before it comes.
func (m *machine) stretch() {
	if m.goal != powerOn || !m.now.Before(m.deafBy) {
		return
	}
	m.goalBy = later(m.goalBy, m.deafBy.Add(bootHold))
	if m.launch != nil {
		m.launch.until = later(m.launch.until, m.deafBy.Add(launchLimit))
		m.goalBy = m.launch.until
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (m *machine) pursue(p power, until time.Time) {
	if m.goal != p {
		m.sent = false
		m.forgive()
	}
	m.goal, m.goalBy, m.powerErr = p, until, nil
}

// forgive lets the next try come at once.
func (m *machine) forgive() { m.retryAt, m.refusal, m.refusals = time.Time{}, nil, 0 }

// retry sets when to try again. Each login of a console that refuses shows on
// the TV: refusals that may pass are tried again less and less often.
func (m *machine) retry(err error) {
	delay := retryAfter
	if passes(err) {
		delay = min(retryAfter<<m.refusals, retryMax)
		m.refusal = err
		m.refusals++
	}
	m.retryAt = m.now.Add(delay)
}

// wakeUp pursues power on: it sends WAKEUPs until a poll that began after the
// write finds the console awake.
func (m *machine) wakeUp() {
	switch {
	case m.confirmed() && m.up():
		m.goal = powerAny
	case !m.now.Before(m.goalBy):
		m.failPower(ErrNotWoken)
	case m.busy != nil && m.busy.do == doStandby: // it is being cancelled, and may not have been sent
	case !m.up() && !m.now.Before(m.woke.Add(wakeEvery)):
		m.do(action{do: doWake})
		m.woke = m.now
		if m.launch != nil && m.seen.state != ps4.StateAwake { // else only a reply may have been lost
			m.launch.woken = true
		}
	}
}

// rest pursues power off: it sends one standby as soon as the console answers,
// and waits until rest mode is seen.
func (m *machine) rest() {
	waking := m.now.Before(m.woke.Add(wakeEffect))
	switch {
	case m.confirmed() && m.seen.state == ps4.StateStandby && (m.sent || !waking):
		m.goal = powerAny
	case !m.now.Before(m.goalBy) && m.busy == nil:
		m.goal = powerAny
		if m.seen.state == ps4.StateAwake {
			m.failPower(cmp.Or(m.refusal, ErrStillAwake))
		}
	case !m.sent && m.busy == nil && m.answers() && !m.now.Before(m.retryAt):
		if waking {
			m.goalBy = m.now.Add(standbyHold)
		}
		m.command(action{do: doStandby, until: m.goalBy, leave: m.leaveBy})
		m.sent, m.leaveBy = true, m.now.Add(leaveTime)
	}
}

// play starts the launch once the console is up.
func (m *machine) play() {
	l := m.launch
	switch {
	case l == nil || m.busy != nil || m.goal == powerOff:
	case !m.now.Before(l.until):
		m.failLaunch(cmp.Or(m.refusal, ErrLaunchTimeout))
	case m.goal == powerOn && !m.up() || m.now.Before(m.retryAt):
	case l.title == "" && l.woken: // a woken console shows the home screen by itself
		m.launch, m.launchErr = nil, nil
	default:
		m.command(action{do: doLaunch, launch: l, until: l.until})
	}
}

// supersede ends the command under way if it no longer serves the goal.
func (m *machine) supersede() {
	if m.busy == nil || m.cancel {
		return
	}
	standby := m.busy.do == doStandby
	if standby && m.goal == powerOn || !standby && m.launch != m.busy.launch {
		m.cancel = true
		m.do(action{do: doCancel})
	}
}

func (m *machine) do(a action) { m.out = append(m.out, a) }

func (m *machine) command(a action) {
	m.busy = &a
	m.do(a)
}

// confirmed reports whether a poll that began after the last write and command
// was answered.
func (m *machine) confirmed() bool { return !m.seen.began.IsZero() && !m.seen.began.Before(m.fresh) }

func (m *machine) answers() bool { return m.seen.state == ps4.StateAwake && m.seen.misses == 0 }

// waking reports whether the console is on its way up, so that what needs its
// session waits.
func (m *machine) waking() bool {
	return m.wanted() == powerOn && !m.up()
}

// up reports whether the console is awake and will stay so.
func (m *machine) up() bool { return m.answers() && !m.now.Before(m.leaveBy) }

func (m *machine) failPower(err error) {
	m.goal, m.powerErr = powerAny, err
	if m.launch != nil {
		m.launch, m.launchErr = nil, err
	}
	m.do(action{do: doReport, err: err})
}

func (m *machine) failLaunch(err error) {
	m.launch, m.launchErr = nil, err
	m.do(action{do: doReport, err: err})
}

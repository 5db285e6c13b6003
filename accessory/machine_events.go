package accessory

import (
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// polled handles the result of a poll, unless it began before the last write or
// command.
func (m *machine) polled(u ps4.Update) {
	if u.Asked.Before(m.fresh) {
		return
	}
	m.deafBy = u.DeafUntil
	switch {
	case u.Missed > 0: // it is what it was until it is taken to be resting or gone
		m.seen.misses = u.Missed
		if u.Missed > 1 { // one may be a lost datagram
			m.leaveBy = time.Time{}
		}
		if u.State != ps4.StateAwake {
			m.seen.state, m.seen.title = u.State, ""
		}
		return
	case u.State == ps4.StateStandby:
		m.leaveBy, u.TitleID = time.Time{}, ""
	case !m.now.Before(m.leaveBy) && m.goal != powerOff: // else it just came up; its standby gets the full time
		m.woke = time.Time{}
	}
	m.seen = seen{state: u.State, title: u.TitleID, began: u.Asked}
}

// woken handles the end of a WAKEUP.
func (m *machine) woken(e woken) {
	if e.err == nil {
		m.woke = m.now
	}
	if outcomeOf(e.err) == refused && m.goal == powerOn {
		m.failPower(e.err)
	}
}

// finished handles the end of the command that uses the session.
func (m *machine) finished(e finished) {
	b := m.busy
	m.busy, m.cancel, m.fresh = nil, false, m.now
	if b.do == doStandby {
		m.rested(b, e)
		return
	}
	m.played(b.launch, e)
}

func (m *machine) rested(b *action, e finished) {
	end := outcomeOf(e.err)
	switch {
	case end == resting:
		m.seenResting()
	case !e.sent: // an earlier one may still be on its way
		if !m.leaveBy.IsZero() {
			m.leaveBy = b.leave
		}
	default:
		m.deafBy = m.now.Add(ps4.DeafTime)
		m.stretch()
	}
	if m.goal != powerOff {
		return
	}
	switch end {
	case again:
		m.sent = false
		m.retry(e.err)
		if e.sent {
			m.retryAt = m.now.Add(obeyTime)
		}
	case refused:
		m.failPower(e.err)
	case done, resting:
	}
}

func (m *machine) played(l *launch, e finished) {
	end := outcomeOf(e.err)
	if end == resting {
		m.seenResting()
	}
	if m.launch != l {
		return // another selection, or power off, came meanwhile
	}
	switch {
	case end == done:
		m.launch, m.launchErr = nil, nil
		if l.title != "" {
			m.seen.state, m.seen.title, m.seen.misses = ps4.StateAwake, l.title, 0
		}
	case end == resting:
		m.pursue(powerOn, l.until)
	case end == again && l.title != "":
		m.retry(e.err)
	default:
		m.failLaunch(e.err)
	}
}

// seenResting notes that the console itself reported rest mode.
func (m *machine) seenResting() {
	m.leaveBy = time.Time{}
	m.seen = seen{state: ps4.StateStandby, began: m.now}
}

// active returns what HomeKit reads.
func (m *machine) active() bool {
	if wanted := m.wanted(); wanted != powerAny {
		return wanted == powerOn
	}
	return m.launch != nil || m.seen.state == ps4.StateAwake
}

// target returns the launch that HomeKit shows as selected; nil if there is none.
func (m *machine) target() *launch {
	switch {
	case m.wish.power == powerOff:
		return nil
	case m.wish.launch != nil:
		return m.wish.launch
	}
	return m.launch
}

// pursuing returns what is pursued, or will be when the window closes, and the
// title if it is one.
func (m *machine) pursuing() (what Pursuit, title string) {
	l, wanted := m.target(), m.wanted()
	switch {
	case wanted == powerOff:
		return PursuitStandby, ""
	case l != nil && l.title != "":
		return PursuitTitle, l.title
	case l != nil:
		return PursuitHome, ""
	case wanted == powerOn:
		return PursuitAwake, ""
	}
	return PursuitNone, ""
}

// working reports whether something is under way, so that the console is worth
// polling often.
func (m *machine) working() bool {
	return m.wish.open() || m.goal != powerAny || m.launch != nil || m.busy != nil
}

// next returns when to call step if nothing happens before; the zero time:
// never.
func (m *machine) next() time.Time {
	var next time.Time
	at := func(wanted bool, t time.Time) {
		if wanted && t.After(m.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	at(m.wish.open(), m.wish.began.Add(mergeTime))
	at(m.goal != powerAny, m.goalBy)
	at(m.goal == powerOn, m.woke.Add(wakeEvery))
	at(m.goal == powerOn, m.leaveBy)
	at(m.goal != powerAny || m.launch != nil, m.retryAt)
	if m.launch != nil {
		at(true, m.launch.until)
	}
	return next
}

// wanted returns the power that is pursued, or will be when the window closes.
func (m *machine) wanted() power {
	switch {
	case m.wish.power != powerAny:
		return m.wish.power
	case m.wish.launch != nil:
		return powerOn
	}
	return m.goal
}

// outcome reports whether a wish is no longer pursued, and how that ended.
func (m *machine) outcome(wish event) (over bool, err error) {
	switch w := wish.(type) {
	case setPower:
		switch m.wanted() {
		case w.power:
			return false, nil
		case powerAny:
			return true, m.powerErr
		}
		return true, ErrSuperseded
	case selectTitle:
		switch l := m.target(); {
		case l != nil && l.title == w.title:
			return false, nil
		case l != nil || m.wanted() == powerOff:
			return true, ErrSuperseded
		}
		return true, m.launchErr
	}
	return true, nil
}

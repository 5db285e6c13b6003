package accessory

import (
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// polled takes in what a poll says, unless it began before the last write or command.
func (m *machine) polled(e polled, now time.Time) {
	if e.began.Before(m.fresh) {
		return
	}
	if e.state == ps4.StateUnreachable {
		m.missed(now)
		return
	}
	if e.state == ps4.StateStandby {
		m.leaveBy = time.Time{}
		if m.seen.state == ps4.StateAwake && m.deafBy.IsZero() { // somebody else's standby
			m.deafBy = now.Add(deafTime)
		}
		e.title = ""
	} else if !now.Before(m.leaveBy) {
		m.deafBy = time.Time{}
		if m.goal != powerOff { // else it has just come, and the standby that waited for it has its whole time
			m.woke = time.Time{}
		}
	}
	m.seen = seen{state: e.state, title: e.title, began: e.began, heard: now}
}

// missed counts a poll without an answer. In the minute after a standby that is rest mode; otherwise a console is gone after
// some polls, the time of which has passed as well (polls are quicker while a command is under way).
func (m *machine) missed(now time.Time) {
	m.seen.misses++
	if m.seen.misses > 1 { // one may be a lost datagram
		m.leaveBy = time.Time{}
	}
	gone := m.seen.misses >= m.misses && now.Sub(m.seen.heard) >= time.Duration(m.misses)*m.poll
	switch {
	case now.Before(m.deafBy):
		m.seen.state, m.seen.title = ps4.StateStandby, ""
	case gone:
		m.seen.state, m.seen.title = ps4.StateUnreachable, ""
	}
}

// finished takes in how a command ended.
func (m *machine) finished(e finished, now time.Time) {
	if e.do == doWake {
		if e.sent {
			m.woke = now
		}
		if outcomeOf(e.err) == refused && m.goal == powerOn {
			m.failPower(e.err)
		}
		return
	}
	b := m.busy
	if b == nil || b.do != e.do {
		return
	}
	m.busy, m.cancel, m.fresh = nil, false, now
	if b.do == doStandby {
		m.rested(b, e, now)
		return
	}
	m.played(b.launch, e, now)
}

func (m *machine) rested(b *action, e finished, now time.Time) {
	end := outcomeOf(e.err)
	switch {
	case end == resting:
		m.seenResting(now)
	case !e.sent: // an earlier one may be on its way still
		if !m.leaveBy.IsZero() {
			m.leaveBy = b.leave
		}
	default:
		m.deafBy = now.Add(deafTime)
		m.stretch()
	}
	if m.goal != powerOff {
		return
	}
	switch end {
	case again:
		m.sent, m.retryAt = false, now.Add(retryAfter)
	case refused:
		m.failPower(e.err)
	case done, resting:
	}
}

func (m *machine) played(l *launch, e finished, now time.Time) {
	end := outcomeOf(e.err)
	if end == resting {
		m.seenResting(now)
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
		m.retryAt = now.Add(retryAfter)
	default:
		m.failLaunch(e.err)
	}
}

// seenResting notes that the console itself said that it rests.
func (m *machine) seenResting(now time.Time) {
	m.leaveBy = time.Time{}
	m.seen = seen{state: ps4.StateStandby, began: now, heard: now}
}

// active is what HomeKit reads.
func (m *machine) active() bool {
	switch {
	case m.wish.power != powerAny:
		return m.wish.power == powerOn
	case m.wish.launch != nil || m.launch != nil:
		return true
	case m.goal != powerAny:
		return m.goal == powerOn
	}
	return m.seen.state == ps4.StateAwake
}

// target is the launch that HomeKit shows as selected, nil when there is none.
func (m *machine) target() *launch {
	switch {
	case m.wish.power == powerOff:
		return nil
	case m.wish.launch != nil:
		return m.wish.launch
	}
	return m.launch
}

// working says that something is under way, so that the console is worth polling often.
func (m *machine) working() bool {
	return m.wish.open() || m.goal != powerAny || m.launch != nil || m.busy != nil
}

// next is when step is to be called if nothing happens before; the zero time: never.
func (m *machine) next() time.Time {
	var next time.Time
	at := func(wanted bool, t time.Time) {
		if wanted && t.After(m.at) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	at(m.wish.open(), m.wish.began.Add(mergeTime))
	at(m.goal != powerAny, m.goalBy)
	at(m.goal == powerOn, m.nextWake())
	at(m.goal == powerOn, m.leaveBy)
	at(m.goal != powerAny || m.launch != nil, m.retryAt)
	if m.launch != nil {
		at(true, m.launch.until)
	}
	return next
}

// settled says that the console is on and nothing is wanted of it, so that the running title is what HomeKit shows.
func (m *machine) settled() bool {
	return m.seen.state == ps4.StateAwake && m.active() && m.target() == nil && m.wish.power == powerAny
}

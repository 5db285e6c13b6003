package accessory

import (
	"context"
	"slices"
	"time"
)

// job is work for the session.
type job struct {
	kind  string // of Stats
	began time.Time
	run   func(context.Context) error
	ctx   context.Context // the caller's; nil: a key of HomeKit's, which has no caller
	done  chan error      // has room for one; nil: there is no caller
}

// queue holds the jobs in their order. It is not safe for concurrent use.
type queue struct {
	jobs     []*job
	lost     uint64 // how many keys were dropped so far
	dropping bool   // keys were dropped since the queue was last empty
	closed   bool
}

// addKey adds a key of HomeKit's. If too many wait, it drops the oldest, and
// reports the first such drop.
func (q *queue) addKey(press func(context.Context) error) (dropped bool) {
	if q.closed {
		return false
	}
	waiting := 0
	for _, j := range q.jobs {
		if j.ctx == nil {
			waiting++
		}
	}
	if waiting >= maxKeys {
		dropped, q.dropping = !q.dropping, true
		q.dropKeys(1)
	}
	q.jobs = append(q.jobs, &job{kind: CommandKeys, began: time.Now(), run: press})
	return dropped
}

// dropKeys drops the oldest n keys of HomeKit's.
func (q *queue) dropKeys(n int) {
	q.jobs = slices.DeleteFunc(q.jobs, func(j *job) bool {
		if n == 0 || j.ctx != nil {
			return false
		}
		n--
		q.lost++
		return true
	})
}

// takeJob returns the next job; nil if there is none.
func (q *queue) takeJob() *job {
	if len(q.jobs) == 0 {
		q.dropping = false
		return nil
	}
	j := q.jobs[0]
	q.jobs = q.jobs[1:]
	return j
}

// remove removes a job, and reports whether it was still waiting.
func (q *queue) remove(j *job) bool {
	i := slices.Index(q.jobs, j)
	if i >= 0 {
		q.jobs = slices.Delete(q.jobs, i, i+1)
	}
	return i >= 0
}

package accessory

import (
	"context"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// job is work for the session.
type job struct {
	kind  string // of Stats
	began time.Time
	do    func(ctx context.Context, s Session) error
	keys  []ps4.Key       // to press, instead of do
	alone bool            // no session may be open, and none is given to do
	ctx   context.Context // the caller's; nil: a key of HomeKit's, which has no caller
	done  chan error      // has room for one
}

// end sends the caller the outcome.
func (j *job) end(err error) {
	if j.done != nil {
		j.done <- err
	}
}

// queue holds what waits for the session: at most one command of the machine,
// which goes first, and jobs in their order. It is not safe for concurrent use.
type queue struct {
	command    *action
	commandCtx context.Context
	cancel     context.CancelFunc
	jobs       []*job
	keys       int    // jobs without a caller
	lost       uint64 // how many of them were dropped so far
	dropping   bool   // keys were dropped since the queue was last empty
	closed     bool
}

func (q *queue) setCommand(a action) {
	q.command = &a
	q.commandCtx, q.cancel = context.WithDeadline(context.Background(), a.until)
}

// cancelCommand ends the command, whether it waits or runs.
func (q *queue) cancelCommand() {
	if q.cancel != nil {
		q.cancel()
	}
}

// addKey adds a press. If too many wait, it drops the oldest, and reports the
// first such drop.
func (q *queue) addKey(k ps4.Key) (dropped bool) {
	if q.closed {
		return false
	}
	if q.keys >= maxKeys {
		dropped, q.dropping = !q.dropping, true
		q.dropKeys(1)
	}
	q.keys++
	q.jobs = append(q.jobs, &job{kind: CommandKeys, began: time.Now(), do: func(ctx context.Context, s Session) error { return s.Keys(ctx, k) }})
	return dropped
}

// add adds a job with a caller.
func (q *queue) add(j *job) {
	if q.closed {
		j.end(ErrStopped)
		return
	}
	q.jobs = append(q.jobs, j)
}

// dropKeys drops the oldest n presses.
func (q *queue) dropKeys(n int) {
	kept := q.jobs[:0]
	for _, j := range q.jobs {
		if n > 0 && j.ctx == nil {
			n--
			q.keys--
			q.lost++
			continue
		}
		kept = append(kept, j)
	}
	clear(q.jobs[len(kept):])
	q.jobs = kept
}

// takeJob returns the next job; nil if there is none.
func (q *queue) takeJob() *job {
	if len(q.jobs) == 0 {
		q.dropping = false
		return nil
	}
	j := q.jobs[0]
	q.jobs = q.jobs[1:]
	if j.ctx == nil {
		q.keys--
	}
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

// close ends every job, and every one that comes later.
func (q *queue) close() {
	q.closed = true
	q.cancelCommand()
	for j := q.takeJob(); j != nil; j = q.takeJob() {
		j.end(ErrStopped)
	}
}

package artcache

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Bounds of the background work.
const (
	maxJobs  = 256 // titles in the queue; more are dropped, and asked for again by their next use
	maxTries = 8   // with the pauses of health, some hours
)

// A worker fetches in the background, one title at a time.
type worker struct {
	wake chan struct{} // holds one token

	mu   sync.Mutex
	jobs map[string]*job
}

type job struct {
	due   time.Time
	tries int
}

func newWorker() *worker {
	return &worker{wake: make(chan struct{}, 1), jobs: map[string]*job{}}
}

// Want asks the background worker to fetch what is missing or old of some
// titles: name, cover and its sizes. It returns at once; Options.Learned tells
// when a title was done. Ids that are none are ignored.
func (c *Cache) Want(titleIDs ...string) {
	for _, t := range titleIDs {
		if id, err := ParseTitleID(t); err == nil {
			c.want(id)
		}
	}
}

func (c *Cache) want(id string) {
	if !c.opts.Disabled && !c.opts.Offline && c.ctx.Err() == nil {
		c.worker.add(id)
	}
}

func (w *worker) add(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.jobs[id] != nil || len(w.jobs) >= maxJobs {
		return
	}
	w.jobs[id] = &job{}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run does the jobs until ctx ends.
func (w *worker) run(ctx context.Context, learn func(context.Context, string) error) {
	for {
		id, wait := w.next(time.Now())
		if id == "" {
			if !w.sleep(ctx, wait) {
				return
			}
			continue
		}
		err := learn(ctx, id)
		if ctx.Err() != nil {
			return
		}
		w.done(id, err)
	}
}

// next returns a job that is due, or how long there is none; 0 is for ever.
func (w *worker) next(now time.Time) (id string, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, j := range w.jobs {
		left := j.due.Sub(now)
		if left <= 0 {
			return name, 0
		}
		if wait == 0 || left < wait {
			wait = left
		}
	}
	return "", wait
}

// sleep waits for a new job or a time; false when ctx ended.
func (w *worker) sleep(ctx context.Context, wait time.Duration) bool {
	var timer <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-w.wake:
	case <-timer:
	}
	return true
}

// done ends a job, or puts it off when the source did not answer.
func (w *worker) done(id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.jobs[id]
	j.tries++
	if !errors.Is(err, ErrUnavailable) || j.tries >= maxTries {
		delete(w.jobs, id)
		return
	}
	j.due = time.Now().Add(pause(j.tries))
	var paused *pausedError
	if errors.As(err, &paused) && paused.until.After(j.due) {
		j.due = paused.until
	}
}

// learn fetches all of a title. Only a source that does not answer is worth
// another try.
func (c *Cache) learn(ctx context.Context, id string) error {
	_, err := c.Info(ctx, id)
	for _, size := range Sizes() {
		if _, coverErr := c.Cover(ctx, id, size); errors.Is(coverErr, ErrUnavailable) {
			err = coverErr
		}
	}
	if c.opts.Learned != nil && ctx.Err() == nil {
		c.opts.Learned(id)
	}
	return err
}

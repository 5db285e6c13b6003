package artcache

import "sync/atomic"

// Stats counts what a cache was asked and what it asked itself, since Open.
type Stats struct {
	Hits   uint64 // names, covers and documents that were at hand
	Misses uint64 // those that were not, or too old to do without asking

	Fetched uint64 // requests to a source that brought something, or the news that nothing changed
	Absent  uint64 // requests to a source that has no such thing, or only a bad one
	Failed  uint64 // requests that came to nothing: no network, or a source that is out of order and not asked again yet
}

// Stats returns the counts of this moment.
func (c *Cache) Stats() Stats {
	n := &c.counts
	return Stats{
		Hits: n.hits.Load(), Misses: n.misses.Load(),
		Fetched: n.fetched.Load(), Absent: n.absent.Load(), Failed: n.failed.Load(),
	}
}

type counts struct{ hits, misses, fetched, absent, failed atomic.Uint64 }

func (n *counts) lookup(hit bool) {
	if hit {
		n.hits.Add(1)
		return
	}
	n.misses.Add(1)
}

// request counts how a request ended.
func (n *counts) request(err error) {
	switch {
	case err == nil:
		n.fetched.Add(1)
	case isFinal(err):
		n.absent.Add(1)
	default:
		n.failed.Add(1)
	}
}

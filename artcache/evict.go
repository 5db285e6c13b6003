package artcache

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// sweepTo is where a sweep stops, in percent of the limit: it frees more than it
// must, so that the next one is not due at once.
const sweepTo = 90

// A stored is a file of the cache.
type stored struct {
	path string
	size int64
	used time.Time
}

// measure counts what is on disk, once. The disk lock is held.
func (s *store) measure() {
	s.mu.Lock()
	known := s.bytes >= 0
	s.mu.Unlock()
	if known {
		return
	}
	bodies, records := files(filepath.Join(s.dir, "blobs")), files(filepath.Join(s.dir, "index"))
	s.mu.Lock()
	s.bytes, s.count = total(bodies), len(records)
	over := s.bytes > s.limit // the limit was lowered since
	s.mu.Unlock()
	if over {
		s.evict()
	}
}

// evict removes the bodies that were not used for longest until the rest fits,
// and the oldest records when there are too many. A record whose body is gone
// is found out, and dropped, when it is looked up. The disk lock is held.
func (s *store) evict() {
	bodies, records := files(filepath.Join(s.dir, "blobs")), files(filepath.Join(s.dir, "index"))
	size := total(bodies)
	if size > s.limit {
		size = removeOldest(bodies, size, s.limit/100*sweepTo, func(f stored) int64 { return f.size })
	}
	count := int64(len(records))
	if count > maxRecords {
		count = removeOldest(records, count, maxRecords*sweepTo/100, func(stored) int64 { return 1 })
	}
	s.mu.Lock()
	s.bytes, s.count = size, int(count)
	clear(s.records) // some of them are gone
	clear(s.touched)
	clear(s.checked)
	s.mu.Unlock()
}

// removeOldest removes files, oldest first, until what they weigh is at most
// goal, and returns what is left.
func removeOldest(all []stored, weight, goal int64, weigh func(stored) int64) int64 {
	slices.SortFunc(all, func(a, b stored) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	for _, f := range all {
		if weight <= goal {
			break
		}
		if os.Remove(f.path) == nil {
			weight -= weigh(f)
		}
	}
	return weight
}

// files lists the regular files under a directory; what vanishes meanwhile is
// left out.
func files(root string) []stored {
	var out []stored
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil //nolint:nilerr // one bad directory does not end the walk
		}
		if info, err := e.Info(); err == nil {
			out = append(out, stored{path: path, size: info.Size(), used: info.ModTime()})
		}
		return nil
	})
	return out
}

func total(all []stored) (n int64) {
	for _, f := range all {
		n += f.size
	}
	return n
}

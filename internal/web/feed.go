package web

import "sync"

// feed keeps the last items of a sequence, numbered from 1, and tells its followers
// when there is more. Adding never waits for anybody.
type feed[T any] struct {
	mu        sync.Mutex
	items     []T // the item n is at n % len
	last      uint64
	followers map[chan struct{}]bool
}

func newFeed[T any](size int) *feed[T] {
	return &feed[T]{items: make([]T, size), followers: map[chan struct{}]bool{}}
}

// add takes in the item that number makes of its number.
func (f *feed[T]) add(number func(n uint64) T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.items[f.last%uint64(len(f.items))] = number(f.last)
	for more := range f.followers {
		select {
		case more <- struct{}{}:
		default:
		}
	}
}

// head is the number of the last item.
func (f *feed[T]) head() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// after returns the items that are kept and came after n; lost says that there were
// more, or that n never was.
func (f *feed[T]) after(n uint64) (items []T, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	oldest := uint64(1)
	if size := uint64(len(f.items)); f.last > size {
		oldest = f.last - size + 1
	}
	for k := max(n+1, oldest); k <= f.last; k++ {
		items = append(items, f.items[k%uint64(len(f.items))])
	}
	return items, n > f.last || n+1 < oldest
}

// follow returns a channel that brings something when items were added, and what ends
// that.
func (f *feed[T]) follow() (more <-chan struct{}, unfollow func()) {
	c := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.followers[c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.followers, c)
	}
}

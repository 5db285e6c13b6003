package artcache

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits of the store besides that of its size.
const (
	maxRecords = 8192      // records on disk: in the end, ids come from the network
	maxMemory  = 4096      // records in memory, some hundred bytes each
	maxUnsaved = 4 << 20   // bytes of bodies that could not be written
	sweepTo    = 90        // percent of a limit that a sweep leaves, so that the next is not due at once
	useAgain   = time.Hour // how often a body's hash is checked and its use noted
	tempAge    = time.Hour // files in tmp older than this were left by a kill
)

// A store keeps records and bodies on disk. A key is a kind and a name such as
// "info/CUSA00129", made of checked parts. It is safe for concurrent use, also
// by several processes.
type store struct {
	dir   string
	limit int64 // bytes of bodies
	write func(path string, data []byte) error
	logf  func(string, ...any)

	disk  sync.Mutex // held while writing and sweeping; guards the sizes
	bytes int64      // of the bodies on disk; -1 until counted
	count int64      // of the records on disk

	mu      sync.Mutex           // guards the rest; never held during I/O
	records map[string]record    // some of those on disk, and those that could not be written
	used    map[string]time.Time // when a body's hash was checked and its use noted
	unsaved map[string][]byte    // bodies that could not be written, by hash
}

func newStore(o Options) (*store, error) {
	for _, sub := range []string{"blobs", "index", "own", "tmp"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, sub), 0o750); err != nil {
			return nil, fmt.Errorf("the art cache: %w", err)
		}
	}
	s := &store{
		dir: o.Dir, limit: o.MaxBytes, write: o.WriteFile, logf: o.Logf, bytes: -1,
		records: map[string]record{}, used: map[string]time.Time{}, unsaved: map[string][]byte{},
	}
	if s.write == nil {
		s.write = s.writeFile
	}
	for _, f := range s.files("tmp") {
		if time.Since(f.used) > tempAge {
			_ = os.Remove(f.path)
		}
	}
	return s, nil
}

// writeFile replaces a file by renaming. It does not sync: that is slow on the
// card of a Raspberry Pi, and what a power cut damages fails its check and is
// fetched again.
func (s *store) writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// readFile reads a regular file of at most limit bytes. Opening does not wait
// for the other end of a pipe.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // made from a checked key
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, errors.New("not a regular file of sane size")
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

// validHash is checked before a hash from a file becomes part of a path.
var validHash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })

func (s *store) recordPath(key string) string { return filepath.Join(s.dir, "index", key) }

func (s *store) blobPath(hash string) string {
	return filepath.Join(s.dir, "blobs", hash[:2], hash)
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// lookup returns the record of a key. It deletes a file that does not parse:
// everything in it can be fetched again.
func (s *store) lookup(key string) (record, bool) {
	s.mu.Lock()
	r, ok := s.records[key]
	s.mu.Unlock()
	if ok {
		return r, true
	}
	path := s.recordPath(key)
	data, err := readFile(path, 8<<10)
	if err != nil {
		return record{}, false
	}
	if json.Unmarshal(data, &r) != nil || r.Hash != "" && !validHash().MatchString(r.Hash) {
		s.logf("artcache: deleted damaged index file %s", key)
		_ = os.Remove(path)
		return record{}, false
	}
	s.remember(key, r)
	return r, true
}

func (s *store) remember(key string, r record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.records) >= maxMemory {
		clear(s.records)
	}
	s.records[key] = r
}

// forget deletes a record.
func (s *store) forget(key string) {
	s.mu.Lock()
	delete(s.records, key)
	s.mu.Unlock()
	_ = os.Remove(s.recordPath(key))
}

// body returns a body, false if it was evicted or is damaged.
func (s *store) body(hash string) ([]byte, bool) {
	s.mu.Lock()
	data, ok := s.unsaved[hash]
	due := time.Since(s.used[hash]) >= useAgain
	s.mu.Unlock()
	if ok {
		return data, true
	}
	path := s.blobPath(hash)
	data, err := readFile(path, maxImage)
	if err != nil {
		return nil, false
	}
	if due {
		if hashOf(data) != hash {
			s.logf("artcache: deleted damaged body %.12s", hash)
			_ = os.Remove(path)
			return nil, false
		}
		s.use(hash)
	}
	return data, true
}

// use notes that a body is good and was used, for evicting the least recently
// used ones.
func (s *store) use(hash string) {
	now := time.Now()
	_ = os.Chtimes(s.blobPath(hash), now, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.used) >= maxMemory {
		clear(s.used)
	}
	s.used[hash] = now
}

// put stores a record and its body, if there is a new one. When the disk is
// full or read-only it logs that and keeps the record, and a few bodies, in
// memory.
func (s *store) put(key string, r record, body []byte) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if body != nil {
		r.Hash = hashOf(body)
		if err := s.putBody(r.Hash, body); err != nil {
			s.logf("artcache: cannot write: %v", err)
			s.keep(r.Hash, body)
		}
	}
	s.remember(key, r)
	data, err := json.Marshal(r)
	if err == nil {
		err = s.replace(s.recordPath(key), data)
	}
	if err != nil {
		s.logf("artcache: cannot write: %v", err)
	}
	s.count++ // also when it replaces one: the next sweep counts again
	if s.bytes < 0 || s.bytes > s.limit || s.count > maxRecords {
		s.sweep()
	}
}

func (s *store) putBody(hash string, body []byte) error {
	path := s.blobPath(hash)
	if old, err := readFile(path, maxImage); err != nil || hashOf(old) != hash {
		if err := s.replace(path, body); err != nil {
			return err
		}
		if s.bytes >= 0 {
			s.bytes += int64(len(body))
		}
	}
	s.use(hash)
	return nil
}

func (s *store) replace(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return s.write(path, data)
}

// keep holds a body in memory that could not be written. When there are too
// many, the older ones go.
func (s *store) keep(hash string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := len(body)
	for _, b := range s.unsaved {
		size += len(b)
	}
	if size > maxUnsaved {
		clear(s.unsaved)
	}
	if len(body) <= maxUnsaved {
		s.unsaved[hash] = body
	}
}

// A file is a file of the cache.
type file struct {
	path string
	size int64
	used time.Time
}

// sweep counts what is on disk, and deletes the bodies that were not used for
// longest, and the oldest records, when there are too many. A record without
// its body is found when it is looked up. The disk lock is held.
func (s *store) sweep() {
	bodies, records := s.files("blobs"), s.files("index")
	var gone bool
	s.bytes = evict(bodies, s.limit, &gone, func(f file) int64 { return f.size })
	s.count = evict(records, maxRecords, &gone, func(file) int64 { return 1 })
	if gone {
		s.mu.Lock()
		clear(s.records)
		clear(s.used)
		s.mu.Unlock()
	}
}

// evict deletes the oldest files when all together weigh more than limit, and
// returns what is left.
func evict(all []file, limit int64, gone *bool, weigh func(file) int64) (weight int64) {
	for _, f := range all {
		weight += weigh(f)
	}
	if weight <= limit {
		return weight
	}
	slices.SortFunc(all, func(a, b file) int {
		return cmp.Or(a.used.Compare(b.used), strings.Compare(a.path, b.path))
	})
	for _, f := range all {
		if weight <= limit/100*sweepTo {
			break
		}
		if os.Remove(f.path) == nil {
			weight -= weigh(f)
			*gone = true
		}
	}
	return weight
}

// files lists the regular files in a part of the cache.
func (s *store) files(part string) (list []file) {
	_ = filepath.WalkDir(filepath.Join(s.dir, part), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil //nolint:nilerr // one bad directory does not end the walk
		}
		if info, err := e.Info(); err == nil { // else it vanished
			list = append(list, file{path, info.Size(), info.ModTime()})
		}
		return nil
	})
	return list
}

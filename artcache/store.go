package artcache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Bounds of the store beside its size limit.
const (
	maxRecords = 8192      // records on disk: ids come from the network, in the end
	maxMemory  = 4096      // records held in memory, some hundred bytes each
	maxUnsaved = 4 << 20   // bytes of bodies that could not be written
	touchAfter = time.Hour // last use is noted, and a hash checked, this often: it spares the disk
	tempAge    = time.Hour // a file in tmp this old was left by a kill
)

// A store keeps records and bodies on disk. A key is a kind and a name such as
// "info/CUSA00129", both made of safe characters by its callers and checked
// again here. It is safe for concurrent use, by several processes too.
type store struct {
	dir   string
	limit int64 // bytes of bodies
	write func(path string, data []byte) error
	logf  func(string, ...any)

	disk sync.Mutex // held while writing and evicting, so that the counts stay true

	mu      sync.Mutex           // guards what follows; never held during I/O
	records map[string]record    // some of those on disk, and those that could not be written
	touched map[string]time.Time // when the use of a body was noted
	checked map[string]time.Time // when its hash was checked
	unsaved map[string][]byte    // by hash: bodies that could not be written
	pending int                  // their bytes
	bytes   int64                // of the bodies on disk; -1 until counted
	count   int                  // of the records on disk
}

func newStore(dir string, limit int64, write func(string, []byte) error, logf func(string, ...any)) (*store, error) {
	for _, sub := range []string{"blobs", "index", "own", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o750); err != nil {
			return nil, fmt.Errorf("artcache: %w", err)
		}
	}
	s := &store{
		dir: dir, limit: limit, write: write, logf: logf, bytes: -1,
		records: map[string]record{}, unsaved: map[string][]byte{},
		touched: map[string]time.Time{}, checked: map[string]time.Time{},
	}
	if write == nil {
		s.write = s.writeFile
	}
	s.cleanTemp()
	return s, nil
}

// validKey is the last line of defence against a path made by somebody else:
// one slash, small letters before it, letters, digits and dashes behind it.
func validKey(key string) bool {
	slash := 0
	for i := range len(key) {
		switch b := key[i]; {
		case b == '/' && i > 0:
			slash++
		case !isUpper(b) && !isDigit(b) && b != '-' && (b < 'a' || b > 'z'):
			return false
		}
	}
	return slash == 1 && len(key) <= 128 && key[len(key)-1] != '/'
}

func (s *store) recordPath(key string) string {
	return filepath.Join(s.dir, "index", filepath.FromSlash(key))
}

func (s *store) blobPath(hash string) string {
	return filepath.Join(s.dir, "blobs", hash[:2], hash)
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// lookup returns the record of a key. A file that does not parse is removed:
// it holds nothing that cannot be fetched again.
func (s *store) lookup(key string) (record, bool) {
	if !validKey(key) {
		return record{}, false
	}
	s.mu.Lock()
	r, ok := s.records[key]
	s.mu.Unlock()
	if ok {
		return r, true
	}
	data, err := readSmall(s.recordPath(key), 8<<10)
	if err != nil {
		return record{}, false
	}
	if json.Unmarshal(data, &r) != nil || (r.Hash != "" && !validHash(r.Hash)) {
		s.logf("artcache: index file %s is damaged and removed", key)
		_ = os.Remove(s.recordPath(key))
		return record{}, false
	}
	s.remember(key, r)
	return r, true
}

func validHash(h string) bool { return len(h) == 2*sha256.Size && all(h, isHex) }

// remember holds a record in memory, in the place of any other when full.
func (s *store) remember(key string, r record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.records {
		if len(s.records) < maxMemory {
			break
		}
		delete(s.records, k)
	}
	s.records[key] = r
}

// describe adds a brief to a record in memory, if it still is about that body.
func (s *store) describe(key, hash string, b *brief) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.records[key]; ok && r.Hash == hash {
		r.Brief = b
		s.records[key] = r
	}
}

// body returns the body of a record; false if it was evicted or is damaged.
func (s *store) body(hash string) ([]byte, bool) {
	if !validHash(hash) {
		return nil, false
	}
	s.mu.Lock()
	data, ok := s.unsaved[hash]
	s.mu.Unlock()
	if ok {
		return data, true
	}
	path := s.blobPath(hash)
	data, err := readSmall(path, maxImage)
	if err != nil {
		return nil, false
	}
	if s.due(s.checked, hash) && hashOf(data) != hash {
		s.undo(s.checked, hash)
		s.logf("artcache: body %.12s is damaged and removed", hash)
		_ = os.Remove(path)
		return nil, false
	}
	s.touch(hash)
	return data, true
}

// touch notes that a body was used, for the eviction of the least recently used.
func (s *store) touch(hash string) {
	if s.due(s.touched, hash) {
		now := time.Now()
		_ = os.Chtimes(s.blobPath(hash), now, now)
	}
}

// due reports whether something was last due for a body too long ago, and notes
// that it is done now.
func (s *store) due(when map[string]time.Time, hash string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	last, ok := when[hash]
	if ok && now.Sub(last) < touchAfter {
		return false
	}
	if len(when) >= maxMemory {
		clear(when)
	}
	when[hash] = now
	return true
}

// undo takes a note back.
func (s *store) undo(when map[string]time.Time, hash string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(when, hash)
}

// put stores a body under a key. A disk that is full or read-only is logged;
// the record, and a few bodies, are then kept in memory alone.
func (s *store) put(key string, r record, body []byte) {
	r.Hash = hashOf(body)
	if err := s.putBody(r.Hash, body); err != nil {
		s.logf("artcache: cannot write: %v", err)
		s.keep(r.Hash, body)
	}
	s.putRecord(key, r)
}

func (s *store) putBody(hash string, body []byte) error {
	s.disk.Lock()
	defer s.disk.Unlock()
	path := s.blobPath(hash)
	if old, err := readSmall(path, maxImage); err == nil && hashOf(old) == hash {
		s.touch(hash)
		return nil
	}
	s.measure()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	if err := s.write(path, body); err != nil {
		return err
	}
	s.touch(hash)
	s.mu.Lock()
	s.bytes += int64(len(body))
	over := s.bytes > s.limit
	s.mu.Unlock()
	if over {
		s.evict()
	}
	return nil
}

// keep holds a body in memory that could not be written; when there are too
// many the older ones go.
func (s *store) keep(hash string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending+len(body) > maxUnsaved {
		clear(s.unsaved)
		s.pending = 0
	}
	if len(body) <= maxUnsaved {
		s.unsaved[hash] = body
		s.pending += len(body)
	}
}

// putRecord stores a record: a negative result, or news about a body at hand.
func (s *store) putRecord(key string, r record) {
	if !validKey(key) {
		s.logf("artcache: refused a key")
		return
	}
	s.disk.Lock()
	defer s.disk.Unlock()
	s.measure()
	s.remember(key, r)
	path := s.recordPath(key)
	data, err := json.Marshal(r)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o750)
	}
	if err == nil {
		err = s.write(path, data)
	}
	if err != nil {
		s.logf("artcache: cannot write: %v", err)
		return
	}
	s.mu.Lock()
	s.count++ // also for one that is replaced: the next sweep counts anew
	over := s.count > maxRecords
	s.mu.Unlock()
	if over {
		s.evict()
	}
}

// forget drops a record whose body is gone.
func (s *store) forget(key string) {
	s.mu.Lock()
	delete(s.records, key)
	s.mu.Unlock()
	if validKey(key) {
		_ = os.Remove(s.recordPath(key))
	}
}

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
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits of the store besides that of its bodies.
const (
	maxIndex   = 4 << 20   // bytes of records on disk, some hundred each: in the end, ids come from the network
	maxMemory  = 4096      // records in memory
	maxUnsaved = 8         // bodies in memory because they could not be written
	maxKept    = 512 << 10 // bytes of each
	evictTo    = 90        // percent of a limit that evict leaves, so that it is not due again at once
	useAgain   = time.Hour // how often a body's use is noted
	tempAge    = time.Hour // files in tmp older than this were left by a kill
)

// A store keeps records and bodies on disk. A key is a kind and a name such as
// "info/CUSA00129", made of checked parts. It is safe for concurrent use, also
// by several processes.
type store struct {
	dir   string
	limit int64 // bytes of bodies
	logf  func(string, ...any)

	disk  sync.Mutex       // held while writing and evicting; guards the next
	sizes map[string]int64 // bytes below blobs and index; nil until counted

	mu      sync.Mutex        // guards the rest; never held during I/O
	records map[string]record // some of those on disk, and those that could not be written
	unsaved map[string][]byte // bodies that could not be written, by hash
}

func newStore(o Options) (*store, error) {
	for _, sub := range []string{"blobs", "index", "own", "tmp"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, sub), 0o750); err != nil {
			return nil, fmt.Errorf("the art cache: %w", err)
		}
	}
	s := &store{
		dir: o.Dir, limit: o.MaxBytes, logf: o.Logf,
		records: map[string]record{}, unsaved: map[string][]byte{},
	}
	for _, f := range s.files("tmp") {
		if time.Since(f.used) > tempAge {
			_ = os.Remove(f.path)
		}
	}
	return s, nil
}

// readFile reads a regular file of at most limit bytes, and returns when it was
// last changed. Opening does not wait for the other end of a pipe.
func readFile(path string, limit int64) ([]byte, time.Time, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // made from a checked key
	if err != nil {
		return nil, time.Time{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, time.Time{}, errors.New("not a regular file of sane size")
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, info.ModTime(), err
}

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
	data, _, err := readFile(path, 8<<10)
	if err != nil {
		return record{}, false
	}
	err = json.Unmarshal(data, &r)
	sum, badHash := hex.DecodeString(r.Hash)
	if err != nil || badHash != nil || len(sum) != 0 && len(sum) != sha256.Size {
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

// body returns a body, false if it was evicted or is damaged. It notes the use,
// so that the least recently used bodies are evicted first.
func (s *store) body(hash string) ([]byte, bool) {
	s.mu.Lock()
	data, ok := s.unsaved[hash]
	s.mu.Unlock()
	if ok {
		return data, true
	}
	path := s.blobPath(hash)
	data, used, err := readFile(path, maxImage)
	if err != nil {
		return nil, false
	}
	if hashOf(data) != hash {
		s.logf("artcache: deleted damaged body %.12s", hash)
		_ = os.Remove(path)
		return nil, false
	}
	if now := time.Now(); now.Sub(used) >= useAgain {
		_ = os.Chtimes(path, now, now)
	}
	return data, true
}

// put stores a record and its body, if there is a new one. When the disk is
// full or read-only it logs that and keeps the record, and a few bodies, in
// memory.
func (s *store) put(key string, r record, body []byte) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if body != nil {
		r.Hash = hashOf(body)
		if err := s.replace("blobs", s.blobPath(r.Hash), body); err != nil {
			s.keep(r.Hash, body)
		}
	}
	s.remember(key, r)
	if data, err := json.Marshal(r); err == nil {
		_ = s.replace("index", s.recordPath(key), data) // the record is in memory
	}
	if s.sizes == nil || s.sizes["blobs"] > s.limit || s.sizes["index"] > maxIndex {
		// A record without its body is found when it is looked up.
		s.sizes = map[string]int64{"blobs": evict(s.files("blobs"), s.limit), "index": evict(s.files("index"), maxIndex)}
	}
}

// replace replaces a file in one of the parts of the cache by renaming, and logs
// an error. It does not sync: that is slow on the card of a Raspberry Pi, and a
// file that a power cut damages fails its check and is fetched again. The sizes
// count a replaced file twice until the files are counted again.
func (s *store) replace(part, path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			s.logf("artcache: cannot write: %v", err)
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
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
		return err
	}
	now := time.Now() // by the clock that body and newStore compare it with
	_ = os.Chtimes(path, now, now)
	if s.sizes != nil {
		s.sizes[part] += int64(len(data))
	}
	return nil
}

// keep holds a small body in memory that could not be written. When there are
// too many, the older ones go.
func (s *store) keep(hash string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unsaved) >= maxUnsaved {
		clear(s.unsaved)
	}
	if len(body) <= maxKept {
		s.unsaved[hash] = body
	}
}

// A file is a file of the cache.
type file struct {
	path string
	size int64
	used time.Time
}

// evict deletes the oldest files when they are larger than limit together, and
// returns the size of the rest.
func evict(list []file, limit int64) (size int64) {
	for _, f := range list {
		size += f.size
	}
	if size <= limit {
		return size
	}
	slices.SortFunc(list, func(a, b file) int {
		return cmp.Or(a.used.Compare(b.used), strings.Compare(a.path, b.path))
	})
	for _, f := range list {
		if size <= limit/100*evictTo {
			break
		}
		if os.Remove(f.path) == nil {
			size -= f.size
		}
	}
	return size
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

package state

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// A backup is a gzipped tar. Its first entry is the manifest, which lists the
// entries that follow, in order:
//
//	MANIFEST.json        {"format": "ps4kit-backup", "version": 1, "created": …, "files": [{"name", "size", "sha256"}]}
//	consoles.json
//	homekit/A0B1C2D3E4F5.json
//	…
const (
	manifestName   = "MANIFEST.json" // names of documents are lower case
	archiveFormat  = "ps4kit-backup"
	archiveVersion = 1
)

// Limits of a backup. An installation with 64 consoles has some 130 documents
// and a few megabytes.
const (
	maxBackupFiles  = 1024
	maxBackupSize   = 64 << 20 // bytes of all documents together, unpacked
	maxManifestSize = 1 << 20
	maxTarPadding   = 1 << 20 // bytes after the last entry; tar fills its last block of 10 kB
)

var (
	// ErrNothing means that there is no document to back up.
	ErrNothing = errors.New("nothing is remembered yet")
	// ErrBackup means that an archive is not a complete backup made by this or
	// an older ps4kit.
	ErrBackup = errors.New("this is not a backup that can be restored")
)

// Contents describes a backup.
type Contents struct {
	Created time.Time
	Files   []string // inside the state directory, with slashes, in order
}

type manifest struct {
	Format  string         `json:"format"`
	Version int            `json:"version"`
	Created time.Time      `json:"created"`
	Files   []manifestFile `json:"files"`
}

type manifestFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

// doc is a document as bytes.
type doc struct {
	name string // inside the state directory, with slashes
	data []byte
}

// Backup writes all documents, as of one instant, as a gzipped tar for Restore.
// It contains the pairings and the credentials, but not the lock, the socket,
// the art cache or files set aside as damaged.
//
// It returns ErrDamaged if a document is invalid, since such a backup could not
// be restored, ErrNewer, ErrNothing, ErrClosed, or the error of w.
func (s *Store) Backup(w io.Writer) error {
	docs, err := s.snapshot()
	if err != nil {
		return err
	}
	if err := writeArchive(w, time.Now().UTC().Truncate(time.Second), docs); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

// snapshot reads every document while nothing is written.
func (s *Store) snapshot() ([]doc, error) {
	s.inUse.Lock()
	defer s.inUse.Unlock()
	if s.lock == nil {
		return nil, ErrClosed
	}
	list, err := listDocuments(s.dir)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNothing
	}
	var docs []doc
	for _, name := range list {
		data, err := fileOf(s.dir, name).content()
		if errors.Is(err, ErrNewer) {
			return nil, fmt.Errorf("%s was %w: back it up with that version", name, ErrNewer)
		}
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc{name, data})
	}
	return docs, nil
}

// documentPath matches the names of documents inside the state directory, and
// nothing that leads out of it.
var documentPath = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(
		`^(simulator\.pem|[a-z][a-z0-9-]*\.json|homekit/([0-9A-F]{12}|companion)\.json|inputs/[0-9A-F]{12}\.json)$`)
})

// listDocuments lists the documents of a state directory, in order. A missing
// subdirectory counts as empty.
func listDocuments(dir string) ([]string, error) {
	return listFiles(dir, documentPath().MatchString)
}

func listFiles(dir string, match func(name string) bool) (list []string, err error) {
	for _, inside := range []string{"", homekitDir, inputsDir} {
		entries, err := os.ReadDir(filepath.Join(dir, inside))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if name := path.Join(inside, e.Name()); !e.IsDir() && match(name) {
				list = append(list, name)
			}
		}
	}
	return list, nil
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func writeArchive(w io.Writer, created time.Time, docs []doc) error {
	m := manifest{Format: archiveFormat, Version: archiveVersion, Created: created}
	for _, d := range docs {
		m.Files = append(m.Files, manifestFile{d.name, int64(len(d.data)), checksum(d.data)})
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	for _, d := range append([]doc{{manifestName, text}}, docs...) {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: d.name, Mode: int64(fileOf("", d.name).perm()), Size: int64(len(d.data)), ModTime: created}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(d.data); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

// readArchive reads a complete backup and trusts nothing in it: it checks
// names, types, sizes, checksums and content, and that nothing follows. Every
// error is ErrBackup.
func readArchive(data []byte) (Contents, []doc, error) {
	raw := bytes.NewReader(data)
	zipped, err := gzip.NewReader(raw)
	if err != nil {
		return Contents{}, nil, refused("it is not gzipped: %w", err)
	}
	zipped.Multistream(false)
	archive := tar.NewReader(zipped)
	m, err := readManifest(archive)
	if err != nil {
		return Contents{}, nil, err
	}
	contents := Contents{Created: m.Created}
	var docs []doc
	for _, f := range m.Files {
		text, err := readEntry(archive, f.Name, f.Size)
		if err != nil {
			return Contents{}, nil, err
		}
		if int64(len(text)) != f.Size || checksum(text) != f.SHA256 {
			return Contents{}, nil, refused("%s differs from its manifest", f.Name)
		}
		switch err := fileOf("", f.Name).check(text); {
		case errors.Is(err, ErrNewer):
			return Contents{}, nil, refused("%s was %w", f.Name, ErrNewer)
		case err != nil: // which may quote a secret
			return Contents{}, nil, refused("the content of %s is invalid", f.Name)
		}
		docs = append(docs, doc{f.Name, text})
		contents.Files = append(contents.Files, f.Name)
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return Contents{}, nil, refused("there is more in it than its manifest lists")
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(zipped, maxTarPadding)) // to gzip's checksum
	switch {
	case err != nil:
		return Contents{}, nil, refused("it is damaged or cut off: %w", err)
	case rest == maxTarPadding:
		return Contents{}, nil, refused("there is more in it than its manifest lists")
	case raw.Len() > 0:
		return Contents{}, nil, refused("something follows its end")
	}
	return contents, docs, nil
}

func readManifest(archive *tar.Reader) (manifest, error) {
	var m manifest
	text, err := readEntry(archive, manifestName, maxManifestSize)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Format != archiveFormat || m.Version < 1 {
		return m, refused("its manifest is invalid")
	}
	if m.Version > archiveVersion {
		return m, refused("it was %w (format %d, this one knows %d)", ErrNewer, m.Version, archiveVersion)
	}
	if len(m.Files) == 0 {
		return m, refused("it contains no document")
	}
	if len(m.Files) > maxBackupFiles {
		return m, refused("it lists more than %d documents", maxBackupFiles)
	}
	var total int64
	seen := map[string]bool{}
	for _, f := range m.Files {
		switch {
		case !documentPath().MatchString(f.Name):
			return m, refused("%.80q is not the name of a document", f.Name)
		case seen[f.Name]:
			return m, refused("%s is in it twice", f.Name)
		case f.Size < 0 || f.Size > maxFileSize:
			return m, refused("%s is too large", f.Name)
		}
		seen[f.Name] = true
		if total += f.Size; total > maxBackupSize {
			return m, refused("it is larger than %d bytes", maxBackupSize)
		}
	}
	return m, nil
}

// readEntry reads the next entry of the tar: a plain file of that name and at
// most that size.
func readEntry(archive *tar.Reader, name string, limit int64) ([]byte, error) {
	header, err := archive.Next()
	if err != nil {
		return nil, refused("it is damaged or cut off: %w", err)
	}
	switch {
	case header.Typeflag != tar.TypeReg:
		return nil, refused("%.80q in it is not a plain file", header.Name)
	case header.Name != name:
		return nil, refused("expected %[2]s, found %[1].80q", header.Name, name)
	case header.Size > limit:
		return nil, refused("%s is too large", name)
	}
	var data bytes.Buffer
	if _, err := io.Copy(&data, io.LimitReader(archive, limit)); err != nil {
		return nil, refused("it is damaged or cut off: %w", err)
	}
	return data.Bytes(), nil
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrBackup, fmt.Errorf(format, args...))
}

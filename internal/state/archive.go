package state

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// A backup is a gzipped tar. Its first entry is the manifest, which lists the entries that follow, in order:
//
//	MANIFEST.json        {"format": "ps4kit-backup", "version": 1, "created": …, "files": [{"name", "size", "sha256"}]}
//	consoles.json
//	homekit/A0B1C2D3E4F5.json
//	…
const (
	manifestName    = "MANIFEST.json" // no document is called so: their names are lower case
	archiveFormat   = "ps4kit-backup"
	archiveVersion  = 1
	maxManifestSize = 1 << 20
	maxTarPadding   = 1 << 20 // bytes behind the last entry; tar fills its last block of 10 kB
)

// ErrBackup means that what was to be restored is not a whole backup of this or an older ps4kit.
var ErrBackup = errors.New("this is not a backup that can be restored")

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

func describe(created time.Time, docs []doc) manifest {
	m := manifest{Format: archiveFormat, Version: archiveVersion, Created: created}
	for _, d := range docs {
		m.Files = append(m.Files, manifestFile{d.name, int64(len(d.data)), checksum(d.data)})
	}
	return m
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func writeArchive(w io.Writer, created time.Time, docs []doc) error {
	text, err := json.MarshalIndent(describe(created, docs), "", "  ")
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	for _, d := range append([]doc{{manifestName, secretPerm, text}}, docs...) {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: d.name, Mode: int64(d.perm), Size: int64(len(d.data)), ModTime: created}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(d.data); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return zipped.Close()
}

// readArchive reads a whole backup and believes nothing of it: names, kinds, sizes, checksums and content are checked, and
// nothing may follow. Every error is ErrBackup or that of reading.
func readArchive(r io.Reader) (manifest, []doc, error) {
	raw := bufio.NewReader(r)
	zipped, err := gzip.NewReader(raw)
	if err != nil {
		return manifest{}, nil, refused("it is not gzipped: %w", err)
	}
	zipped.Multistream(false)
	archive := tar.NewReader(zipped)
	m, err := readManifest(archive)
	if err != nil {
		return m, nil, err
	}
	docs := make([]doc, 0, len(m.Files))
	for _, f := range m.Files {
		d, err := readListed(archive, f)
		if err != nil {
			return m, nil, err
		}
		docs = append(docs, d)
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return m, nil, refused("there is more in it than its manifest lists")
	}
	return m, docs, checkEnd(zipped, raw)
}

func readManifest(archive *tar.Reader) (manifest, error) {
	var m manifest
	text, err := readEntry(archive, manifestName, maxManifestSize)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Format != archiveFormat || m.Version < 1 {
		return m, refused("its manifest makes no sense")
	}
	if m.Version > archiveVersion {
		return m, refused("it was %w (format %d, this one knows %d)", ErrNewer, m.Version, archiveVersion)
	}
	return m, m.check()
}

func (m manifest) check() error {
	if len(m.Files) == 0 {
		return refused("there is no document in it")
	}
	if len(m.Files) > maxBackupFiles {
		return refused("it lists more than %d documents", maxBackupFiles)
	}
	var total int64
	seen := map[string]bool{}
	for _, f := range m.Files {
		switch {
		case !documentPath().MatchString(f.Name):
			return refused("%.80q is not the name of a document", f.Name)
		case seen[f.Name]:
			return refused("%s is in it twice", f.Name)
		case f.Size < 0 || f.Size > maxFileSize:
			return refused("%s is too large", f.Name)
		}
		seen[f.Name] = true
		if total += f.Size; total > maxBackupSize {
			return refused("it is larger than %d bytes", maxBackupSize)
		}
	}
	return nil
}

// readListed reads the next entry, which must be the one that the manifest lists.
func readListed(archive *tar.Reader, f manifestFile) (doc, error) {
	data, err := readEntry(archive, f.Name, f.Size)
	switch {
	case err != nil:
		return doc{}, err
	case int64(len(data)) != f.Size || checksum(data) != f.SHA256:
		return doc{}, refused("%s is not what its manifest says", f.Name)
	}
	if err := checkDocument(f.Name, data); errors.Is(err, ErrNewer) {
		return doc{}, refused("%s was %w", f.Name, ErrNewer)
	} else if err != nil {
		return doc{}, refused("the content of %s cannot be understood", f.Name) // without the cause: it may tell a secret
	}
	return doc{f.Name, documentPerm(f.Name), data}, nil
}

// readEntry reads the next entry of the tar, a plain file of that name and at most so large.
func readEntry(archive *tar.Reader, name string, limit int64) ([]byte, error) {
	header, err := archive.Next()
	if err != nil {
		return nil, refused("it is damaged or cut off: %w", err)
	}
	switch {
	case header.Typeflag != tar.TypeReg:
		return nil, refused("%.80q in it is not a plain file", header.Name)
	case header.Name != name:
		return nil, refused("%.80q is where %s should be", header.Name, name)
	case header.Size > limit:
		return nil, refused("%s is larger than it may be", name)
	}
	var data bytes.Buffer
	if _, err := io.Copy(&data, io.LimitReader(archive, limit)); err != nil {
		return nil, refused("it is damaged or cut off: %w", err)
	}
	return data.Bytes(), nil
}

// checkEnd reads to the end, where gzip's checksum is, and makes sure that it is the end.
func checkEnd(zipped io.Reader, raw *bufio.Reader) error {
	rest, err := io.Copy(io.Discard, io.LimitReader(zipped, maxTarPadding))
	if err != nil {
		return refused("it is damaged or cut off: %w", err)
	}
	if rest == maxTarPadding {
		return refused("there is more in it than its manifest lists")
	}
	if _, err := raw.ReadByte(); !errors.Is(err, io.EOF) {
		return refused("something follows its end")
	}
	return nil
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrBackup, fmt.Errorf(format, args...))
}

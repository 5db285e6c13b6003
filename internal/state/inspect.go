package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// Inspection is what can be seen of a state directory from outside.
type Inspection struct {
	Mode      fs.FileMode
	Writable  error    // nil: this user may write to it
	Free      uint64   // bytes that this user may still write there
	Documents int      // in place
	Damaged   []string // documents in place that cannot be understood
	Newer     []string // documents that a newer ps4kit wrote
	Aside     []string // files that were set aside as damaged
	Exposed   []string // documents with secrets that others than the owner may read
}

// Inspect looks at a state directory and changes nothing. It needs no lock: a document is whole at every instant. What
// this user may not read counts as good. It fails with fs.ErrNotExist when there is no directory yet; Writable then says
// whether this user may make it.
func Inspect(dir string) (Inspection, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Inspection{Writable: makable(dir)}, fmt.Errorf("state: %w", err)
	}
	if err != nil {
		return Inspection{}, fmt.Errorf("state: %w", err)
	}
	if !info.IsDir() {
		return Inspection{}, fmt.Errorf("state: %w", &fs.PathError{Op: "open", Path: dir, Err: unix.ENOTDIR})
	}
	in := Inspection{Mode: info.Mode(), Writable: unix.Access(dir, unix.W_OK|unix.X_OK)}
	var room unix.Statfs_t
	if err := unix.Statfs(dir, &room); err != nil {
		return in, fmt.Errorf("state: %w", err)
	}
	in.Free = room.Bavail * uint64(room.Bsize)
	list, err := listDocuments(dir)
	if err != nil {
		return in, fmt.Errorf("state: %w", err)
	}
	for _, name := range list {
		in.document(dir, name)
	}
	in.Aside, err = listAside(dir)
	return in, err
}

// makable says what keeps this user from making a directory, with those above it that are missing too.
func makable(dir string) error {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if err := unix.Access(parent, unix.W_OK|unix.X_OK); !errors.Is(err, fs.ErrNotExist) || parent == filepath.Dir(parent) {
			return err
		}
	}
}

func (in *Inspection) document(dir, name string) {
	in.Documents++
	file := filepath.Join(dir, filepath.FromSlash(name))
	if info, err := os.Stat(file); err == nil && isSecret(name) && info.Mode()&0o077 != 0 {
		in.Exposed = append(in.Exposed, name)
	}
	data, err := (&Store{dir: dir}).read(name)
	if err == nil {
		err = checkDocument(name, data)
	}
	_, unreadable := errors.AsType[*fs.PathError](err)
	switch {
	case err == nil, unreadable:
	case errors.Is(err, ErrNewer):
		in.Newer = append(in.Newer, name)
	default:
		in.Damaged = append(in.Damaged, name)
	}
}

// isSecret tells the documents that are 0600 for certain.
func isSecret(name string) bool {
	return name == "credentials.json" || name == "simulator.pem" || strings.HasPrefix(name, homekitDir+"/")
}

var asideName = regexp.MustCompile(`\.damaged-[0-9]+$`)

func listAside(dir string) ([]string, error) {
	var list []string
	for _, inside := range []string{"", homekitDir, inputsDir} {
		entries, err := os.ReadDir(filepath.Join(dir, inside))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("state: %w", err)
		}
		for _, e := range entries {
			if asideName.MatchString(e.Name()) {
				list = append(list, path.Join(inside, e.Name()))
			}
		}
	}
	return list, nil
}

package state_test

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
)

const otherID = "00D9D1000002"

// fill saves one document of each kind, all of which hold the mark.
func fill(t *testing.T, s *state.Store, mark string) {
	t.Helper()
	user := state.User{Credential: strings.Repeat("ab", 32), Passcode: "1234"}
	_, id := s.InstallationID()
	write(t, simulatorKey(), s.Dir(), "simulator.pem")
	err := errors.Join(id,
		s.Consoles().Save(state.Consoles{Consoles: []state.Console{{HostID: hostID, Name: mark}}}),
		s.Credentials().Save(state.Credentials{Default: &user}),
		homekit(t, s).Save(record{Device: mark}),
		state.HomeKit[record](s, state.Companion).Save(record{Device: mark}),
		state.Inputs[record](s, hostID).Save(record{Device: mark}),
		state.Document(s, "web", state.DocumentOptions[record]{Secret: true}).Save(record{Device: mark}),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// simulatorKey is a simulator.pem that is made once.
var simulatorKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
})

// filled is what fill saves.
func filled() []string {
	return []string{
		"consoles.json", "credentials.json", "installation.json", "simulator.pem", "web.json",
		"homekit/" + hostID + ".json", "homekit/companion.json", "inputs/" + hostID + ".json",
	}
}

// backup returns a backup of a directory that nobody owns.
func backup(t *testing.T, dir string) []byte {
	t.Helper()
	s, err := state.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var archive bytes.Buffer
	if err := s.Backup(&archive); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// filledBackup returns a backup with one document of each kind.
func filledBackup(t *testing.T, mark string) []byte {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	fill(t, s, mark)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return backup(t, dir)
}

// tree reads every file below a directory but the lock: its mode and content by its name.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || d.IsDir() || name == "lock" {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)] = info.Mode().String() + " " + read(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	archive := filledBackup(t, "kept")
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"into no directory": func(t *testing.T, dir string) {
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
		},
		"into an empty one": func(*testing.T, string) {},
		"over another state": func(t *testing.T, dir string) {
			s := open(t, dir)
			fill(t, s, "replaced")
			other := state.HomeKit[record](s, otherID)
			if err := errors.Join(other.Save(record{Device: "gone"}), s.Close()); err != nil {
				t.Fatal(err)
			}
		},
		"over damage": func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "homekit"), 0o750); err != nil {
				t.Fatal(err)
			}
			write(t, "{", dir, "homekit", hostID+".json")
			write(t, "{", dir, "credentials.json")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			prepare(t, dir)
			contents, err := state.Restore(dir, archive)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(contents.Files, filled()) || time.Since(contents.Created) > time.Hour {
				t.Errorf("restored %v of %v", contents.Files, contents.Created)
			}
			restored := tree(t, dir)
			if got := slices.Sorted(maps.Keys(restored)); !slices.Equal(got, slices.Sorted(slices.Values(filled()))) {
				t.Errorf("there is %v", got)
			}
			open(t, dir)
			if again := tree(t, dir); !maps.Equal(again, restored) {
				t.Error("opening changed what was restored")
			}
		})
	}
}

func TestRestoredStateLoads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := state.Restore(dir, filledBackup(t, "kept")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	consoles, err := s.Consoles().Load()
	if err != nil || len(consoles.Consoles) != 1 || consoles.Consoles[0].Name != "kept" {
		t.Errorf("consoles: %v, %v", consoles, err)
	}
	credentials, err := s.Credentials().Load()
	if user, ok := credentials.For(hostID); err != nil || !ok || user.Passcode != "1234" {
		t.Errorf("credentials: %v", err)
	}
	if r, err := homekit(t, s).Load(); err != nil || r.Device != "kept" {
		t.Errorf("homekit: %v, %v", r, err)
	}
	for name, mode := range map[string]string{
		"credentials.json": "-rw-------", "homekit/" + hostID + ".json": "-rw-------", "web.json": "-rw-------",
		"simulator.pem": "-rw-------", "consoles.json": "-rw-r-----",
	} {
		if got := tree(t, dir)[name]; !strings.HasPrefix(got, mode+" ") {
			t.Errorf("%s is %.10s, want %s", name, got, mode)
		}
	}
}

// TestRestoreKeepsWhatIsNoDocument: the files that were set aside, and those that are not ours.
func TestRestoreKeepsWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, "mine", dir, "consoles.json.damaged-1")
	write(t, "mine", dir, "Notes.txt")
	if _, err := state.Restore(dir, filledBackup(t, "x")); err != nil {
		t.Fatal(err)
	}
	if read(t, dir, "consoles.json.damaged-1") != "mine" || read(t, dir, "Notes.txt") != "mine" {
		t.Error("a file that is no document was changed")
	}
}

func TestBackupOfNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if err := s.Backup(io.Discard); !errors.Is(err, state.ErrNothing) {
		t.Errorf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(io.Discard); !errors.Is(err, state.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestBackupRefusesDamage: what could not be restored is not written, and nothing is set aside for it.
func TestBackupRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, content string
		want          error
	}{
		"not JSON":          {"homekit/" + hostID + ".json", `{"pass`, state.ErrDamaged},
		"no version":        {"web.json", `{"data": {}}`, state.ErrDamaged},
		"a bad credential":  {"credentials.json", `{"version": 1, "data": {"default": {"credential": "5ecret"}}}`, state.ErrDamaged},
		"a bad console":     {"consoles.json", `{"version": 1, "data": {"consoles": [{"host_id": "x"}]}}`, state.ErrDamaged},
		"no key":            {"simulator.pem", "x", state.ErrDamaged},
		"of a newer ps4kit": {"inputs/" + hostID + ".json", `{"version": 99, "data": {}}`, state.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir)
			write(t, test.content, dir, test.file)
			before := tree(t, dir)
			var archive bytes.Buffer
			err := s.Backup(&archive)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.file) || strings.Contains(err.Error(), "5ecret") {
				t.Errorf("%v", err)
			}
			if hint := strings.Contains(err.Error(), "back it up with that version"); hint != errors.Is(err, state.ErrNewer) {
				t.Errorf("%v", err)
			}
			if archive.Len() > 0 || !maps.Equal(tree(t, dir), before) {
				t.Error("something was written")
			}
		})
	}
}

func TestBackupCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	fill(t, s, "x")
	read, write := io.Pipe()
	_ = read.CloseWithError(fs.ErrPermission)
	if err := s.Backup(write); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v", err)
	}
}

// TestBackupIsOfOneInstant: one document is always saved after the other, so that a backup never has it newer.
func TestBackupIsOfOneInstant(t *testing.T) {
	t.Parallel()
	s := openWith(t, t.TempDir(), &state.Options{Write: quickWrite})
	first, second := document(s, "a"), homekit(t, s) // in the order in which a backup reads them
	for n := range 60 {
		write(t, plain, s.Dir(), fmt.Sprintf("m%d.json", n)) // between them
	}
	save := func(n int) error {
		return errors.Join(first.Save(record{Device: fmt.Sprint(n)}), second.Save(record{Device: fmt.Sprint(n)}))
	}
	if err := save(0); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 1; err == nil; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				err = save(n)
			}
		}
		stopped <- err
	}()
	for range 30 {
		var archive bytes.Buffer
		if err := s.Backup(&archive); err != nil {
			t.Fatal(err)
		}
		a, b := saved(t, archive.Bytes(), "a.json"), saved(t, archive.Bytes(), "homekit/"+hostID+".json")
		if a != b && a != b+1 {
			t.Errorf("one document is %d, and the one that is saved after it %d", a, b)
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// saved is the number that a record of a backup holds.
func saved(t *testing.T, archive []byte, name string) int {
	t.Helper()
	r := tar.NewReader(strings.NewReader(unzipped(t, archive)))
	for {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if h.Name != name {
			continue
		}
		var doc struct{ Data record }
		if err := json.NewDecoder(r).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		return number(t, doc.Data.Device)
	}
}

func TestRestoreWhileOwned(t *testing.T) {
	t.Parallel()
	archive, dir := filledBackup(t, "new"), t.TempDir()
	fill(t, open(t, dir), "old")
	before := tree(t, dir)
	if _, err := state.Restore(dir, archive); !errors.Is(err, state.ErrLocked) {
		t.Errorf("%v", err)
	}
	if !maps.Equal(tree(t, dir), before) {
		t.Error("something was changed")
	}
}

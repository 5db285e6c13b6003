package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
)

// paired has the shape of a HomeKit document of internal/app. One without
// pairings is open to pairing.
type paired struct {
	Port   uint16 `json:"port"`
	Server struct {
		DeviceID      string    `json:"device_id"`
		Seed          []byte    `json:"seed"`
		SetupCode     string    `json:"setup_code"`
		SetupID       string    `json:"setup_id"`
		ConfigNumber  uint16    `json:"config_number"`
		Structure     string    `json:"structure"`
		SetupFailures int       `json:"setup_failures"`
		Pairings      []pairing `json:"pairings,omitempty"`
	} `json:"server"`
}

type pairing struct {
	ID        string `json:"id"`
	PublicKey []byte `json:"public_key"`
	Admin     bool   `json:"admin"`
}

// uncheckedFile is a pairing file of a version that wrote no checksum.
const uncheckedFile = `{
  "version": 1,
  "data": {
    "port": 21063,
    "server": {
      "device_id": "A3:FB:3D:4D:2E:AC",
      "seed": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
      "setup_code": "518-08-582",
      "setup_id": "7OSX",
      "config_number": 3,
      "structure": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
      "setup_failures": 0,
      "pairings": [
        {
          "id": "1D5A7E0C-2B0F-4C9D-9E55-3C1B6A0F7D21",
          "public_key": "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=",
          "admin": true
        }
      ]
    }
  }
}
`

// TestFlippedBitsAreRestored flips one bit of each byte of a pairing file, and
// Load restores the file from its copy. TestEveryBitIsDetected proves that Load
// detects the other bits too.
func TestFlippedBitsAreRestored(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	var recovered *state.DamagedError
	f := pairingFile(t, dir, func(err error) {
		if !errors.As(err, &recovered) {
			t.Errorf("warned of %v", err)
			return
		}
		if err := os.Remove(filepath.Join(dir, recovered.AsideName)); err != nil {
			t.Error(err)
		}
	})
	want, current := checksummed(t, dir, f)
	if read(t, dir, f.Name()+".copy") != current {
		t.Fatal("the first Load left no copy")
	}
	restored := 0
	for i := range current {
		recovered = nil
		write(t, flip(current, i*8+i%8), dir, f.Name())
		got, err := f.Load()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("byte %d: %+v, %v", i, got, err)
		}
		if recovered == nil {
			continue // only the case of a key changed
		}
		if !recovered.Recovered || read(t, dir, f.Name()) != current {
			t.Fatalf("byte %d: %v, and the file was not replaced", i, recovered)
		}
		restored++
	}
	if restored < len(current)*9/10 {
		t.Errorf("%d of %d bytes were restored", restored, len(current))
	}
}

// TestEveryBitIsDetected flips each bit of a pairing file without a copy. Load
// accepts a change in the case of a key, and returns ErrDamaged for all others.
func TestEveryBitIsDetected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want, current := checksummed(t, dir, pairingFile(t, dir, nil))
	unchanged := 0
	loadEachFlip(t, current, func(bit int, got paired, err error) {
		switch {
		case err == nil && reflect.DeepEqual(got, want):
			unchanged++
		case !errors.Is(err, state.ErrDamaged):
			t.Errorf("bit %d: %+v, %v", bit, got, err)
		}
	})
	if letters := len("version" + "sha" + "data"); unchanged != letters {
		t.Errorf("%d of %d flips were accepted, want %d", unchanged, len(current)*8, letters)
	}
}

// TestNoBitOpensPairing flips each bit of a pairing file of a version that wrote
// no checksum. A value may change, but the pairings are never lost.
func TestNoBitOpensPairing(t *testing.T) {
	t.Parallel()
	loaded := 0
	loadEachFlip(t, uncheckedFile, func(bit int, got paired, err error) {
		if err == nil {
			loaded++
			if len(got.Server.Pairings) == 0 {
				t.Errorf("bit %d: open to pairing", bit)
			}
		}
	})
	if loaded == 0 {
		t.Error("no file was loaded")
	}
}

// memoryDir returns a temporary directory in memory, if the system has one, for
// thousands of writes.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ps4kit-state")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func pairingFile(t *testing.T, dir string, warn func(error)) *state.File[paired] {
	t.Helper()
	return state.HomeKit[paired](openWith(t, dir, &state.Options{Write: quickWrite, Warn: warn}), hostID)
}

// checksummed writes a file without a checksum and loads it, which adds one. It
// returns the value and the content with the checksum.
func checksummed(t *testing.T, dir string, f *state.File[paired]) (paired, string) {
	t.Helper()
	write(t, uncheckedFile, dir, f.Name())
	value, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	content := read(t, dir, f.Name())
	if !strings.Contains(content, `"sha256"`) {
		t.Fatalf("the first Load left %s", content)
	}
	return value, content
}

// loadEachFlip loads a pairing file that has no copy, with each of its bits
// flipped in turn.
func loadEachFlip(t *testing.T, content string, check func(bit int, got paired, err error)) {
	t.Helper()
	dir := memoryDir(t)
	f := pairingFile(t, dir, func(err error) { t.Errorf("warned of %v", err) })
	for bit := range len(content) * 8 {
		write(t, flip(content, bit), dir, f.Name())
		got, err := f.Load()
		check(bit, got, err)
		if err != nil {
			continue
		}
		// Load made a copy, and would restore the next file from it.
		if err := f.Remove(); err != nil {
			t.Fatal(err)
		}
	}
}

func flip(text string, bit int) string {
	data := []byte(text)
	data[bit/8] ^= 1 << (bit % 8)
	return string(data)
}

// TestCopyOutlivesNothing resets, restores and purges a document: its copy never
// comes back.
func TestCopyOutlivesNothing(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*state.File[record], string) error{
		"reset": func(f *state.File[record], _ string) error { return f.Remove() },
		"reset when damaged": func(f *state.File[record], dir string) error {
			return errors.Join(os.Truncate(filepath.Join(dir, f.Name()), 1), os.Truncate(filepath.Join(dir, f.Name()+".copy"), 1), f.Remove())
		},
		"purge": func(f *state.File[record], _ string) error { return f.Purge() },
	} {
		dir := t.TempDir()
		f := homekit(t, open(t, dir))
		if err := errors.Join(f.Save(record{Device: "x"}), remove(f, dir)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, f.Name()+".copy")); err == nil {
			t.Errorf("%s: there is a copy", name)
		}
	}
	dir := t.TempDir()
	s := open(t, dir)
	if err := errors.Join(homekit(t, s).Save(record{Device: "old"}), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Restore(dir, smallBackup(t)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir, "homekit"); len(got) != 1 {
		t.Errorf("after a restore: %v", got)
	}
}

// TestCopyAfterKill starts after a kill between the copy and the document: the
// document counts.
func TestCopyAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	f := homekit(t, s)
	if err := f.Save(record{Device: "newer"}); err != nil {
		t.Fatal(err)
	}
	newer := read(t, dir, f.Name())
	if err := errors.Join(f.Save(record{Device: "saved"}), s.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, newer, dir, f.Name()+".copy")
	if r, err := homekit(t, open(t, dir)).Load(); err != nil || r.Device != "saved" {
		t.Errorf("%v, %v", r, err)
	}
	if read(t, dir, f.Name()+".copy") == newer {
		t.Error("the copy still differs")
	}
}

// TestBackupOfDamage backs a damaged document up from its copy.
func TestBackupOfDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if err := document(s, "web").Save(record{Device: "x"}); err != nil {
		t.Fatal(err)
	}
	write(t, "", dir, "web.json")
	if in, err := state.Inspect(dir); err != nil || len(in.Damaged) > 0 {
		t.Errorf("damaged: %v, %v", in.Damaged, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Restore(t.TempDir(), backup(t, dir)); err != nil {
		t.Error(err)
	}
}

// TestChecksumAfterKill starts after a kill between the copy and a document of
// an earlier version: the document gets its checksum.
func TestChecksumAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	f := homekit(t, s)
	old := "{\"version\": 1, \"data\": {}}"
	write(t, old, dir, f.Name())
	_, err := f.Load()
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, old, dir, f.Name())
	if _, err := homekit(t, open(t, dir)).Load(); err != nil || !strings.Contains(read(t, dir, f.Name()), `"sha256"`) {
		t.Errorf("%v, %s", err, read(t, dir, f.Name()))
	}
}

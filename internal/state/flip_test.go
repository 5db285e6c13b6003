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

// flipData is in the form in which versions without checksums wrote it.
const flipData = `{
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
  }`

// TestEveryBit flips each bit of a pairing file.
func TestEveryBit(t *testing.T) {
	t.Parallel()
	var recovered *state.DamagedError
	dir, err := os.MkdirTemp("/dev/shm", "ps4kit-state") // 60,000 writes
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var s *state.Store
	restart := func() *state.File[paired] {
		if s != nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		s = openWith(t, dir, &state.Options{Write: quickWrite, Warn: func(err error) {
			if !errors.As(err, &recovered) {
				t.Errorf("warned of %v", err)
				return
			}
			if err := os.Remove(filepath.Join(dir, recovered.AsideName)); err != nil {
				t.Error(err)
			}
		}})
		return state.HomeKit[paired](s, hostID)
	}
	f := restart()
	old := "{\n  \"version\": 1,\n  \"data\": " + flipData + "\n}\n"
	write(t, old, dir, f.Name())
	want, err := f.Load() // adds the checksum
	if err != nil {
		t.Fatal(err)
	}
	current := read(t, dir, f.Name())
	if !strings.Contains(current, `"sha256"`) || read(t, dir, f.Name()+".copy") != current {
		t.Fatalf("the first Load left %s", current)
	}
	kept := 0 // flips that change nothing, such as a key's case
	for bit := range len(current) * 8 {
		recovered = nil
		write(t, flip(current, bit), dir, f.Name())
		got, err := f.Load()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("bit %d: %+v, %v", bit, got, err)
		}
		if recovered == nil {
			kept++
		} else if !recovered.Recovered || read(t, dir, f.Name()) != current {
			t.Fatalf("bit %d: %v, and the file was not replaced", bit, recovered)
		}
	}
	t.Logf("%d bits: %d change nothing, the others are restored from the copy", len(current)*8, kept)

	// alone loads a file without a copy, in a process that has not loaded it yet.
	alone := func(text string) (paired, error) {
		write(t, text, dir, f.Name())
		write(t, "", dir, f.Name()+".copy")
		got, err := f.Load()
		if err == nil {
			f = restart()
		}
		return got, err
	}
	f = restart()
	kept = 0
	for bit := range len(current) * 8 {
		switch got, err := alone(flip(current, bit)); {
		case err == nil && reflect.DeepEqual(got, want):
			kept++
		case !errors.Is(err, state.ErrDamaged):
			t.Fatalf("bit %d, without the copy: %+v, %v", bit, got, err)
		}
	}
	t.Logf("%d bits without the copy: %d change nothing, the others fail", len(current)*8, kept)

	silent := 0
	for bit := range len(old) * 8 {
		switch got, err := alone(flip(old, bit)); {
		case err == nil && len(got.Server.Pairings) == 0:
			t.Fatalf("bit %d, without a checksum: open to pairing", bit)
		case err == nil && !reflect.DeepEqual(got, want):
			silent++
		}
	}
	t.Logf("%d bits before the first rewrite: none opens pairing, %d change a value", len(old)*8, silent)
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

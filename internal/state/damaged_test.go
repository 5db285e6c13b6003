package state_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
)

// damage is what may be found in place of a document.
var damage = map[string]string{
	"empty":       "",
	"zeros":       strings.Repeat("\x00", 300),
	"cut":         `{"version":1,"data":{"device":"x","pa`,
	"not JSON":    "hello",
	"followed":    `{"version":1,"data":{"device":"x"}} {}`,
	"wrong type":  `{"version":1,"data":{"device":5186}}`,
	"null":        "null",
	"no data":     `{"version":1}`,
	"null data":   `{"version":1,"data":null}`,
	"no version":  `{"data":{"device":"x"}}`,
	"bare record": `{"device":"x"}`,
	"list":        "[]",
	"other key":   `{"version":1,"made_by":"2.0","data":{"device":"x"}}`,
	"checksum":    `{"version":1,"sha256":"` + strings.Repeat("0", 64) + `","data":{"device":"x"}}`,
}

// TestDamagedHomeKit: it fails every Load and Save, over restarts, and stays as it is, until the owner resets it.
func TestDamagedHomeKit(t *testing.T) {
	t.Parallel()
	for name, text := range damage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for range 2 { // starts of the program
				s := open(t, dir)
				f := homekit(t, s)
				write(t, text, dir, f.Name())
				for range 2 {
					_, err := f.Load()
					if !errors.Is(err, state.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
						t.Fatalf("Load: %v", err)
					}
					if err := f.Save(record{Device: "new"}); !errors.Is(err, state.ErrDamaged) {
						t.Fatalf("Save: %v", err)
					}
				}
				if read(t, dir, f.Name()) != text {
					t.Fatal("the file was touched")
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			reset(t, dir, text)
		})
	}
}

// reset does what the owner does, and looks for the damaged file under its new name.
func reset(t *testing.T, dir, text string) {
	f := homekit(t, open(t, dir))
	if err := f.Remove(); err != nil {
		t.Fatal(err)
	}
	if read(t, dir, f.Name()+".damaged-1") != text {
		t.Error("the damaged file was not kept")
	}
	if _, err := f.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the reset: %v", err)
	}
	if err := f.Save(record{Device: "new"}); err != nil {
		t.Error(err)
	}
}

// TestDamagedWhileInUse damages a document and its copy after a process has
// loaded or saved it: the next Update restores it, and keeps the damaged file.
func TestDamagedWhileInUse(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*state.File[record]) error{
		"saved":  func(f *state.File[record]) error { return f.Save(record{Device: "x"}) },
		"loaded": func(f *state.File[record]) error { _, err := f.Load(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			first := open(t, dir)
			if err := errors.Join(homekit(t, first).Save(record{Device: "x"}), first.Close()); err != nil {
				t.Fatal(err)
			}
			var warnings []string
			s := openWith(t, dir, &state.Options{Warn: func(err error) { warnings = append(warnings, err.Error()) }})
			f := homekit(t, s)
			if err := use(f); err != nil {
				t.Fatal(err)
			}
			write(t, "{", dir, f.Name())
			write(t, "", dir, f.Name()+".copy")
			err := f.Update(func(r record) (record, error) {
				r.Pairs = []string{"a"}
				return r, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if read(t, dir, f.Name()+".damaged-1") != "{" || len(warnings) != 1 || !strings.Contains(warnings[0], "and is restored") {
				t.Errorf("warnings: %v", warnings)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if r, err := homekit(t, open(t, dir)).Load(); err != nil || r.Device != "x" || len(r.Pairs) != 1 {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// TestDamagedIsSetAside: each damaged document gets a name of its own, and the next Load starts anew.
func TestDamagedIsSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := document(open(t, dir), "names")
	var want []string
	for name, text := range damage {
		write(t, text, dir, "names.json")
		_, err := f.Load()
		damaged, ok := errors.AsType[*state.DamagedError](err)
		if !ok || !errors.Is(err, state.ErrDamaged) || damaged.Name != "names.json" {
			t.Fatalf("%s: %v", name, err)
		}
		for _, part := range []string{damaged.Name, damaged.AsideName, "restore it from a backup"} {
			if part == "" || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %q", name, err, part)
			}
		}
		if slices.Contains(want, damaged.AsideName) || read(t, dir, damaged.AsideName) != text {
			t.Errorf("%s: %s does not hold what was damaged", name, damaged.AsideName)
		}
		if _, err := f.Load(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the next Load says %v", name, err)
		}
		want = append(want, damaged.AsideName)
	}
	want = append(want, "homekit", "inputs", "lock")
	if got := names(t, dir); len(want) != len(damage)+3 || !sameSet(got, want) {
		t.Errorf("the directory holds %v, want %v", got, want)
	}
}

// TestSaveDoesNotOverwriteDamage: a Save without a Load before it looks first.
func TestSaveDoesNotOverwriteDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := document(open(t, dir), "names")
	write(t, "damaged", dir, "names.json")
	if err := f.Save(record{}); !errors.Is(err, state.ErrDamaged) {
		t.Errorf("%v", err)
	}
	if got := read(t, dir, "names.json.damaged-1"); got != "damaged" {
		t.Errorf("%s", got)
	}
	if err := f.Save(record{Device: "x"}); err != nil {
		t.Errorf("the second Save: %v", err)
	}
}

// TestUnreadableIsNotDamaged: what cannot be read now may be readable later.
func TestUnreadableIsNotDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := document(open(t, dir), "names")
	mkdir(t, dir, "names.json")
	_, err := f.Load()
	if err == nil || errors.Is(err, state.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load: %v", err)
	}
	if err := f.Save(record{}); err == nil || errors.Is(err, state.ErrDamaged) {
		t.Errorf("Save: %v", err)
	}
	if got := names(t, dir); !slices.Contains(got, "names.json") {
		t.Errorf("the directory holds %v", got)
	}
}

// TestDamageTellsNoSecret: errors about a secret file leave its content out.
func TestDamageTellsNoSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	f := homekit(t, s)
	write(t, `{"version":1,"data":{"device":51808582}}`, dir, f.Name())
	_, err := f.Load()
	if !errors.Is(err, state.ErrDamaged) || strings.Contains(err.Error(), "518") {
		t.Errorf("%v", err)
	}
	write(t, `{"version":1,"data":{"hosts":{"`+hostID+`":{"credential":51808582}}}}`, dir, "credentials.json")
	if _, err = s.Credentials().Load(); !errors.Is(err, state.ErrDamaged) || strings.Contains(err.Error(), "518") {
		t.Errorf("%v", err)
	}
}

// TestHugeIsDamaged: 16 MiB are not read.
func TestHugeIsDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := document(open(t, dir), "names")
	write(t, "", dir, "names.json")
	if err := os.Truncate(filepath.Join(dir, "names.json"), 16<<20+1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(); !errors.Is(err, state.ErrDamaged) || !strings.Contains(err.Error(), "larger than 16777216 bytes") {
		t.Errorf("%v", err)
	}
}

func sameSet(a, b []string) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// FuzzHomeKit: whatever the file holds, Load gives a value that can be saved and loaded again, or says that it is damaged or
// newer, never that there is none. It leaves a file alone that it cannot load.
func FuzzHomeKit(f *testing.F) {
	for _, text := range damage {
		f.Add(text)
	}
	f.Add(`{"version":1,"data":{"device":"x","pairs":["a"]}}`)
	f.Add(`{"version":2,"data":{}}`)
	dir := f.TempDir()
	s, err := state.Open(dir, &state.Options{Write: quickWrite})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	f.Fuzz(func(t *testing.T, text string) {
		file := homekit(t, s)
		write(t, text, dir, file.Name())
		value, err := file.Load()
		if err != nil && !errors.Is(err, state.ErrDamaged) && !errors.Is(err, state.ErrNewer) {
			t.Fatal(err)
		}
		if err != nil {
			if read(t, dir, file.Name()) != text {
				t.Fatal("the file was touched")
			}
			return
		}
		if err := file.Save(value); err != nil {
			t.Fatal(err)
		}
		again, err := file.Load()
		if err != nil || again.Device != value.Device || !slices.Equal(again.Pairs, value.Pairs) {
			t.Fatalf("%v, then %v, %v", value, again, err)
		}
	})
}

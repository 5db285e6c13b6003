package state_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
)

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	f := homekit(t, s)
	if _, err := f.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first Save: %v", err)
	}
	want := record{"x", []string{"a", "b"}}
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := homekit(t, open(t, dir)).Load()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	const text = "{\n  \"version\": 1,\n" +
		// printf '%s' '1 {"device":"x","pairs":["a","b"]}' | sha256sum
		"  \"sha256\": \"c47b74b65c73be22502bcfc84a58c269bae47d3303836a0c662bf6b816172e7c\",\n  \"data\": {\n    \"device\": \"x\",\n    \"pairs\": [\n      \"a\",\n      \"b\"\n    ]\n  }\n}\n"
	if got := read(t, dir, f.Name()); got != text {
		t.Errorf("the file holds %s", got)
	}
}

// TestUnknownFields loads data with a field that a later version added.
func TestUnknownFields(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	write(t, `{"version":1,"data":{"device":"x","colour":"blue"}}`, dir, "names.json")
	if r, err := document(s, "names").Load(); err != nil || r.Device != "x" {
		t.Errorf("%v, %v", r, err)
	}
}

// TestNewerVersion: the file is neither used nor touched.
func TestNewerVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := document(open(t, dir), "names")
	const text = `{"version":2,"data":["another shape"]}`
	write(t, text, dir, "names.json")
	if _, err := f.Load(); !errors.Is(err, state.ErrNewer) {
		t.Errorf("Load: %v", err)
	}
	if err := f.Save(record{}); !errors.Is(err, state.ErrNewer) {
		t.Errorf("Save: %v", err)
	}
	if got := read(t, dir, "names.json"); got != text {
		t.Errorf("the file holds %s", got)
	}
}

// TestNothingToLoadIsNotSaved: null would be loaded as a zero value.
func TestNothingToLoadIsNotSaved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := state.Document(open(t, dir), "list", state.DocumentOptions[[]string]{})
	if err := f.Save(nil); err == nil {
		t.Errorf("saved %s", read(t, dir, "list.json"))
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	noDevice := errors.New("no device")
	f := state.Document(open(t, dir), "names", state.DocumentOptions[record]{Check: func(r record) error {
		if r.Device == "" {
			return noDevice
		}
		return nil
	}})
	if err := f.Save(record{}); !errors.Is(err, noDevice) {
		t.Errorf("Save: %v", err)
	}
	write(t, `{"version":1,"data":{}}`, dir, f.Name())
	if _, err := f.Load(); !errors.Is(err, state.ErrDamaged) {
		t.Errorf("Load: %v", err)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	f := document(open(t, t.TempDir()), "names")
	for range 2 {
		if err := f.Update(func(r record) (record, error) { r.Device += "x"; return r, nil }); err != nil {
			t.Fatal(err)
		}
	}
	refused := errors.New("refused")
	if err := f.Update(func(record) (record, error) { return record{"y", nil}, refused }); !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
	if r, err := f.Load(); err != nil || r.Device != "xx" {
		t.Errorf("%v, %v", r, err)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := homekit(t, open(t, dir))
	if err := f.Remove(); err != nil {
		t.Errorf("nothing there: %v", err)
	}
	if err := f.Save(record{Device: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := f.Remove(); err != nil {
		t.Error(err)
	}
	if got := names(t, dir, "homekit"); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	if _, err := f.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, host := range []string{"", "..", "../../../../a", "A0B1C2D3E4F", "A0B1C2D3E4F56", "A0B1C2D3E4/5", "A0B1C2D3E4G5", "A0:B1:C2:D3", "A0B1C2D3E4\x00F", "AÀÀÀ"} {
		for _, f := range []*state.File[record]{state.HomeKit[record](s, host), state.Inputs[record](s, host)} {
			_, loadErr := f.Load()
			for _, err := range []error{loadErr, f.Save(record{}), f.Remove(), f.Purge()} {
				if !errors.Is(err, state.ErrHostID) {
					t.Errorf("%q: %v", host, err)
				}
			}
		}
	}
	if name := state.Inputs[record](s, "a0b1c2d3e4f5").Name(); name != filepath.Join("inputs", hostID+".json") {
		t.Error(name)
	}
	if name := state.HomeKit[record](s, state.Companion).Name(); name != "homekit/companion.json" {
		t.Error(name)
	}
	if _, err := state.Inputs[record](s, state.Companion).Load(); !errors.Is(err, state.ErrHostID) {
		t.Errorf("inputs of the companion bridge: %v", err)
	}
}

// TestConcurrency: updates through several Files of one name are not lost, and every Load in between is whole.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	s := openWith(t, t.TempDir(), &state.Options{Write: quickWrite})
	const writers, rounds = 4, 10
	var all sync.WaitGroup
	for w := range writers {
		f := document(s, "names")
		all.Go(func() {
			for i := range rounds {
				err := f.Update(func(r record) (record, error) {
					r.Pairs = append(r.Pairs, fmt.Sprint(w, i))
					return r, nil
				})
				if err != nil {
					t.Error(err)
				}
				if r, err := f.Load(); err != nil || !slices.Contains(r.Pairs, fmt.Sprint(w, i)) {
					t.Errorf("%v, %v", r, err)
				}
			}
		})
		all.Go(func() {
			if id, err := s.InstallationID(); err != nil || len(id) != 16 {
				t.Errorf("%q, %v", id, err)
			}
			if err := s.Writable(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if r, err := document(s, "names").Load(); err != nil || len(r.Pairs) != writers*rounds {
		t.Errorf("%d entries, %v", len(r.Pairs), err)
	}
}

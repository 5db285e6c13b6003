package artcache_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/artcache"
)

// noisePicture returns a PNG that does not compress.
func noisePicture(side int, r *rand.Rand) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// blobBytes returns the size of the bodies on disk.
func blobBytes(t testing.TB, dir string) (n int64) {
	t.Helper()
	for _, path := range tree(t, filepath.Join(dir, "blobs")) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

// TestEviction: the least recently used bodies go, and the limit holds.
func TestEviction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		o := s.memory(t)
		o.MaxBytes = 46_000 // three covers of some 13 kB
		c := open(t, o)
		cover := func(i int) string {
			id := fmt.Sprintf("CUSA%05d", i)
			s.page(strings.ReplaceAll(netflix, "CUSA00129", id)+"/image", noise([]byte(id)))
			if _, err := c.Cover(t.Context(), id, artcache.Full); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			if n := blobBytes(t, o.Dir); n > o.MaxBytes {
				t.Errorf("%d bytes on disk", n)
			}
			return id
		}
		a, b := cover(1), cover(2)
		cover(3)
		if _, ok := c.Cached(t.Context(), a, artcache.Full); !ok { // used again
			t.Fatal("not cached")
		}
		cover(4)
		if _, ok := c.Cached(t.Context(), a, artcache.Full); !ok {
			t.Error("the one that was used is gone")
		}
		if _, ok := c.Cached(t.Context(), b, artcache.Full); ok {
			t.Error("the one that was not used is still there")
		}
		_ = c.Close()
		time.Sleep(time.Hour)
		o.MaxBytes = 20_000 // lowered
		c = open(t, o)
		cover(5)
		_ = c.Close()
	})
}

// TestEvictedCover: a cover that the page asks for comes back when only its
// record is left.
func TestEvictedCover(t *testing.T) {
	t.Parallel()
	for _, size := range []artcache.Size{artcache.Full, artcache.Small, artcache.Medium} {
		synctest.Test(t, func(t *testing.T) {
			s := newServed()
			s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
			s.page(rdr2Icon, picture(300, 300, blue))
			o := s.memory(t)
			c := open(t, o)
			if _, err := c.Cover(t.Context(), rdr2, size); err != nil {
				t.Fatal(err)
			}
			for _, body := range tree(t, filepath.Join(o.Dir, "blobs")) {
				if err := os.Remove(body); err != nil {
					t.Fatal(err)
				}
			}
			if _, ok := c.Cached(t.Context(), rdr2, size); ok {
				t.Errorf("size %d: a cover from nowhere", size)
			}
			synctest.Wait()
			if _, ok := c.Cached(t.Context(), rdr2, size); !ok || s.count(rdr2Icon) != 2 {
				t.Errorf("size %d is gone for good; asked %d times", size, s.count(rdr2Icon))
			}
			_ = c.Close()
		})
	}
}

// TestTinyLimit: a cover that does not fit is an error or served, never a loop.
func TestTinyLimit(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(netflix+"/image", noise(nil))
	o := s.server(t)
	o.MaxBytes = 1000
	c := open(t, o)
	if _, err := c.Cover(t.Context(), "CUSA00129", artcache.Full); !errors.Is(err, artcache.ErrUnavailable) {
		t.Error(err)
	}
	write(t, filepath.Join(o.Dir, "own", rdr2+".png"), noisePicture(300, rand.New(rand.NewPCG(1, 2))))
	if _, err := c.Cover(t.Context(), rdr2, artcache.Small); !errors.Is(err, artcache.ErrNotFound) {
		t.Errorf("a thumbnail that doesn't fit: %v", err)
	}
	if n := blobBytes(t, o.Dir); n > o.MaxBytes {
		t.Errorf("%d bytes on disk", n)
	}
}

// TestFullDisk: answers are given, and no source is asked again, whichever write
// fails.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		dir   string // can't be written
		after int    // answers
	}{{"tmp", 0}, {"tmp", 1}, {"tmp", 2}, {"blobs", 0}, {"index", 0}} {
		s := newServed()
		s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
		s.page(rdr2Icon, picture(120, 120, blue))
		o := s.server(t)
		var logged atomic.Int32
		o.Logf = func(string, ...any) { logged.Add(1) }
		c := open(t, o)
		asks := []func(){
			func() {
				if info, err := c.Info(t.Context(), rdr2); err != nil || info.ID != rdr2 {
					t.Errorf("%+v: %v", tt, err)
				}
			},
			func() {
				if _, err := c.Cover(t.Context(), rdr2, artcache.Small); err != nil {
					t.Errorf("%+v: %v", tt, err)
				}
			},
			func() {
				if _, err := c.Updates(t.Context(), rdr2); !errors.Is(err, artcache.ErrNotFound) {
					t.Errorf("%+v: %v", tt, err)
				}
			},
		}
		file := filepath.Join(o.Dir, tt.dir)
		for i := range 3 * len(asks) {
			if i == tt.after { // a file in its place stops even root
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
				write(t, file, nil)
			}
			asks[i%len(asks)]()
		}
		if s.count("") != 3 || logged.Load() == 0 {
			t.Errorf("%+v: asked %d times for three things, logged %d lines", tt, s.count(""), logged.Load())
		}
		_ = c.Close()
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		checkDir(t, o.Dir)
	}
}

// TestReadOnlyDir: no directory, no cache; an error and no crash.
func TestReadOnlyDir(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	if c, err := artcache.Open(&artcache.Options{Dir: filepath.Join(file, "art")}); err == nil {
		_ = c.Close()
		t.Error("opened in a file")
	}
}

// TestDamage: what is damaged on disk is fetched again.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"blobs", "index"} {
		for name, damage := range map[string]func(string) error{
			"zeros":     func(p string) error { return os.WriteFile(p, make([]byte, 1000), 0o600) },
			"emptied":   func(p string) error { return os.Truncate(p, 0) },
			"other":     func(p string) error { return os.WriteFile(p, []byte(`{"hash":"../../x"}`), 0o600) },
			"removed":   os.Remove,
			"directory": func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o750)) },
		} {
			s := newServed()
			s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
			s.page(rdr2Icon, picture(120, 120, blue))
			o := s.server(t)
			o.Logf = nil
			c := open(t, o)
			if _, err := c.Cover(t.Context(), rdr2, artcache.Small); err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
			for _, path := range tree(t, filepath.Join(o.Dir, kind)) {
				if err := damage(path); err != nil {
					t.Fatal(err)
				}
			}
			c = open(t, o)
			if info, err := c.Info(t.Context(), rdr2); err != nil || info.ID != rdr2 {
				t.Errorf("%s %s: %v", kind, name, err)
			}
			if img, err := c.Cover(t.Context(), rdr2, artcache.Small); err != nil || img.Width != 96 {
				t.Errorf("%s %s: %v", kind, name, err)
			}
		}
	}
}

// TestPathTricks: no id leads out of the cache, and a pipe in it blocks nobody.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	s := newServed()
	o := s.server(t)
	outer := o.Dir
	o.Dir = filepath.Join(outer, "a", "art")
	c := open(t, o)
	for _, id := range []string{"../../../x", "/etc/passwd", "CUSA0/../1", "..", "", "CUSA00001/", "CUSA0000\x00", `..\..\x`, "_00"} {
		_, infoErr := c.Info(t.Context(), id)
		_, coverErr := c.Cover(t.Context(), id, artcache.Full)
		_, updatesErr := c.Updates(t.Context(), id)
		_, boxErr := c.Container(t.Context(), id, us)
		for _, err := range []error{infoErr, coverErr, updatesErr, boxErr} {
			if !errors.Is(err, artcache.ErrTitleID) {
				t.Errorf("%q: %v", id, err)
			}
		}
		_, named := c.Name(id)
		if _, ok := c.Cached(t.Context(), id, artcache.Full); ok || named {
			t.Errorf("%q was found", id)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(o.Dir, "own", rdr2+".png"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Cover(t.Context(), rdr2, artcache.Full); !errors.Is(err, artcache.ErrNotFound) {
		t.Error(err)
	}
	_ = c.Close()
	for _, path := range tree(t, outer) {
		if !strings.HasPrefix(path, o.Dir+string(filepath.Separator)) {
			t.Errorf("%s is outside", path)
		}
	}
}

// TestTogether: everything at once, with evictions; run with -race.
func TestTogether(t *testing.T) {
	t.Parallel()
	c := open(t, &artcache.Options{
		Dir: t.TempDir(), MaxBytes: 150_000, Transport: everyTitle(fixture(t, "tmdb2_CUSA03041_rdr2.json")),
	})
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 15 {
				id := fmt.Sprintf("CUSA%05d", (g+i)%12)
				info, err := c.Info(t.Context(), id)
				if err != nil || info.ID != id || !strings.Contains(info.Names[0].Text, id) {
					t.Errorf("%s: %+v, %v", id, info, err)
				}
				if name, ok := c.Name(id); ok && !strings.Contains(name, id) {
					t.Errorf("%s: %q", id, name)
				}
				img, err := c.Cover(t.Context(), id, artcache.Small)
				if err != nil && !errors.Is(err, artcache.ErrUnavailable) || err == nil && img.Width != 66 {
					t.Errorf("%s: %v", id, err)
				}
				_, _ = c.Cached(t.Context(), id, artcache.Medium)
				if _, err := c.Titles(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// fill returns a closed cache's options, with so many titles in it.
func fill(t testing.TB, n int) *artcache.Options {
	t.Helper()
	o := &artcache.Options{Dir: t.TempDir(), Transport: everyTitle(fixture(t, "tmdb2_CUSA03041_rdr2.json"))}
	c := open(t, o)
	for i := range n {
		if _, err := c.Info(t.Context(), fmt.Sprintf("CUSA%05d", i)); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close()
	o.Offline = true
	return o
}

func TestTitles(t *testing.T) {
	t.Parallel()
	c := open(t, fill(t, 30))
	titles, err := c.Titles()
	if err != nil || len(titles) != 30 {
		t.Fatalf("%d titles, %v", len(titles), err)
	}
	for i, title := range titles {
		if want := fmt.Sprintf("CUSA%05d", i); title.ID != want || title.Name != "Title "+want+" Redemption 2" {
			t.Errorf("%d: %+v", i, title)
		}
	}
	for name, n := range map[string]int{"title cusa00007 REDEMPTION 2": 1, "CUSA00007": 1, "redemption": 30, "nothing": 0, "": 0} {
		if found, err := c.Find(name); err != nil || len(found) != n {
			t.Errorf("%q: %d found, %v", name, len(found), err)
		}
	}
}

// TestOtherLanguage: a cached title has its name in the language that is
// configured now.
func TestOtherLanguage(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(metadataAddress("CUSA00001"), fixture(t, "tmdb2_CUSA00001_playroom_partial.json"))
	o := s.server(t)
	c := open(t, o)
	if _, err := c.Info(t.Context(), "CUSA00001"); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	o.Offline = true
	for language, want := range map[string]string{"en": "THE PLAYROOM", "ja": "プレイルーム"} {
		o.Language = language
		if name, ok := open(t, o).Name("CUSA00001"); !ok || name != want {
			t.Errorf("%s: %q, want %q", language, name, want)
		}
	}
}

// The budgets: a cached lookup under 50 µs, a thousand titles under 50 ms.

func BenchmarkName(b *testing.B) {
	c := open(b, fill(b, 1))
	for b.Loop() {
		if _, ok := c.Name("CUSA00000"); !ok {
			b.Fatal("no name")
		}
	}
}

func BenchmarkNameFromDisk(b *testing.B) {
	o := fill(b, 1)
	for b.Loop() {
		b.StopTimer()
		c := open(b, o)
		b.StartTimer()
		if _, ok := c.Name("CUSA00000"); !ok {
			b.Fatal("no name")
		}
		b.StopTimer()
		_ = c.Close()
		b.StartTimer()
	}
}

func BenchmarkTitles1000(b *testing.B) {
	c := open(b, fill(b, 1000))
	for b.Loop() {
		if titles, err := c.Titles(); err != nil || len(titles) != 1000 {
			b.Fatal(len(titles), err)
		}
	}
}

func BenchmarkTitles1000FromDisk(b *testing.B) {
	o := fill(b, 1000)
	for b.Loop() {
		c := open(b, o)
		if titles, err := c.Titles(); err != nil || len(titles) != 1000 {
			b.Fatal(len(titles), err)
		}
		_ = c.Close()
	}
}

func BenchmarkCachedCover(b *testing.B) {
	o := fill(b, 1)
	o.Offline = false
	c := open(b, o)
	if _, err := c.Cover(b.Context(), "CUSA00000", artcache.Small); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := c.Cached(b.Context(), "CUSA00000", artcache.Small); !ok {
			b.Fatal("no cover")
		}
	}
}

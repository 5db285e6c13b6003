package artcache_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/artcache"
)

// colourOf returns the colour in the middle of an image, and its size.
func colourOf(t *testing.T, img *artcache.Image) (color.Color, image.Point) {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(img.Data))
	if err != nil {
		t.Fatal(err)
	}
	return m.At(m.Bounds().Dx()/2, m.Bounds().Dy()/2), m.Bounds().Size()
}

func isBlue(c color.Color) bool { r, _, b, _ := c.RGBA(); return b > 0x8000 && r < 0x4000 }

// TestOrder: own image, cache, metadata icon, title container, content icon.
func TestOrder(t *testing.T) {
	t.Parallel()
	icons := strings.ReplaceAll(carIcon, "FR/fr", "US/en")
	contentIcon := strings.ReplaceAll(strings.TrimSuffix(icons, "?w=240&h=240"), "EP4389-CUSA08652_00-CAR0050000000000", "UP1004-CUSA03041_00-REDEMPTION000002")
	box := strings.ReplaceAll(netflix, "CUSA00129", rdr2) + "/image"
	places := []struct {
		origin  artcache.Origin
		address string
	}{{artcache.OriginMetadata, rdr2Icon}, {artcache.OriginContainer, box}, {artcache.OriginContent, contentIcon}}
	for i, want := range places {
		s := newServed()
		s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
		for _, p := range places[i:] {
			s.page(p.address, picture(110, 110, blue))
		}
		o := s.server(t)
		c := open(t, o)
		img, err := c.Cover(t.Context(), rdr2, artcache.Full)
		if err != nil || img.Origin != want.origin {
			t.Fatalf("%v, %v, want %v", img, err, want.origin)
		}
		if i+1 < len(places) && s.count(places[i+1].address) != 0 {
			t.Error("a worse source was asked without need")
		}
		s.page(rdr2Icon, picture(110, 110, red)) // a better source, but there is the cache
		asked := s.count("")
		if img, err := c.Cover(t.Context(), rdr2, artcache.Full); err != nil || img.Origin != want.origin || s.count("") != asked {
			t.Errorf("%v: the cache was not used", err)
		}
		write(t, filepath.Join(o.Dir, "own", rdr2+".jpg"), asJPEG(t))
		if img, err := c.Cover(t.Context(), rdr2, artcache.Small); err != nil || img.Origin != artcache.OriginOwn || img.Type != "image/jpeg" {
			t.Errorf("own image: %+v, %v", img, err)
		}
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func asJPEG(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 200, 400)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestOwn: also while art is switched off; a bad file is as good as none.
func TestOwn(t *testing.T) {
	t.Parallel()
	s := newServed()
	o := s.memory(t)
	o.Disabled = true
	c := open(t, o)
	path := filepath.Join(o.Dir, "own", "CUSA00001.jpg")
	if _, err := c.Cover(t.Context(), "CUSA00001", artcache.Full); !errors.Is(err, artcache.ErrDisabled) {
		t.Error(err)
	}
	write(t, path, []byte("no image"))
	if _, err := c.Cover(t.Context(), "CUSA00001", artcache.Full); !errors.Is(err, artcache.ErrDisabled) {
		t.Error(err)
	}
	write(t, path, asJPEG(t))
	img, ok := c.Cached(t.Context(), "cusa00001", artcache.Small)
	if !ok || img.Width != 48 || img.Height != 96 {
		t.Errorf("%+v", img)
	}
	if len(s.asked) != 0 {
		t.Error("asked while disabled")
	}
}

// TestSizes: smaller sizes are made once, keep their shape, are not enlarged,
// and have ETags of their own.
func TestSizes(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
	s.page(rdr2Icon, picture(512, 256, blue))
	o := s.server(t)
	c := open(t, o)
	tags := map[string]bool{}
	for size, want := range map[artcache.Size]image.Point{
		artcache.Full: {X: 512, Y: 256}, artcache.Medium: {X: 256, Y: 128}, artcache.Small: {X: 96, Y: 48},
	} {
		img, err := c.Cover(t.Context(), rdr2, size)
		if err != nil {
			t.Fatal(err)
		}
		middle, got := colourOf(t, img)
		if got != want || img.Width != want.X || img.Height != want.Y || !isBlue(middle) {
			t.Errorf("%d: %v, %v by %v", size, middle, img.Width, img.Height)
		}
		tags[img.ETag] = true
	}
	if len(tags) != 3 || tags[""] {
		t.Errorf("ETags %v", tags)
	}
	before := tree(t, o.Dir)
	for _, size := range []artcache.Size{artcache.Full, artcache.Small, artcache.Medium} {
		if img, ok := c.Cached(t.Context(), rdr2, size); !ok || !tags[img.ETag] {
			t.Errorf("%d is not cached", size)
		}
	}
	if after := tree(t, o.Dir); len(after) != len(before) {
		t.Errorf("made again: %v", after)
	}
	if _, err := c.Cover(t.Context(), rdr2, 100); !errors.Is(err, artcache.ErrSize) {
		t.Error(err)
	}
	s.page(netflix+"/image", picture(40, 40, color.NRGBA{R: 255, A: 100}))
	img, err := c.Cover(t.Context(), "CUSA00129", artcache.Small)
	if err != nil || img.Width != 40 || img.Type != "image/png" {
		t.Errorf("%+v, %v", img, err)
	}
	s.page(strings.ReplaceAll(netflix, "CUSA00129", "CUSA00130")+"/image", picture(400, 400, color.NRGBA{R: 255, A: 100}))
	img, err = c.Cover(t.Context(), "CUSA00130", artcache.Small)
	if err != nil || img.Width != 96 || img.Type != "image/png" {
		t.Errorf("%+v, %v", img, err)
	}
}

// tree lists the files under a directory.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestHostileImages: an error each, and nothing kept.
func TestHostileImages(t *testing.T) {
	t.Parallel()
	good := picture(64, 64, blue)
	wide := bytes.Clone(good)
	copy(wide[16:], []byte{0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff}) // the measures in IHDR
	for name, data := range map[string][]byte{
		"cut":   good[:len(good)/2],
		"wide":  wide,
		"large": picture(5000, 2, blue),
		"GIF":   []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
		"SVG":   []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"webp":  []byte("RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00\x30\x01\x00\x9d\x01\x2a\xff\x3f\xff\x3f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"jpeg":  []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
		"empty": nil,
	} {
		s := newServed()
		s.handle(netflix+"/image", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(data)
		})
		o := s.server(t)
		c := open(t, o)
		if _, err := c.Cover(t.Context(), "CUSA00129", artcache.Small); !errors.Is(err, artcache.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if kept := tree(t, filepath.Join(o.Dir, "blobs")); len(kept) != 0 {
			t.Errorf("%s: kept %v", name, kept)
		}
	}
}

// FuzzImage: whatever an own image holds, a cover is an image of at most the
// size that was asked for, or none.
func FuzzImage(f *testing.F) {
	f.Add(picture(100, 50, blue))
	f.Add(picture(3, 3, color.NRGBA{A: 7}))
	f.Add([]byte("\xff\xd8\xff"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8L"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		c := open(t, &artcache.Options{Dir: dir, Offline: true})
		write(t, filepath.Join(dir, "own", "CUSA00001.png"), data)
		img, err := c.Cover(t.Context(), "CUSA00001", artcache.Small)
		if err == nil && (img.Width > 96 || img.Height > 96 || !strings.HasPrefix(img.Type, "image/")) {
			t.Errorf("%d by %d %s", img.Width, img.Height, img.Type)
		}
		_ = c.Close()
	})
}

// TestWorker: Name answers at once and has the rest fetched; a source that does
// not answer is asked again later.
func TestWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		s.handle(metadataAddress(rdr2), status(http.StatusBadGateway))
		s.page(rdr2Icon, picture(120, 120, blue))
		var learned []string
		o := s.memory(t)
		o.Learned = func(id string) { learned = append(learned, id) }
		c := open(t, o)
		if name, ok := c.Name(rdr2); ok {
			t.Errorf("a name from nowhere: %q", name)
		}
		synctest.Wait()
		if s.count(metadataAddress(rdr2)) != 1 || fmt.Sprint(learned) != "["+rdr2+"]" {
			t.Fatalf("asked %d times, learned %v", s.count(metadataAddress(rdr2)), learned)
		}
		s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
		for range 100 { // every poll asks for the name
			_, _ = c.Name(rdr2)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if name, ok := c.Name(rdr2); !ok || name != "Red Dead Redemption 2" {
			t.Errorf("%q", name)
		}
		for _, size := range []artcache.Size{artcache.Full, artcache.Small, artcache.Medium} {
			if _, ok := c.Cached(t.Context(), rdr2, size); !ok {
				t.Errorf("size %d was not made", size)
			}
		}
		asked := s.count("")
		synctest.Wait()
		_, _ = c.Name("nonsense")
		if asked != s.count("") || len(learned) != 2 {
			t.Errorf("asked without need; learned %v", learned)
		}
		_ = c.Close()
	})
}

// TestStoreName: a title without metadata gets its name and icon from the store.
func TestStoreName(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(netflix, fixture(t, "chihiro_titlecontainer_CUSA00129_netflix.json"))
	o := s.server(t)
	o.Country, o.Language = "at", "de" // nothing there: the United States have it
	c := open(t, o)
	info, err := c.Info(t.Context(), "CUSA00129")
	if err != nil || !info.FromStore || info.Category != "APP" || info.ContentID != "UT0007-CUSA00129_00-NETFLIXPOLLUX001" {
		t.Fatalf("%+v, %v", info, err)
	}
	asked := s.count("")
	if name, ok := c.Name("CUSA00129"); !ok || name != "Netflix" {
		t.Errorf("%q", name)
	}
	if _, err := c.Info(t.Context(), "CUSA00129"); err != nil || s.count("") != asked {
		t.Errorf("asked again: %v", err)
	}
}

// A suggested cover comes after that of the metadata, and survives a restart.
func TestSuggestedCover(t *testing.T) {
	t.Parallel()
	const suggested = "https://image.api.playstation.com/gs2-sec/appkgo/prod/CUSA03041_00/icon0.png"
	s := newServed()
	s.page(suggested, picture(110, 110, blue))
	o := s.server(t)
	c := open(t, o)
	c.Suggest(rdr2, "https://example.com/icon.png")
	c.Suggest(rdr2, "file:///etc/passwd")
	c.Suggest("../x", suggested)
	if _, err := c.Cover(t.Context(), rdr2, artcache.Full); !errors.Is(err, artcache.ErrNotFound) {
		t.Fatalf("after bad suggestions: %v", err)
	}
	c.Suggest(rdr2+"_00", suggested)
	img, err := c.Cover(t.Context(), rdr2, artcache.Full)
	if err != nil || img.Origin != artcache.OriginAccount {
		t.Fatalf("%+v, %v", img, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	o.Offline = true
	if img, ok := open(t, o).Cached(t.Context(), rdr2, artcache.Medium); !ok || img.Origin != artcache.OriginAccount {
		t.Errorf("after a restart: %+v, %v", img, ok)
	}
}

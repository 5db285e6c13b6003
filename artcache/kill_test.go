package artcache_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
)

// killedDir names the environment variable that makes this test binary the
// child of TestKill.
const killedDir = "ARTCACHE_TEST_KILLED_DIR"

// killedLimit is the child's size limit, so that it evicts all the time too.
const killedLimit = 100_000

// anyTitle answers for every title: metadata made for it, and a cover of noise.
func anyTitle(template []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, name, ok := strings.Cut(r.URL.Path, "/tmdb2/")
		if ok {
			id := name[:9]
			icon := strings.ReplaceAll(rdr2Icon, rdr2, id)
			_, _ = w.Write([]byte(strings.NewReplacer(rdr2Icon, icon, rdr2, id, "Red Dead", "Title "+id).Replace(string(template))))
			return
		}
		_, id, ok := strings.Cut(r.URL.Path, "/appkgo/prod/")
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(noise([]byte(id[:9])))
	}
}

// noise returns a picture of some 13 kB that is different for each seed.
func noise(seed []byte) []byte {
	var key [32]byte
	copy(key[:], seed)
	return noisePicture(66, rand.New(rand.NewChaCha8(key)))
}

// everyTitle is a RoundTripper around anyTitle.
func everyTitle(template []byte) transport {
	h := anyTitle(template)
	return func(r *http.Request) (*http.Response, error) {
		s := newServed()
		s.handle(r.URL.String(), h)
		return s.RoundTrip(r)
	}
}

// writeUntilKilled fills a cache and says so, a line per title.
func writeUntilKilled(dir string) {
	template, err := os.ReadFile(filepath.Join("testdata", "tmdb2_CUSA03041_rdr2.json"))
	if err != nil {
		panic(err)
	}
	c, err := artcache.Open(&artcache.Options{Dir: dir, MaxBytes: killedLimit, Transport: everyTitle(template)})
	if err != nil {
		panic(err)
	}
	for i := 0; ; i = (i + 1) % 20 {
		id := fmt.Sprintf("CUSA%05d", i)
		_, err := c.Cover(context.Background(), id, artcache.Full)
		fmt.Println(id, err)
	}
}

// TestKill: a kill at any instant leaves no wrong answer behind, and the cache
// goes on from there.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, lines := range []int{0, 1, 3, 8, 15} {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), killedDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewScanner(out)
		for range lines + 1 {
			if !in.Scan() || !strings.HasSuffix(in.Text(), "<nil>") {
				t.Errorf("child said %q", in.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
		checkDir(t, dir)
	}
	c := open(t, &artcache.Options{Dir: dir, MaxBytes: killedLimit, Transport: everyTitle(fixture(t, "tmdb2_CUSA03041_rdr2.json"))})
	for i := range 10 {
		id := fmt.Sprintf("CUSA%05d", i)
		if info, err := c.Info(t.Context(), id); err != nil || info.ID != id || !strings.Contains(info.Names[0].Text, id) {
			t.Errorf("%s: %+v, %v", id, info, err)
		}
		if _, err := c.Cover(t.Context(), id, artcache.Full); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	checkDir(t, dir)
}

// checkDir: every file is whole, and there is nothing but the cache's own.
func checkDir(t *testing.T, dir string) {
	t.Helper()
	for _, path := range tree(t, dir) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		switch kind, _, _ := strings.Cut(rel, string(filepath.Separator)); kind {
		case "blobs":
			if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != filepath.Base(path) {
				t.Errorf("%s is not whole", rel)
			}
		case "index":
			if !json.Valid(data) {
				t.Errorf("%s is not whole: %q", rel, data)
			}
		case "tmp":
		default:
			t.Errorf("%s has no place here", rel)
		}
	}
}

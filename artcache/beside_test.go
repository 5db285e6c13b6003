package artcache_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
)

// TestBeside: several processes use one directory at once, and evict all the
// time: no answer is wrong, and every file stays whole.
func TestBeside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var others []*exec.Cmd
	var outputs []*bufio.Scanner
	for range 2 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), killedDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		others, outputs = append(others, cmd), append(outputs, bufio.NewScanner(out))
	}
	c := open(t, &artcache.Options{Dir: dir, MaxBytes: killedLimit, Transport: everyTitle(fixture(t, "tmdb2_CUSA03041_rdr2.json"))})
	for i := range 40 {
		id := fmt.Sprintf("CUSA%05d", i%20)
		if info, err := c.Info(t.Context(), id); err != nil && !lost(err) || err == nil && info.ID != id {
			t.Errorf("%s: %+v, %v", id, info, err)
		}
		if name, ok := c.Name(id); ok && !strings.Contains(name, id) {
			t.Errorf("%s: %q", id, name)
		}
		if img, err := c.Cover(t.Context(), id, artcache.Full); err != nil && !lost(err) || err == nil && img.Width != 66 {
			t.Errorf("%s: %+v, %v", id, img, err)
		}
	}
	for i, cmd := range others {
		for range 20 {
			if !outputs[i].Scan() || !strings.HasSuffix(outputs[i].Text(), "<nil>") && !strings.Contains(outputs[i].Text(), "no room") {
				t.Errorf("another process said %q", outputs[i].Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
	}
	checkDir(t, dir)
}

// lost says that another process evicted what this one had just fetched: that
// happens with a limit as small as this test's.
func lost(err error) bool { return errors.Is(err, artcache.ErrUnavailable) }

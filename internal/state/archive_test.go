package state_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
)

// entry is a tar entry, and what the manifest says of it.
type entry struct {
	name    string
	content string
	kind    byte   // 0: a plain file
	target  string // of a link
	listed  string // the name in the manifest; empty: name; "-": not listed
	size    int64  // in the manifest; 0: the true one
	sum     string // in the manifest; empty: the true one
	absent  bool   // from the tar
}

const plain = `{"version": 1, "data": {}}`

// forge makes an archive with a manifest that fits, unless the entries say something else.
func forge(t testing.TB, entries ...entry) []byte {
	t.Helper()
	files := []map[string]any{}
	for _, e := range entries {
		sum := sha256.Sum256([]byte(e.content))
		f := map[string]any{"name": e.name, "size": len(e.content), "sha256": hex.EncodeToString(sum[:])}
		if e.listed != "" {
			f["name"] = e.listed
		}
		if e.size != 0 {
			f["size"] = e.size
		}
		if e.sum != "" {
			f["sha256"] = e.sum
		}
		if e.listed != "-" {
			files = append(files, f)
		}
	}
	text, err := json.Marshal(map[string]any{"format": "ps4kit-backup", "version": 1, "created": "2025-11-23T08:00:00Z", "files": files})
	if err != nil {
		t.Fatal(err)
	}
	return pack(t, append([]entry{{name: "MANIFEST.json", content: string(text)}}, entries...)...)
}

// pack makes a gzipped tar.
func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		if e.absent {
			continue
		}
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o4777, Linkname: e.target}
		if e.kind == 0 || e.kind == tar.TypeReg {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.content))
		}
		if err := archive.WriteHeader(h); err != nil {
			t.Skip(err) // a name that no tar can hold
		}
		if h.Size > 0 {
			if _, err := io.WriteString(archive, e.content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func manifest(text string) entry { return entry{name: "MANIFEST.json", content: text} }

// TestForgedIsAccepted: the archives of the next test are refused for what they say and not for how they are made.
func TestForgedIsAccepted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := state.Restore(dir, forge(t, entry{name: "web.json", content: plain})); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != 1 || got["web.json"] != "-rw------- "+plain { // never with the mode of the archive
		t.Errorf("%q", got)
	}
}

// TestRestoreRefuses: nothing is changed by an archive that is not good, inside the directory or beside it.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	good := filledBackup(t, "new")
	web := entry{name: "web.json", content: plain}
	many := make([]entry, 1025)
	for i := range many {
		many[i] = entry{name: fmt.Sprintf("n%d.json", i), content: plain}
	}
	for name, test := range map[string]struct {
		archive []byte
		want    string
	}{
		"nothing":               {nil, "not gzipped"},
		"text":                  {[]byte("web.json"), "not gzipped"},
		"no tar":                {gzipped(t, "web.json"), "damaged or cut off"},
		"an empty tar":          {pack(t), "damaged or cut off"},
		"cut off":               {good[:len(good)/2], "damaged"},
		"cut off at the end":    {good[:len(good)-1], "damaged or cut off"},
		"a changed checksum":    {flipped(good, len(good)-5), "damaged or cut off"},
		"more behind it":        {append(bytes.Clone(good), "x"...), "something follows"},
		"another gzip stream":   {append(bytes.Clone(good), good...), "something follows"},
		"no manifest":           {pack(t, web), "expected MANIFEST.json"},
		"a manifest of nothing": {forge(t), "no document"},
		"a bad manifest":        {pack(t, manifest("{"), web), "manifest is invalid"},
		"somebody else's":       {pack(t, manifest(`{"format": "other", "version": 1}`), web), "manifest is invalid"},
		"no version":            {pack(t, manifest(`{"format": "ps4kit-backup"}`), web), "manifest is invalid"},
		"a newer format":        {pack(t, manifest(`{"format": "ps4kit-backup", "version": 2}`), web), "newer ps4kit"},
		"a huge manifest":       {pack(t, manifest(strings.Repeat(" ", 2<<20))), "too large"},
		"a newer document":      {forge(t, entry{name: "web.json", content: `{"version": 2, "data": {}}`}), "newer ps4kit"},
		"a bad document":        {forge(t, entry{name: "web.json", content: `{"data": {}}`}), "is invalid"},
		"a bad credential":      {forge(t, entry{name: "credentials.json", content: `{"version": 1, "data": {"default": {"credential": "x"}}}`}), "is invalid"},
		"a bad key":             {forge(t, entry{name: "simulator.pem", content: "x"}), "is invalid"},
		"a parent":              {forge(t, entry{name: "../web.json", content: plain}), "not the name"},
		"an absolute path":      {forge(t, entry{name: "/tmp/web.json", content: plain}), "not the name"},
		"a parent inside":       {forge(t, entry{name: "homekit/../web.json", content: plain}), "not the name"},
		"a directory of others": {forge(t, entry{name: "art/web.json", content: plain}), "not the name"},
		"a hidden file":         {forge(t, entry{name: ".bashrc.json", content: plain}), "not the name"},
		"the socket":            {forge(t, entry{name: "control.sock", content: plain}), "not the name"},
		"the lock":              {forge(t, entry{name: "lock", content: plain}), "not the name"},
		"a backslash":           {forge(t, entry{name: `homekit\x.json`, content: plain}), "not the name"},
		"a line break":          {forge(t, entry{name: "web.json\n", content: plain}), "not the name"},
		"a restore of its own":  {forge(t, entry{name: "restore.ready/web.json", content: plain}), "not the name"},
		"another name inside":   {forge(t, entry{name: "../web.json", content: plain, listed: "web.json"}), "expected web.json"},
		"a symbolic link":       {forge(t, entry{name: "web.json", kind: tar.TypeSymlink, target: "/etc/passwd"}), "not a plain file"},
		"a hard link":           {forge(t, entry{name: "web.json", kind: tar.TypeLink, target: "lock"}), "not a plain file"},
		"a directory":           {forge(t, entry{name: "web.json", kind: tar.TypeDir}), "not a plain file"},
		"a device":              {forge(t, entry{name: "web.json", kind: tar.TypeChar}), "not a plain file"},
		"a pipe":                {forge(t, entry{name: "web.json", kind: tar.TypeFifo}), "not a plain file"},
		"twice":                 {forge(t, web, web), "twice"},
		"one more":              {forge(t, web, entry{name: "more.json", content: plain, listed: "-"}), "more in it"},
		"one less":              {forge(t, web, entry{name: "less.json", content: plain, absent: true}), "cut off"},
		"another size":          {forge(t, entry{name: "web.json", content: plain, size: 3}), "too large"},
		"a longer size":         {forge(t, entry{name: "web.json", content: plain, size: 300}), "differs from its manifest"},
		"a negative size":       {forge(t, entry{name: "web.json", content: plain, size: -1}), "too large"},
		"a huge size":           {forge(t, entry{name: "web.json", content: plain, size: 17 << 20}), "too large"},
		"huge altogether":       {forge(t, hugeTogether()...), "larger than"},
		"another checksum":      {forge(t, entry{name: "web.json", content: plain, sum: strings.Repeat("0", 64)}), "differs from its manifest"},
		"too many":              {forge(t, many...), "more than 1024"},
		"a bomb behind the end": {gzipped(t, unzipped(t, good)+strings.Repeat("\x00", 2<<20)), "more in it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			dir := filepath.Join(parent, "state")
			if err := os.MkdirAll(filepath.Join(dir, "homekit"), 0o750); err != nil {
				t.Fatal(err)
			}
			write(t, plain, dir, "homekit", hostID+".json")
			write(t, "{", dir, "consoles.json")
			before := tree(t, parent)
			_, err := state.Restore(dir, test.archive)
			if !errors.Is(err, state.ErrBackup) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if !maps.Equal(tree(t, parent), before) {
				t.Errorf("changed: %v", tree(t, parent))
			}
		})
	}
}

// hugeTogether lists documents that are small enough one by one.
func hugeTogether() []entry {
	list := make([]entry, 5)
	for i := range list {
		list[i] = entry{name: fmt.Sprintf("n%d.json", i), content: plain, size: 16 << 20}
	}
	return list
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unzipped(t testing.TB, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

// FuzzRestore restores an archive whose manifest fits its one entry. Either it is refused and nothing is there, or exactly
// this document is there.
func FuzzRestore(f *testing.F) {
	f.Add("web.json", byte(tar.TypeReg), plain)
	f.Add("homekit/"+hostID+".json", byte(tar.TypeReg), plain)
	f.Add("credentials.json", byte(tar.TypeReg), `{"version": 1, "data": {"hosts": {}}}`)
	f.Add("../web.json", byte(tar.TypeReg), plain)
	f.Add("web.json", byte(tar.TypeSymlink), "")
	f.Add("web.json", byte(tar.TypeReg), "{")
	f.Fuzz(func(t *testing.T, name string, kind byte, content string) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "state")
		contents, err := state.Restore(dir, forge(t, entry{name: name, kind: kind, content: content}))
		if err != nil {
			if got := tree(t, parent); len(got) > 0 {
				t.Fatalf("refused (%v), and there is %v", err, got)
			}
			return
		}
		if len(contents.Files) != 1 || contents.Files[0] != name {
			t.Fatalf("restored %q of %q", contents.Files, name)
		}
		got := tree(t, parent)
		delete(got, "state/lock")
		if len(got) != 1 || !strings.HasSuffix(got["state/"+name], content) {
			t.Fatalf("%q: there is %q", name, got)
		}
	})
}

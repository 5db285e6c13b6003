package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
)

const (
	fileName    = "config.yaml"
	maxFileSize = 1 << 20 // bytes; a configuration has a few thousand
)

// SearchDirs lists the directories in which Load looks for config.yaml, the first one first: ".", $XDG_CONFIG_HOME/ps4kit,
// ~/.config/ps4kit, /etc/ps4kit. Those whose variable is missing are left out. A nil lookupEnv is os.LookupEnv.
func SearchDirs(lookupEnv func(string) (string, bool)) []string {
	if lookupEnv == nil {
		lookupEnv = os.LookupEnv
	}
	dirs := []string{"."}
	if xdg, _ := lookupEnv("XDG_CONFIG_HOME"); filepath.IsAbs(xdg) { // the XDG specification ignores relative ones
		dirs = append(dirs, filepath.Join(xdg, "ps4kit"))
	}
	if home, _ := lookupEnv("HOME"); home != "" {
		dirs = append(dirs, filepath.Join(home, ".config", "ps4kit"))
	}
	return append(dirs, "/etc/ps4kit")
}

// find returns the first config.yaml of some directories, or "". One that cannot be looked at is an error: the owner
// believes that it counts.
func find(dirs []string) (string, error) {
	for _, dir := range dirs {
		path := filepath.Join(dir, fileName)
		_, err := os.Stat(path)
		switch {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return "", fmt.Errorf("config: %w: make it readable, or name another file with --config", err)
		}
	}
	return "", nil
}

// readLimited reads a small file.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", limit)}
	}
	return data, err
}

// readFile reads a configuration file into a tree of plain values. Only an error of reading is returned; what is wrong
// inside goes to problems.
func readFile(path string, p *problems) (map[string]any, error) {
	data, err := readLimited(path, maxFileSize)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	r := &reader{source: path, problems: p}
	root := r.parse(data)
	if root == nil {
		return nil, nil
	}
	tree, _ := r.value(root, reflect.TypeFor[raw](), "", root.Line)
	settings, _ := tree.(map[string]any)
	return settings, nil
}

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// Load reads the file at path, or the first one of SearchDirs when path is empty (none there is fine), and the environment
// through lookupEnv (nil: os.LookupEnv). It returns an *Error when what it read is wrong, and an error that wraps the
// cause, such as fs.ErrNotExist, when the file cannot be read.
func Load(path string, lookupEnv func(string) (string, bool)) (*Config, error) {
	if lookupEnv == nil {
		lookupEnv = os.LookupEnv
	}
	if path == "" {
		found, err := find(SearchDirs(lookupEnv))
		if err != nil {
			return nil, err
		}
		path = found
	}
	p := &problems{file: path, places: map[string]place{}}
	written, err := merge(path, lookupEnv, p)
	if err != nil {
		return nil, err
	}
	home, _ := lookupEnv("HOME")
	c := &checker{problems: p, home: home}
	checked := c.config(written)
	if err := p.err(); err != nil {
		return nil, err
	}
	checked.File = path
	checked.settings = sync.OnceValue(func() []Setting { return listSettings(written, p) }) // a server never asks
	return checked, nil
}

// merge lays defaults, file and environment over each other.
func merge(path string, lookupEnv func(string) (string, bool), p *problems) (raw, error) {
	v := viper.New()
	for _, l := range leaves("", reflect.ValueOf(defaults())) {
		v.SetDefault(l.path, l.value.Interface())
	}
	if path != "" {
		tree, err := readFile(path, p)
		if err != nil {
			return raw{}, err
		}
		if err := v.MergeConfigMap(tree); err != nil {
			return raw{}, fmt.Errorf("config: %w", err)
		}
	}
	for key, value := range readEnv(lookupEnv, p) {
		v.Set(key, value)
	}
	var written raw
	err := v.UnmarshalExact(&written, func(dc *mapstructure.DecoderConfig) {
		dc.WeaklyTypedInput = false // the reader has made sure of the types
		dc.DecodeHook = nil
	})
	if err != nil {
		return raw{}, fmt.Errorf("config: %w", err)
	}
	return written, nil
}

// path makes a path absolute or relative to the working directory: it starts at the directory of the file that names it.
func (c *checker) path(key, text string) string {
	switch {
	case text == "" || filepath.IsAbs(text):
		return text
	case len(text) > 1 && text[:2] == "~/" && c.home != "":
		return filepath.Join(c.home, text[2:])
	case c.file != "" && c.places[key].source == c.file:
		return filepath.Join(filepath.Dir(c.file), text)
	}
	return text
}

package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// Load reads the file at path and the environment. If path is empty, it reads
// the first config.yaml in SearchDirs, or no file if there is none.
//
// It returns an *Error if the configuration is invalid, and an error that wraps
// the cause, such as fs.ErrNotExist, if the file can't be read.
func Load(path string) (*Config, error) {
	if path == "" {
		path = find(SearchDirs())
	}
	p := &problems{file: path, places: map[string]place{}}
	v := viper.NewWithOptions(viper.WithDecoderRegistry(fileDecoder{p}))
	v.SetConfigType("yaml")
	v.SetConfigFile(path)
	read := v.ReadInConfig
	if path == "" {
		read = func() error { return v.ReadConfig(strings.NewReader("")) } // the defaults
	}
	if err := read(); err != nil {
		return nil, err
	}
	bindEnvironment(v, p)
	var r raw
	err := v.Unmarshal(&r, viper.DecodeHook(p.decodeVariable), func(c *mapstructure.DecoderConfig) { c.TagName = "yaml" })
	if err != nil {
		return nil, err
	}
	return validate(r, p)
}

// Default returns the configuration without any file and environment.
func Default() *Config {
	c, err := validate(defaults(), &problems{places: map[string]place{}})
	if err != nil {
		panic(err)
	}
	return c
}

// SearchDirs returns the directories in which Load looks for config.yaml: ".",
// $XDG_CONFIG_HOME/ps4kit, ~/.config/ps4kit and /etc/ps4kit.
func SearchDirs() []string {
	dirs := []string{"."}
	if xdg := os.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(xdg) { // the XDG specification ignores relative ones
		dirs = append(dirs, filepath.Join(xdg, "ps4kit"))
	}
	if home := os.Getenv("HOME"); home != "" {
		dirs = append(dirs, filepath.Join(home, ".config", "ps4kit"))
	}
	return append(dirs, "/etc/ps4kit")
}

// find returns the first config.yaml in dirs, or "". It stops at one that can't
// be read, and ignores config.json and the like, unlike viper's own search.
func find(dirs []string) string {
	for _, dir := range dirs {
		path := filepath.Join(dir, "config.yaml")
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return path
		}
	}
	return ""
}

// fileDecoder decodes config.yaml for viper.
type fileDecoder struct{ *problems }

// Decoder implements [viper.DecoderRegistry].
func (d fileDecoder) Decoder(string) (viper.Decoder, error) { return d, nil }

// Decode implements [viper.Decoder]. It completes the file with the defaults.
func (d fileDecoder) Decode(text []byte, settings map[string]any) error {
	r := defaults()
	d.decode(d.file, "", text, &r)
	if r.Discovery.Broadcast == nil { // the key had no value
		r.Discovery.Broadcast = defaults().Discovery.Broadcast
	}
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{TagName: "yaml", Result: &settings})
	if err != nil {
		return err
	}
	return decoder.Decode(r)
}

// envName returns the variable of a key, such as PS4KIT_WEB_LISTEN.
func envName(key string) string {
	return "PS4KIT_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// bindEnvironment makes viper read the variable of each key, and reports
// variables without a key.
func bindEnvironment(v *viper.Viper, p *problems) {
	var names []string
	for _, key := range v.AllKeys() {
		name := envName(key)
		names = append(names, name)
		v.MustBindEnv(key, name)
		if os.Getenv(name) != "" {
			maps.DeleteFunc(p.places, func(k string, _ place) bool { return strings.HasPrefix(k, key+"[") })
			p.places[key] = place{Source: name}
		}
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if value != "" && strings.HasPrefix(name, "PS4KIT_") && !slices.Contains(names, name) && !isForeign(name) {
			p.addAt(place{Source: name}, "", "no key has this variable%s", didYouMean(name, names))
		}
	}
}

// isForeign reports whether a PS4KIT_ variable is not meant as a key. The tests
// of this repository use some, and Kubernetes sets others for a service called
// ps4kit.
func isForeign(name string) bool {
	switch name = strings.TrimPrefix(name, "PS4KIT_"); name {
	case "BIN", "PORT", "REQUIRE_ALL", "SCREENSHOTS", "UPDATE_DOCS":
		return true
	}
	return slices.ContainsFunc([]string{"BENCH_", "PORT_", "SERVICE_", "SOAK_", "STATE_TEST_", "TEST_"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// decodeVariable is the decode hook for variables that hold a list: the
// consoles as YAML, or strings as in eth0,wlan0 or ["eth0", "wlan0"].
func (p *problems) decodeVariable(_, to reflect.Type, value any) (any, error) {
	text, isText := value.(string)
	switch {
	case isText && to == reflect.TypeFor[[]rawConsole]():
		var consoles []rawConsole
		p.decode(envName("consoles"), "consoles", []byte(text), &consoles)
		return consoles, nil
	case isText && to == reflect.TypeFor[[]string]():
		var list []string
		if strings.HasPrefix(text, "[") && yaml.Unmarshal([]byte(text), &list) == nil {
			return list, nil
		}
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }), nil
	}
	return value, nil
}

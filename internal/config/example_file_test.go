package config_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
)

const exampleFile = "../../config.yaml.example"

// TestExampleShowsDefaults compares the example with an empty file.
func TestExampleShowsDefaults(t *testing.T) {
	t.Parallel()
	example, err := config.Load(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	none := mustLoad(t, "")
	fromExample, fromNone := example.Settings(), none.Settings()
	for i, s := range fromNone {
		if e := fromExample[i]; e.Key != s.Key || e.Value != s.Value {
			t.Errorf("the example shows %s = %s, the default is %s = %s", e.Key, e.Value, s.Key, s.Value)
		}
	}
	for _, s := range fromExample {
		if s.Key != "consoles" && !strings.HasPrefix(s.Source, exampleFile+":") {
			t.Errorf("%s is not in the example: %s", s.Key, s.Source)
		}
	}
}

// TestExampleConsole loads the console that is commented out, which shows every key.
func TestExampleConsole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`(?m)^#(consoles:|  )`)
	c := mustLoad(t, commented.ReplaceAllString(string(text), "$1"))
	var keys []string
	for _, s := range c.Settings() {
		if key, ok := strings.CutPrefix(s.Key, "consoles[0]."); ok {
			keys = append(keys, key)
		}
	}
	want := []string{
		"host_id", "address", "name", "credential", "passcode", "setup_code", "category",
		"remote.double.select", "remote.information", "remote.play_pause",
		"titles[0].id", "titles[0].name", "titles[0].pin", "titles[0].remote.back", "switch_user",
		"protocol", "remote_play_keys",
	}
	if !reflect.DeepEqual(keys, want) {
		t.Errorf("the console of the example sets\n%v, want\n%v", keys, want)
	}
	for _, name := range append(config.RemoteKeys(), config.Buttons()...) {
		if !regexp.MustCompile(`#       *#? *(keys|buttons|and).*\b` + name + `\b`).Match(text) {
			t.Errorf("the example does not list %s", name)
		}
	}
}

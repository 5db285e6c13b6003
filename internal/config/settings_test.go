package config_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
)

func TestSettings(t *testing.T) { // not parallel: sets a variable
	t.Setenv("PS4KIT_LOG_LEVEL", "debug")
	c := mustLoad(t, `web:
  allowed_hosts: [a, b]
  password_hash: $2a$10$`+strings.Repeat("a", 53)+`
poll:
  misses:
consoles:
  - host_id: A0B1C2D3E4F5
    passcode: 1234
    titles:
      - {id: CUSA00129}
`)
	got := map[string]config.Setting{}
	for _, s := range c.Settings() {
		if _, twice := got[s.Key]; twice {
			t.Errorf("%s is listed twice", s.Key)
		}
		s.Source = strings.Replace(s.Source, c.File, "F", 1)
		got[s.Key] = s
	}
	for _, want := range []config.Setting{
		{Key: "web.allowed_hosts", Value: `["a", "b"]`, Source: "F:2", Env: "PS4KIT_WEB_ALLOWED_HOSTS"},
		{Key: "web.password_hash", Value: "[redacted]", Source: "F:3", Env: "PS4KIT_WEB_PASSWORD_HASH"},
		{Key: "web.listen", Value: ":8990", Source: "default", Env: "PS4KIT_WEB_LISTEN"},
		{Key: "poll.misses", Value: "3", Source: "default", Env: "PS4KIT_POLL_MISSES"},
		{Key: "consoles[0].host_id", Value: "A0B1C2D3E4F5", Source: "F:7"},
		{Key: "consoles[0].passcode", Value: "[redacted]", Source: "F:8"},
		{Key: "consoles[0].titles[0].id", Value: "CUSA00129", Source: "F:10"},
		{Key: "log.level", Value: "debug", Source: "PS4KIT_LOG_LEVEL", Env: "PS4KIT_LOG_LEVEL"},
		{Key: "companion.setup_code", Value: "", Source: "default", Env: "PS4KIT_COMPANION_SETUP_CODE"},
		{Key: "console_key", Value: "", Source: "default", Env: "PS4KIT_CONSOLE_KEY"},
	} {
		if got[want.Key] != want {
			t.Errorf("got  %+v\nwant %+v", got[want.Key], want)
		}
	}
}

// TestSecretsDoNotPrint looks for every secret in every way of printing a configuration.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	hash := "$2a$10$" + strings.Repeat("a", 53)
	c := mustLoad(t, `
consoles: [{host_id: A0B1C2D3E4F5, credential: `+credential+`, passcode: 8642, setup_code: 518-08-582}]
companion: {setup_code: 031-45-154}
web: {password_hash: `+hash+`}
`)
	var all strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&all, verb+verb+verb, c, *c, c.Consoles)
		fmt.Fprintf(&all, verb, c.Consoles[0].Credential)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	all.Write(encoded)
	fmt.Fprint(&all, c.Settings())
	for _, secret := range []string{credential, "8642", "518-08-582", "51808582", "031-45-154", hash} {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
			if strings.Contains(all.String(), form) {
				t.Errorf("%q is printed", form)
			}
		}
	}
	if !strings.Contains(string(encoded), `"Passcode":"[redacted]"`) {
		t.Errorf("no trace of the passcode in %s", encoded)
	}
}

// TestErrorsHoldNoSecret gives each secret key values that are wrong.
func TestErrorsHoldNoSecret(t *testing.T) { // not parallel: sets variables
	const secret = "5e32e7"
	for _, value := range []string{
		secret, secret + "/x", strings.Repeat(secret, 12), strings.Repeat(secret, 10) + "xxxx", "[" + secret + "]", "{" + secret + ": 1}",
		"!x " + secret, "!!int " + secret + "y", secret + "\n    " + secret + "x: 2", filepath.Join("/dev/null", secret), "9" + secret + "9",
	} {
		for _, key := range []string{"credential", "passcode", "setup_code"} {
			_, err := load(t, "consoles:\n  - host_id: A0B1C2D3E4F5\n    "+key+": "+value+"\n")
			if err == nil || strings.Contains(err.Error(), secret) && !strings.Contains(err.Error(), secret+`x"`) {
				t.Errorf("%s: %q gives %v", key, value, err)
			}
		}
		for _, key := range []string{"PS4KIT_WEB_PASSWORD_HASH", "PS4KIT_COMPANION_SETUP_CODE"} {
			t.Setenv(key, value)
			_, err := load(t, "")
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %q gives %v", key, value, err)
			}
			t.Setenv(key, "")
		}
	}
}

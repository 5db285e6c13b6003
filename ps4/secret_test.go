package ps4_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// hidden fails the test if a text contains a secret, or a good part of one.
func hidden(t *testing.T, where, text string) {
	t.Helper()
	hex := fmt.Sprintf("%x", testHex[:8])
	for _, secret := range []string{testHex[:8], testPIN, testPass, hex, strings.ToUpper(hex), fmt.Sprintf("%x", testPIN)} {
		if strings.Contains(text, secret) {
			t.Errorf("%s contains a secret: %s", where, text)
		}
	}
}

func secrets(t *testing.T) (ps4.Credential, ps4.PIN, ps4.Passcode) {
	t.Helper()
	cred, err1 := ps4.ParseCredential(testHex)
	pin, err2 := ps4.ParsePIN(testPIN)
	pass, err3 := ps4.ParsePasscode(testPass)
	ok(t, errors.Join(err1, err2, err3))
	return cred, pin, pass
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	cred, pin, pass := secrets(t)
	direct := []any{cred, pin, pass, &cred, &pin, &pass}
	type outer struct {
		Cred ps4.Credential
		PIN  ps4.PIN
		pass ps4.Passcode // fmt cannot call methods of an unexported field
	}
	nested := []any{
		outer{cred, pin, pass}, &outer{cred, pin, pass}, []ps4.PIN{pin}, map[string]any{"a": cred, "b": outer{pass: pass}},
		map[ps4.Credential]int{cred: 1}, &ps4.Options{Passcode: pass}, ps4.NewConsole(testAddr, cred, &ps4.Options{Passcode: pass}),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%t", "%e", "%c", "%U", "%b", "%20s", "%p", "%T", "%z"} {
		for _, v := range append(nested, direct...) {
			hidden(t, fmt.Sprintf("%s of %T", verb, v), fmt.Sprintf(verb, v))
		}
		if verb == "%p" || verb == "%T" {
			continue // formatted by fmt itself
		}
		for _, v := range direct[:3] {
			if got := fmt.Sprintf(verb, v); got != "[redacted]" {
				t.Errorf("%s of %T is %q", verb, v, got)
			}
		}
	}
	if got := fmt.Sprint(ps4.Credential{}) + cred.String(); got != "[redacted][redacted]" {
		t.Errorf("got %q", got)
	}
}

func TestSecretsDoNotEncode(t *testing.T) {
	t.Parallel()
	cred, pin, pass := secrets(t)
	var out bytes.Buffer
	text := slog.New(slog.NewTextHandler(&out, nil))
	lines := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{cred, pin, pass, &cred, struct{ A, B any }{cred, &pin}} {
		text.Info("text", "secret", v)
		lines.Info("json", "secret", v)
		b, err := json.Marshal(v)
		ok(t, err)
		out.Write(b)
		if err := xml.NewEncoder(&out).Encode(v); err != nil {
			t.Logf("xml: %v", err) // a struct without a name
		}
	}
	hidden(t, "an encoder", out.String())
	if n := strings.Count(out.String(), "[redacted]"); n < 15 {
		t.Errorf("%d times redacted in %s", n, out.String())
	}
}

func TestParseErrorsHideTheirInput(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{testHex + "0", testHex[:63], testHex[:63] + "g", testPIN, testPass} {
		_, err := ps4.ParseCredential(bad)
		wantErr(t, err, ps4.ErrCredentialFormat)
		hidden(t, "ParseCredential", fmt.Sprintf("%+v", err))
	}
	for _, bad := range []string{testPIN + "9", testPIN[:7], "1234567a", "", "１２３４５６７８"} {
		_, err := ps4.ParsePIN(bad)
		wantErr(t, err, ps4.ErrPINFormat)
		hidden(t, "ParsePIN", fmt.Sprintf("%+v", err))
	}
	for _, bad := range []string{testPass + "1", "246", "24a8", ""} {
		_, err := ps4.ParsePasscode(bad)
		wantErr(t, err, ps4.ErrPasscodeFormat)
		hidden(t, "ParsePasscode", fmt.Sprintf("%+v", err))
	}
}

// TestNothingLogsASecret checks the errors and log lines of operations that
// handle secrets.
func TestNothingLogsASecret(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		cred, pin, pass := secrets(t)
		var mu sync.Mutex
		var told strings.Builder
		tell := func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(&told, format+"\n", args...)
		}
		o := f.options()
		o.Passcode, o.Logf = pass, tell
		c := ps4.NewConsole(testAddr, cred, o)
		note := func(err error) { tell("%+v %#v %v", err, err, c) }
		note(c.Link(ctx, pin))
		f.result[wire.TypeLoginResult] = 23
		note(c.Link(ctx, pin))
		f.onTCP = func(_ *fake, l *line, _ wire.Packet) bool { l.hangUp(); return true }
		note(c.Link(ctx, pin))
		f.dial = func(int) error { return refuse() }
		note(c.Link(ctx, pin))
		f.reply.Code = ddp.CodeStandby
		_, err := c.WakeWait(ctx)
		note(err)
		// Pointers and clock readings may contain the four digits by chance.
		s := regexp.MustCompile(`0x[0-9a-f]+|[0-9]{12,}`).ReplaceAllString(told.String(), "")
		hidden(t, "an error or a log line", s)
		if !strings.Contains(s, "refused") || time.Since(f.start) < time.Minute {
			t.Errorf("some operations were not reached: %s", s)
		}
	})
}

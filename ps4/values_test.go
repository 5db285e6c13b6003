package ps4_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

func TestCredentialFromAccountID(t *testing.T) {
	t.Parallel()
	const vector = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8" // docs/protocol.md §2
	sum := sha256.Sum256([]byte("1234567891234567891"))
	tests := map[string]string{
		"9019256736915509894":   vector,
		"htLlVTfWKn0=":          vector,
		"htLlVTfWKn0":           vector,
		" 9019256736915509894 ": vector,
		"1234567891234567891":   hex.EncodeToString(sum[:]), // another user of the vectors
	}
	for id, want := range tests {
		got, err := ps4.CredentialFromAccountID(id)
		if err != nil || got.Reveal() != want {
			t.Errorf("%q: %s, %v, want %s", id, got.Reveal(), err, want)
		}
	}
	for _, id := range []string{"", "0", "-1", "1.5", "MyOnlineName", "htLlVTfWKn0A", "AAAAAAAAAAA=", "99999999999999999999", "9,019"} {
		got, err := ps4.CredentialFromAccountID(id)
		if !errors.Is(err, ps4.ErrAccountIDFormat) || !got.IsZero() {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestCheckTypedAccountID checks that numbers which can't be account ids are
// refused, and online ids that look like base64 too.
func TestCheckTypedAccountID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]error{
		"9019256736915509894":  nil,
		" htLlVTfWKn0=\n":      nil,
		"962157895908076":      nil,
		"18446744073709551615": nil,
		"0":                    ps4.ErrAccountIDFormat,
		"18446744073709551616": ps4.ErrAccountIDFormat,
		"+49 170 1234567":      ps4.ErrAccountIDFormat,
		"MyOnlineName":         ps4.ErrAccountIDFormat,
		"CoolGamer99":          ps4.ErrAccountIDFormat, // 11 characters, but the last bits aren't zero
		"1":                    ps4.ErrAccountIDFormat,
		"01701234567":          ps4.ErrAccountIDFormat,
		"447700900123":         ps4.ErrAccountIDFormat,
	} {
		if err := ps4.CheckTypedAccountID(id); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", id, err, want)
		}
	}
}

func TestCredentialCompares(t *testing.T) {
	t.Parallel()
	a, err := ps4.ParseCredential(testHex)
	ok(t, err)
	b, err := ps4.ParseCredential(" " + strings.ToUpper(testHex) + "\n")
	ok(t, err)
	c, err := ps4.ParseCredential(strings.Repeat("0", 64))
	ok(t, err)
	if !a.Equal(b) || a != b || a.Reveal() != testHex || a.IsZero() {
		t.Error("equal credentials differ")
	}
	if a.Equal(c) || c.IsZero() || a.Equal(ps4.Credential{}) || !(ps4.Credential{}).IsZero() || (ps4.Credential{}).Reveal() != "" {
		t.Error("different credentials are equal")
	}
}

func TestParsePIN(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"12345678", "1234 5678", " 12 34 56 78 ", "1234-5678"} {
		pin, err := ps4.ParsePIN(text)
		if err != nil || pin.Reveal() != "12345678" {
			t.Errorf("%q: %v", text, err)
		}
	}
	pass, err := ps4.ParsePasscode(" 0042\n")
	if err != nil || pass.Reveal() != "0042" {
		t.Error(err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"09508011": "9.50", "13520001": "13.52", "04550011": "4.55", "00000000": "0.00",
		"": "", "8050001": "", "0950801x": "", "095080110": "", "+9508011": "",
	} {
		if got := (ps4.Status{SystemVersion: raw}).Version(); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestStateText(t *testing.T) {
	t.Parallel()
	for state, want := range map[ps4.State]string{0: "unreachable", ps4.StateAwake: "awake", ps4.StateStandby: "standby"} {
		b, err := json.Marshal(state)
		var again ps4.State
		if err != nil || string(b) != `"`+want+`"` || state.String() != want || json.Unmarshal(b, &again) != nil || again != state {
			t.Errorf("%d: %s, %v", state, b, err)
		}
	}
	if err := new(ps4.State).UnmarshalText([]byte("asleep")); err == nil {
		t.Error("\"asleep\" is a state")
	}
	if got := ps4.State(9).String(); got != "State(9)" {
		t.Error(got)
	}
}

func TestButtons(t *testing.T) {
	t.Parallel()
	want := "up down left right enter back option ps cancel ps_hold " +
		"triangle square share l1 r1 l2 r2 l3 r3 touchpad"
	var names []string
	for _, b := range ps4.Buttons() {
		names = append(names, b.String())
		again, err := ps4.ParseButton(strings.ToUpper(b.String()) + " ")
		var text ps4.Button
		if err != nil || again != b || text.UnmarshalText([]byte(b.String())) != nil || text != b {
			t.Errorf("%v: %v, %v", b, again, err)
		}
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", "start", "Button(1)", "ps hold"} {
		if b, err := ps4.ParseButton(bad); !errors.Is(err, ps4.ErrButton) {
			t.Errorf("%q is %v", bad, b)
		}
	}
	if got := ps4.Button(0).String() + ps4.Button(99).String(); got != "Button(0)Button(99)" {
		t.Error(got)
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	// Every result of docs/protocol.md §6 has its own code and message.
	seen := map[string]int{}
	for n := 1; n <= 33; n++ {
		if n == 29 {
			continue // undefined
		}
		err := ps4.ResultError(n)
		if strings.HasPrefix(err.Code(), "result_") || err.Hint() == "" || strings.Contains(err.Error(), err.Hint()) {
			t.Errorf("%d: %q, %q", n, err.Code(), err.Error())
		}
		seen[err.Code()]++
		seen[err.Error()]++
	}
	for text, n := range seen {
		if n != 1 {
			t.Errorf("%q stands for %d results", text, n)
		}
	}
	if got := ps4.ResultError(29).Code(); got != "result_29" {
		t.Error(got)
	}
	var as ps4.ResultError
	err := errors.Join(errors.New("x"), ps4.ErrPINNeeded)
	if !errors.Is(err, ps4.ErrPINNeeded) || errors.Is(err, ps4.ErrPINWrong) || !errors.As(err, &as) || as != 20 || as.Code() != "pin_needed" {
		t.Error("errors.Is or errors.As does not find a result")
	}
	for result, words := range map[ps4.ResultError]string{
		ps4.ErrLoginManagerBusy: "pick a user on the PS4", ps4.ErrPINWrong: "Remote Play", ps4.ErrPINNeeded: "Add Device",
		ps4.ErrOtherUserActive: "sign in on the TV", ps4.ErrOtherAppConnected: "close the other app", ps4.ErrNotLinked: "link again",
	} {
		if !strings.Contains(result.Hint(), words) {
			t.Errorf("%d: %q", result, result.Hint())
		}
	}
}

func TestSentinels(t *testing.T) {
	t.Parallel()
	codes := map[string]bool{}
	for _, err := range []error{
		ps4.ErrStandby, ps4.ErrUnreachable, ps4.ErrDoorClosed, ps4.ErrServiceHung, ps4.ErrClosed, ps4.ErrSilent, ps4.ErrProtocol,
		ps4.ErrUnsupported, ps4.ErrNotWoken, ps4.ErrNoCredential, ps4.ErrNotConfirmed, ps4.ErrTitleRunning, ps4.ErrNoSuchTitle,
		ps4.ErrTitleIDFormat, ps4.ErrUnanswered, ps4.ErrKeyboardClosed, ps4.ErrTextTooLong, ps4.ErrButton, ps4.ErrCredentialFormat,
		ps4.ErrSignIn, ps4.ErrPortRights, ps4.ErrPortTaken, ps4.ErrAccountIDFormat, ps4.ErrPINFormat, ps4.ErrPasscodeFormat,
	} {
		var told interface{ Code() string }
		var hint interface{ Hint() string }
		if !errors.As(err, &told) || !errors.As(err, &hint) || told.Code() == "" || hint.Hint() == "" || codes[told.Code()] {
			t.Errorf("%v has no code of its own, or no hint", err)
			continue
		}
		codes[told.Code()] = true
	}
}

func TestConsoleKey(t *testing.T) {
	t.Parallel()
	key := ps4.ConsoleKey()
	if key.E != 65537 || key.N.BitLen() != 2048 {
		t.Errorf("e %d, %d bits", key.E, key.N.BitLen())
	}
	key.E = 3
	if ps4.ConsoleKey().E != 65537 {
		t.Error("the key can be changed from outside")
	}
}

// FuzzParseTexts checks that accepted values have their exact length, and that
// parsing them again changes nothing.
func FuzzParseTexts(f *testing.F) {
	for _, seed := range []string{testHex, testPIN, testPass, "1234 5678", "htLlVTfWKn0=", "ps_hold", "-", "\x00", "１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ps4.ParseCredential(text); err == nil {
			again, err := ps4.ParseCredential(c.Reveal())
			if err != nil || again != c || len(c.Reveal()) != 64 {
				t.Fatalf("credential %q", text)
			}
		}
		if p, err := ps4.ParsePIN(text); err == nil {
			again, err := ps4.ParsePIN(p.Reveal())
			if err != nil || again != p || len(p.Reveal()) != 8 {
				t.Fatalf("PIN %q", text)
			}
		}
		if b, err := ps4.ParseButton(text); err == nil && !strings.EqualFold(b.String(), strings.TrimSpace(text)) {
			t.Fatalf("button %q became %v", text, b)
		}
		if c, err := ps4.CredentialFromAccountID(text); err == nil && c.IsZero() {
			t.Fatalf("account id %q", text)
		}
	})
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ps4.Key{
		"up":      {Button: ps4.Up},
		"PS:2000": {Button: ps4.PS, Hold: 2 * time.Second},
		"ps_hold": {Button: ps4.PSHold},
	} {
		if got, err := ps4.ParseKey(text); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "jump", "up:", "up:0", "up:-1", "up:1s", "up:60001", "up:99999999999", ":5"} {
		if got, err := ps4.ParseKey(text); !errors.Is(err, ps4.ErrButton) {
			t.Errorf("%q: %v, %v, want ErrButton", text, got, err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"192.168.1.20": "192.168.1.20:987", "192.168.1.20:9302": "192.168.1.20:9302", "fe80::1": "[fe80::1]:987", "[fe80::1]:1": "[fe80::1]:1",
		"": "", "den": "", "1.2.3": "", "192.168.1.20:": "", "192.168.1.20:70000": "",
	} {
		got, err := ps4.ParseAddress(text)
		if want == "" && err == nil || want != "" && (err != nil || got.String() != want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

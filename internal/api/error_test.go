package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

// consoleError is like the errors of ps4: it has methods and no fields.
type consoleError uint32

func (consoleError) Error() string    { return "the console wants a PIN" }
func (consoleError) Code() string     { return "pin_needed" }
func (consoleError) Hint() string     { return "link again" }
func (e consoleError) Result() uint32 { return uint32(e) }

// sentinelError is one without a number.
type sentinelError struct{}

func (sentinelError) Error() string { return "the console is in rest mode" }
func (sentinelError) Code() string  { return "standby" }
func (sentinelError) Hint() string  { return "wake it first" }

func TestErrorsTravelWhole(t *testing.T) {
	t.Parallel()
	whole := api.Error{Code: "ambiguous", Result: 20, Message: "two consoles are called Den", Hint: "use the host id"}
	for name, tt := range map[string]struct {
		err  error
		want api.Error
	}{
		"an Error":           {&whole, whole},
		"a wrapped Error":    {fmt.Errorf("Den: %w", &api.Error{Code: "x", Message: "no"}), api.Error{Code: "x", Message: "Den: no"}},
		"a result":           {consoleError(20), api.Error{Code: "pin_needed", Result: 20, Message: "the console wants a PIN", Hint: "Link again."}},
		"a wrapped result":   {fmt.Errorf("Den: %w", consoleError(20)), api.Error{Code: "pin_needed", Result: 20, Message: "Den: the console wants a PIN", Hint: "Link again."}},
		"one with no number": {sentinelError{}, api.Error{Code: "standby", Message: "the console is in rest mode", Hint: "Wake it first."}},
		"any other":          {errors.New("the disk is full"), api.Error{Code: "failed", Message: "the disk is full"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, &backend{err: tt.err})
			for _, method := range everyMethod() {
				_, err := method.do(t.Context(), client)
				var got *api.Error
				if !errors.As(err, &got) || *got != tt.want {
					t.Errorf("%s: got %#v, want %#v", method.want.method, err, tt.want)
				}
			}
		})
	}
}

func TestStatusFollowsTheCode(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{
		"not_found":   http.StatusNotFound,
		"ambiguous":   http.StatusConflict,
		"unreachable": http.StatusUnprocessableEntity,
		"failed":      http.StatusUnprocessableEntity,
		"sign_in":     http.StatusUnprocessableEntity, // to PSN: the session of the page goes on
	} {
		w := post(api.Handler(api.Services{Backend: &backend{err: &api.Error{Code: code, Message: "no"}}}), http.MethodGet, "/api/v1/consoles/Den", "")
		if w.Code != status {
			t.Errorf("%s: %d, want %d", code, w.Code, status)
		}
	}
}

func TestClientRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	b := &backend{}
	err := api.SetText.Do(t.Context(), connect(t, b), api.TextRequest{Host: "Den", Text: new(string(make([]byte, 64<<10)))})
	var got *api.Error
	if !errors.As(err, &got) || got.Code != "too_large" || len(b.recorded()) != 0 {
		t.Errorf("got %v after the calls %v, want too_large", err, b.recorded())
	}
}

func TestSecretsPrintAsNothing(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{
			psn, &psn, []api.User{psn}, struct{ U api.User }{psn}, api.Password{Password: "1234"},
			api.CredentialRequest{User: psn}, link, api.RegistrationRequest{RPKey: "1234"}, api.AccountRequest{Passcode: "1234"},
			api.SignInRequest{Address: "1234"}, api.CaptureRequest{Passcode: "1234"}, api.PsnTitlesRequest{NPSSO: "1234"},
			api.PasswordRequest{Current: "1234"},
		} {
			if got := fmt.Sprintf(verb, value); !containsOnlyRedacted(got) {
				t.Errorf("%s of %T prints %s", verb, value, got)
			}
		}
	}
}

func containsOnlyRedacted(s string) bool {
	return strings.Contains(s, "[redacted]") && !strings.Contains(s, "5a5a") && !strings.Contains(s, "1234")
}

package remoteplay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

func (p *peer) registerWith(ctx context.Context, account uint64, digits string) (remoteplay.Registration, error) {
	number, err := ps4.ParsePIN(digits)
	if err != nil {
		p.t.Fatal(err)
	}
	return remoteplay.Register(ctx, p.found(), account, number, p.options(nil))
}

func TestRegister(t *testing.T) {
	t.Parallel()
	for system, family := range map[string]rp.Family{"13600007": rp.PS5, "08000000": rp.PS4, "07999999": rp.PS4At7, "06720000": rp.PS4At6} {
		t.Run(family.String(), func(t *testing.T) {
			t.Parallel()
			withFamily(t, family, system, func(ctx context.Context, _ *testing.T, p *peer) {
				id, err := ps4.ParseAccountID(account64)
				if err != nil {
					t.Fatal(err)
				}
				r, err := p.registerWith(ctx, id, pin)
				want := remoteplay.Stored{
					HostID: hostID, HostType: p.host, Nickname: "Den", AccountID: accountID, RegistKey: registKey, RPKey: hexKey, KeyType: "2",
				}
				if err != nil || r.Reveal() != want {
					t.Fatalf("got %+v, %v", r, err)
				}
				if again, err := r.Reveal().Registration(); err != nil || again != r {
					t.Errorf("restored %+v, %v", again, err)
				}
				p.happened("0s "+family.Dialect().SearchWord, "200ms POST "+p.paths[0], "200ms FIN")
			})
		})
	}
}

func TestRegisterFails(t *testing.T) {
	t.Parallel()
	garbage := func(c *call) { c.say("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + strings.Repeat("\xff", 20)) }
	for name, tt := range map[string]struct {
		arrange func(*peer)
		account uint64
		pin     string
		want    error
		code    string
	}{
		"wrong PIN":      {nil, accountID, "76543210", remoteplay.ErrRegistration, "pin_wrong"},
		"as package ps4": {nil, accountID, "76543210", ps4.ErrPINWrong, "pin_wrong"},
		"wrong account":  {nil, 66, pin, remoteplay.ErrNoSuchAccount, "no_such_account"},
		"screen closed":  {func(p *peer) { p.answers = false }, accountID, pin, remoteplay.ErrLinkScreen, "link_screen_closed"},
		"in use":         {func(p *peer) { p.register = func(c *call) { c.refuse("80108b10") } }, accountID, pin, remoteplay.ErrInUse, "in_use"},
		"garbage":        {func(p *peer) { p.register = garbage }, accountID, pin, remoteplay.ErrNotPlayStation, "not_playstation"},
		"hangs up":       {func(p *peer) { p.register = func(*call) {} }, accountID, pin, remoteplay.ErrNoReply, "no_reply"},
		"silent":         {func(p *peer) { p.register = (*call).linger }, accountID, pin, ps4.ErrSilent, "silent"},
		"404":            {func(p *peer) { p.paths[0] = "/other" }, accountID, pin, remoteplay.ErrNotPlayStation, "not_playstation"},
		"refused":        {func(p *peer) { p.refusals = 2 }, accountID, pin, remoteplay.ErrRefused, "remote_play_off"},
		"rest mode":      {func(p *peer) { p.code = 620 }, accountID, pin, ps4.ErrStandby, "standby"},
		"no console":     {func(p *peer) { p.code = 0 }, accountID, pin, ps4.ErrUnreachable, "unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFamily(t, rp.PS5, "13600007", func(ctx context.Context, _ *testing.T, p *peer) {
				if tt.arrange != nil {
					tt.arrange(p)
				}
				r, err := p.registerWith(ctx, tt.account, tt.pin)
				fails(t, err, tt.want, tt.code)
				if e, ok := errors.AsType[ps4.Error](err); !ok || strings.Contains(e.Hint(), "PS4") {
					t.Errorf("hint for another console: %v", e)
				}
				if !r.IsZero() || strings.Contains(err.Error(), tt.pin) {
					t.Errorf("got %+v, %v", r, err)
				}
			})
		})
	}
}

func TestRegisterGivesUp(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.answers = false
		if _, err := p.registerWith(ctx, accountID, pin); err == nil || time.Since(p.start) != 10*time.Second {
			t.Errorf("%v: %v", time.Since(p.start), err)
		}
		limited, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer cancel()
		if _, err := p.registerWith(limited, accountID, pin); err == nil || time.Since(p.start) != 11500*time.Millisecond {
			t.Errorf("%v: %v", time.Since(p.start), err)
		}
	})
}

func TestRegistrationHidesItsSecrets(t *testing.T) {
	t.Parallel()
	r, err := remoteplay.Stored{HostID: hostID, HostType: "PS5", RegistKey: registKey, RPKey: hexKey}.Registration()
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{string(asJSON), fmt.Sprint(r.Keys), r.Keys.LogValue().String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, r), fmt.Sprintf(verb, &r), fmt.Sprintf(verb, struct{ r remoteplay.Registration }{r}))
	}
	for i, text := range printed {
		lower := strings.ToLower(text)
		for _, secret := range []string{registKey, wireKey, hexKey[:12], "0x0, 0x11, 0x22", "0 17 34"} {
			if strings.Contains(lower, secret) {
				t.Errorf("%d: %s", i, text)
			}
		}
	}
	if !strings.Contains(string(asJSON), "[redacted]") {
		t.Errorf("JSON %s", asJSON)
	}
}

func TestNicknameIsSafe(t *testing.T) {
	t.Parallel()
	r, err := remoteplay.Stored{HostType: "PS5", Nickname: "a\x1b[2J\u202eb", RegistKey: registKey, RPKey: hexKey}.Registration()
	if err != nil || r.Nickname != "a [2Jb" {
		t.Errorf("got %q, %v", r.Nickname, err)
	}
}

func TestDamagedRegistration(t *testing.T) {
	t.Parallel()
	good := remoteplay.Stored{HostID: hostID, HostType: "PS4", RegistKey: registKey, RPKey: hexKey}
	for name, damage := range map[string]func(*remoteplay.Stored){
		"no RegistKey": func(s *remoteplay.Stored) { s.RegistKey = "" },
		"RegistKey":    func(s *remoteplay.Stored) { s.RegistKey = "d1e2f3ag" },
		"RP-Key":       func(s *remoteplay.Stored) { s.RPKey = hexKey[2:] },
		"host type":    func(s *remoteplay.Stored) { s.HostType = "PS3" },
	} {
		s := good
		damage(&s)
		_, err := s.Registration()
		fails(t, err, remoteplay.ErrRegistrationFormat, "bad_registration")
		if strings.Contains(err.Error(), "d1e2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHintsNameOneMenu: an error that asks to link again names the menu of the
// console's own type.
func TestHintsNameOneMenu(t *testing.T) {
	t.Parallel()
	for hostType, menus := range map[string][2]string{ // with, without
		ps4.TypePS5: {"Link Device", "Add Device"},
		ps4.TypePS4: {"Add Device", "Link Device"},
		"":          {"Link Device", "on the PS4"},
	} {
		errs := map[string]error{}
		console := remoteplay.New(ps4.NewConsole(netip.AddrPort{}, ps4.Credential{}, nil), remoteplay.Registration{HostType: hostType}, nil)
		errs["wake"] = console.Wake(t.Context())
		errs["standby"] = console.Standby(t.Context())
		if err := console.Close(); err != nil {
			t.Fatal(err)
		}
		for call, err := range errs {
			e, ok := errors.AsType[ps4.Error](err)
			if !ok || !errors.Is(err, remoteplay.ErrNotRegistered) || !strings.Contains(e.Hint(), menus[0]) ||
				strings.Contains(e.Hint(), menus[1]) != (hostType == "") {
				t.Errorf("%s of a %q: %v", call, hostType, err)
			}
		}
	}
}

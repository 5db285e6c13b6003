package remoteplay_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

const (
	importAccount   = "htLlVTfWKn0=" // 9019256736915509894
	importRegistKey = "6431653266336134"
	importRPKey     = "00112233445566778899aabbccddeeff"
)

// Files as playactor 0.4.1 and pyremoteplay 0.7.6 write them.
const (
	playactorFile = `{"A0B1C2D3E4F5":{"app-type":"r","auth-type":"R","client-type":"vr","model":"w","user-credential":"3521311652",
		"accountId":"` + importAccount + `","registration":{"AP-Bssid":"a0b1c2d3e4f5","AP-Name":"PS5","PS5-Mac":"a0b1c2d3e4f5",
		"PS5-RegistKey":"` + importRegistKey + `","PS5-Nickname":"Den","RP-KeyType":"2","RP-Key":"` + importRPKey + `"}},
		"B0":{"auth-type":"C","user-credential":"00"}}`
	pyremoteplayFile = `{"user":{"id":"` + importAccount + `","hosts":{"A0B1C2D3E4F5":{"data":{"AP-Name":"PS4","RP-KeyType":"2",
		"RP-Key":"` + importRPKey + `","Mac":"a0b1c2d3e4f5","RegistKey":"` + importRegistKey + `","Nickname":"Den"},"type":"PS4"}}}}`
)

func TestImportRegistrations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, hostType string }{
		"playactor": {playactorFile, ps4.TypePS5}, "pyremoteplay": {"\ufeff" + pyremoteplayFile, ps4.TypePS4},
	} {
		found, err := remoteplay.ImportRegistrations(strings.NewReader(c.file))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", name, found, err)
		}
		want := remoteplay.Stored{
			HostID: "A0B1C2D3E4F5", HostType: c.hostType, Nickname: "Den", AccountID: 9019256736915509894,
			RegistKey: "d1e2f3a4", RPKey: importRPKey, KeyType: "2",
		}
		if got := found[0].Reveal(); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestImportNoRegistration(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"empty": "", "object": "{}", "list": "[]", "credential": `{"user-credential":"00"}`,
		"short key":     strings.Replace(playactorFile, importRPKey, importRPKey[2:], 1),
		"odd RegistKey": strings.Replace(pyremoteplayFile, importRegistKey, importRegistKey[1:], 1),
		"console type":  strings.Replace(pyremoteplayFile, `"PS4"}}`, `"PS3"}}`, 1),
		"wrong type":    strings.Replace(playactorFile, `"`+importRPKey+`"`, "12", 1),
		"too long":      playactorFile + strings.Repeat(" ", 1<<20),
	} {
		found, err := remoteplay.ImportRegistrations(strings.NewReader(file))
		if !errors.Is(err, ps4.ErrImport) {
			t.Errorf("%s: %v, %v, want ErrImport", name, found, err)
		} else if s := err.Error(); strings.Contains(s, importRPKey[2:]) || strings.Contains(s, importRegistKey) {
			t.Errorf("%s: the error quotes a key", name)
		}
	}
}

// FuzzImportRegistrations: a registration that was read survives being written
// in the form of pyremoteplay.
func FuzzImportRegistrations(f *testing.F) {
	f.Add(playactorFile)
	f.Add(pyremoteplayFile)
	f.Fuzz(func(t *testing.T, file string) {
		found, err := remoteplay.ImportRegistrations(strings.NewReader(file))
		if err != nil {
			return
		}
		for _, r := range found {
			s := r.Reveal()
			again, err := json.Marshal(map[string]any{"user": map[string]any{"id": fmt.Sprint(s.AccountID), "hosts": map[string]any{
				s.HostID: map[string]any{"type": s.HostType, "data": map[string]string{
					"RegistKey": hex.EncodeToString([]byte(s.RegistKey)), "RP-Key": s.RPKey, "RP-KeyType": s.KeyType, "Nickname": s.Nickname,
				}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			back, err := remoteplay.ImportRegistrations(strings.NewReader(string(again)))
			if err != nil || len(back) != 1 || back[0] != r {
				t.Fatalf("%+v came back as %v, %v", r, back, err)
			}
		}
	})
}

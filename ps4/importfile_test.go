package ps4_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/ps4kit/ps4kit/ps4"
)

// The account of docs/protocol.md §2.
const (
	accountBase64 = "htLlVTfWKn0="
	accountHex    = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"
)

// importCases are files of the supported programs, and broken ones.
var importCases = map[string]struct {
	file string
	want []string // name|program|credential
}{
	"ps4-waker": {
		`{"client-type":"i","auth-type":"C","user-credential":"` + testHex + `"}`,
		[]string{"|ps4-waker|" + testHex},
	},
	"playactor": {
		`{"A0B1C2D3E4F5":{"app-type":"c","auth-type":"C","client-type":"a","model":"w","user-credential":"` + testHex + `"}}`,
		[]string{"A0B1C2D3E4F5|playactor|" + testHex},
	},
	"playactor with Remote Play": {
		`{"B0":{"app-type":"r","auth-type":"R","client-type":"vr","user-credential":"1234567","accountId":"` + accountBase64 + `",
		  "registration":{"RP-Key":"00"}},
		  "A0":{"auth-type":"C","user-credential":"` + strings.ToUpper(testHex) + `"}}`,
		[]string{"A0|playactor|" + testHex, "B0|playactor|" + accountHex},
	},
	"playactor with one unusable entry": {
		`{"A0":{"auth-type":"R","user-credential":"` + testHex + `"},"B0":{"auth-type":"R","accountId":"` + accountBase64 + `"}}`,
		[]string{"B0|playactor|" + accountHex},
	},
	"pyps4-2ndscreen": {
		"{\n    \"credentials\": \"" + testHex + "\"\n}",
		[]string{"|pyps4-2ndscreen|" + testHex},
	},
	"pyremoteplay": {
		`{"credentials":{"id":"` + accountBase64 + `","hosts":{"A0B1C2D3E4F5":{"data":{"RP-Key":"00"},"type":"PS4"}}},"Bo":{"id":"AQAAAAAAAAA="}}`,
		[]string{
			"Bo|pyremoteplay|6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
			"credentials|pyremoteplay|" + accountHex,
		},
	},
	"Home Assistant": {
		`{"version":1,"minor_version":4,"key":"core.config_entries","data":{"entries":[
		  {"entry_id":"1","domain":"hue","data":{"token":"` + accountHex + `"},"title":"Hue"},
		  {"entry_id":"2","domain":"ps4","data":{"token":"` + testHex + `","devices":[{"host":"192.0.2.5","name":"Den","region":"Germany"}]},"title":"PlayStation 4"},
		  {"entry_id":"3","domain":"ps4","data":{"token":"` + accountHex + `","devices":[]}},
		  {"entry_id":"4","domain":"ps4","data":{"token":"short","devices":[{"name":"Attic"}]}},
		  {"entry_id":"5","domain":"ps4","data":["` + testHex + `"]}]}}`,
		[]string{"|Home Assistant|" + accountHex, "Den|Home Assistant|" + testHex},
	},
	"Home Assistant without a PS4": {`{"key":"core.config_entries","data":{"entries":[{"domain":"hue","data":{"token":"` + testHex + `"}}]}}`, nil},
	"hex digits":                   {" " + testHex + "\r\n", []string{"||" + testHex}},
	"with a mark":                  {"\ufeff" + `{"credentials":"` + testHex + `"}`, []string{"|pyps4-2ndscreen|" + testHex}},
	"empty":                        {"", nil},
	"empty object":                 {"{}", nil},
	"a list":                       {`[{"credentials":"` + testHex + `"}]`, nil},
	"null":                         {"null", nil},
	"cut":                          {`{"credentials":"` + testHex, nil},
	"short":                        {`{"credentials":"` + testHex[:63] + `"}`, nil},
	"wrong type":                   {`{"credentials":12,"user-credential":["` + testHex + `"]}`, nil},
	"Remote Play":                  {`{"auth-type":"R","user-credential":"1234567"}`, nil},
	"id of 7 bytes":                {`{"Bo":{"id":"AQAAAAAAAA=="}}`, nil},
	"no object":                    {`{"Bo":"` + accountBase64 + `"}`, nil},
	"binary":                       {"\x00\xff\xfe", nil},
	"too long":                     {strings.Repeat(" ", 4<<20) + testHex, nil},
}

func TestImportCredentials(t *testing.T) {
	t.Parallel()
	for name, test := range importCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			users, err := ps4.ImportCredentials(strings.NewReader(test.file))
			if test.want == nil {
				wantErr(t, err, ps4.ErrImport)
				hidden(t, "the error", err.Error())
				return
			}
			ok(t, err)
			var got []string
			for _, u := range users {
				got = append(got, u.Name+"|"+u.Program+"|"+u.Credential.Reveal())
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%d users, or other ones than the %d wanted", len(got), len(test.want)) // without their secrets
			}
		})
	}
}

func TestImportStopsReading(t *testing.T) {
	t.Parallel()
	endless := &endlessReader{}
	_, err := ps4.ImportCredentials(endless)
	wantErr(t, err, ps4.ErrImport)
	if endless.read > 5<<20 {
		t.Errorf("%d bytes were read", endless.read)
	}
	_, err = ps4.ImportCredentials(iotest.ErrReader(io.ErrUnexpectedEOF))
	wantErr(t, err, io.ErrUnexpectedEOF)
}

type endlessReader struct{ read int }

func (e *endlessReader) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

// FuzzImportCredentials checks that every file yields a usable user, or an error
// that does not quote the file.
func FuzzImportCredentials(f *testing.F) {
	for _, c := range importCases {
		if len(c.file) < 4096 {
			f.Add(c.file)
		}
	}
	f.Fuzz(func(t *testing.T, file string) {
		users, err := ps4.ImportCredentials(strings.NewReader(file))
		if (err == nil) != (len(users) > 0) {
			t.Fatalf("%d users and the error %v", len(users), err)
		}
		if err != nil && (!errors.Is(err, ps4.ErrImport) || len(file) > 20 && strings.Contains(err.Error(), file)) {
			t.Errorf("error %v", err)
		}
		for _, u := range users {
			if again, err := ps4.ParseCredential(u.Credential.Reveal()); err != nil || again != u.Credential {
				t.Errorf("user %q has no credential", u.Name)
			}
		}
	})
}

// FuzzImportAnyAccount checks that the file of each program yields the same
// credential as the account id.
func FuzzImportAnyAccount(f *testing.F) {
	f.Add(uint64(9019256736915509894), "Den")
	f.Add(uint64(1), "credentials")
	f.Add(^uint64(0), "user-credential")
	f.Fuzz(func(t *testing.T, id uint64, name string) {
		if id == 0 || !utf8.ValidString(name) {
			t.Skip("no account, or no JSON")
		}
		want, err := ps4.CredentialFromAccountID(strconv.FormatUint(id, 10))
		ok(t, err)
		text := base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(nil, id))
		for _, file := range []any{
			map[string]any{name: map[string]string{"id": text}},
			map[string]any{name: map[string]string{"auth-type": "R", "user-credential": "12", "accountId": text}},
			map[string]any{name: map[string]string{"auth-type": "C", "user-credential": want.Reveal()}},
			map[string]string{"auth-type": "C", "user-credential": want.Reveal()},
			map[string]string{"credentials": want.Reveal()},
		} {
			data, err := json.Marshal(file)
			ok(t, err)
			users, err := ps4.ImportCredentials(strings.NewReader(string(data)))
			ok(t, err)
			if len(users) != 1 || users[0].Credential != want || (users[0].Name != name && users[0].Name != "") {
				t.Errorf("a %T yields another account", file)
			}
		}
	})
}

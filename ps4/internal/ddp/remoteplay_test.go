package ddp_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// The vectors are answers of other implementations; the file says which.
func TestRemotePlayVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../rp/testdata/rp-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Wake []struct {
			Credential string `json:"user_credential_text"`
			Version    string `json:"version_text"`
			Datagram   string
		}
		Search []struct {
			Version  string `json:"version_text"`
			Datagram string
		}
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors.Wake {
		datagram := ddp.RemotePlayWakeup(v.Credential, v.Version)
		if got := hex.EncodeToString(datagram); got != v.Datagram {
			t.Errorf("WAKEUP of %s: %s, want %s", v.Credential, got, v.Datagram)
		}
		r, err := ddp.ParseRequest(datagram)
		if want := (ddp.Request{Method: ddp.Wakeup, Credential: v.Credential, ClientType: "vr", AuthType: "R", Version: v.Version}); err != nil || r != want {
			t.Errorf("parsed %+v, %v", r, err)
		}
	}
	for _, v := range vectors.Search {
		if got := hex.EncodeToString(ddp.NewSearch(v.Version).Marshal()); got != v.Datagram {
			t.Errorf("SRCH of %s: %s, want %s", v.Version, got, v.Datagram)
		}
	}
	if len(vectors.Wake) == 0 || len(vectors.Search) == 0 {
		t.Error("no vectors")
	}
}

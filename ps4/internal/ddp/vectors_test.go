package ddp_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// record is a line of testdata/ddp_replies.jsonl: a datagram of a real console
// or of another program.
type record struct {
	ID, Kind, Raw string
	Expect        map[string]string
	NameFull      string `json:"expect_name_full"`
}

func records(t testing.TB) []record {
	t.Helper()
	f, err := os.Open("testdata/ddp_replies.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []record
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// ps4 returns the reply of an ordinary PS4 with changes.
func ps4(hostID, systemVersion string, change ...func(*ddp.Reply)) ddp.Reply {
	r := ddp.Reply{
		Code: 200, HostID: hostID, HostType: "PS4", HostName: "PS4", RequestPort: 997,
		Version: "00020020", SystemVersion: systemVersion,
	}
	for _, do := range change {
		do(&r)
	}
	return r
}

func ps5(hostID, systemVersion string, change ...func(*ddp.Reply)) ddp.Reply {
	r := ps4(hostID, systemVersion)
	r.HostType, r.HostName, r.Version = "PS5", "PS5", "00030010"
	for _, do := range change {
		do(&r)
	}
	return r
}

func rest(r *ddp.Reply) { r.Code = 620 }

func named(name string) func(*ddp.Reply) { return func(r *ddp.Reply) { r.HostName = name } }

func runs(id, name string) func(*ddp.Reply) {
	return func(r *ddp.Reply) { r.TitleID, r.AppName = id, name }
}

// wantReplies are the expected replies by record, written by hand.
var wantReplies = map[string]ddp.Reply{
	"ddp-001": ps4("A0B1C2D3E401", "06200011", runs("CUSA11100", "Call of Duty®")),
	"ddp-003": ps4("A0B1C2D3E403", "08030001", named("PS4-Pro"), runs("CUSA07669", "Fortnite")),
	"ddp-005": ps4("A0B1C2D3E405", "09510001", named("PS4-889")),
	"ddp-007": ps4("A0B1C2D3E407", "05030061"),
	"ddp-009": ps4("A0B1C2D3E409", "04550011", rest, named("My PS4")),
	"ddp-011": ps4("A0B1C2D3E40B", "07020001", named("MyPS4"), runs("CUSA01116", "Youtube")),
	"ddp-013": ps5("B0C1D2E3F40D", "08050001"),
	"ddp-015": ps5("B0C1D2E3F40F", "09600004", named("PS5-657")),
	"ddp-017": ps5("B0C1D2E3F411", "13600007", named("PS5-XXX")),
	"ddp-019": ps5("B0C1D2E3F413", ""),
	"ddp-021": ps4("A0B1C2D3E415", "04550011", rest),
	"ddp-023": ps4("1234567890AB", "", rest, named("pyps4-2ndscreen")),
	"ddp-025": ps4("1234567890AB", "13520001", rest, named("PlayActor")),
	"ddp-027": ps4("1234567890AB", "", rest, named("PS4 Remote PKG Installer"), func(r *ddp.Reply) { r.RequestPort = 987 }),
	"ddp-029": ps4("0123456789AB", "07020001", named("MyPS4"), runs("CUSA01116", "Youtube")),
	"ddp-031": {Code: 620, HostID: "5C0000000072", HostType: "PS5", RequestPort: 997, AppName: "Black Myth: Wukong", TitleID: "PPSA23226"},
	"ddp-033": ps5("0011223344556677", "8050001", named("PS5-385"), runs("CUSA00000", "Some Game"), func(r *ddp.Reply) { r.RequestPort = 9295 }),
	"ddp-035": {Code: 620, HostID: "ABCDEF", HostType: "PS5", HostName: "Living Room", RequestPort: 997, SystemVersion: "09000000"},
	"ddp-037": ps5("0011223344AA", "07000001", named("PS5-VIP-01")),
	"ddp-039": {
		Code: 200, HostID: "0123456789AB", HostType: "SteamDeck", HostName: "FakeSteamDeck", RequestPort: 997,
		Version: "00030030", SystemVersion: "01010001", AppName: "Steam", TitleID: "STEAM001",
	},
	"ddp-043": ps4("A0B1C2D3E42B", "09000001", runs("CUSA11995", "Marvel's Spider-Man")),
	"ddp-045": ps4("A0B1C2D3E42D", "09000001", runs("CUSA01623", "God of War® III Remastered")),
	"ddp-047": ps4("A0B1C2D3E42F", "09000001", runs("CUSA03220", "Gran TurismoSPORT")),
	"ddp-049": ps4("A0B1C2D3E431", "09000001", runs("CUSA08804", "Middle-earth™: Shadow of War™")),
	"ddp-051": ps4("A0B1C2D3E433", "09000001", runs("CUSA11095", "Paw Patrol: En Mission !")),
	"ddp-053": ps4("A0B1C2D3E435", "09000001", runs("CUSA03952", "No Man's Sky")),
	"ddp-055": ps4("A0B1C2D3E437", "09000001", runs("CUSA00031", "Rayman® Legends")),
	"ddp-057": ps4("A0B1C2D3E439", "09000001", runs("CUSA01780", "Spotify")),
	"ddp-059": ps4("A0B1C2D3E43B", "09000001", runs("CUSA04529", "Uncharted 4: A Thief’s End")),
	"ddp-061": ps4("A0B1C2D3E43D", "09000001", runs("CUSA00552", "The Last of Us™ Remastered")),
	"ddp-063": ps4("A0B1C2D3E43F", "09000001", runs("CUSA00512", "Beyond: Two Souls™")),
	"ddp-065": ps4("A0B1C2D3E441", "09000001", runs("CUSA00219", "Destiny")),
}

const credential = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var wantRequests = map[string]ddp.Request{
	"ddp-067": {Method: "SRCH", Version: "00020020"},
	"ddp-069": {Method: "WAKEUP", Credential: credential, ClientType: "i", AuthType: "C", Version: "00020020"},
	"ddp-071": {Method: "WAKEUP", Credential: "-123456789", ClientType: "vr", AuthType: "R", Version: "00030010"},
}

// wantDropped are the errors of incomplete replies.
var wantDropped = map[string]error{"ddp-041": ddp.ErrMalformed} // no host-id

func TestRecords(t *testing.T) {
	t.Parallel()
	all := records(t)
	if known := len(wantReplies) + len(wantRequests) + len(wantDropped); len(all) != known || known == 0 {
		t.Errorf("%d records, %d expectations", len(all), known)
	}
	for _, r := range all {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			checkRecord(t, r)
		})
	}
}

func checkRecord(t *testing.T, r record) {
	t.Helper()
	if want, ok := wantRequests[r.ID]; ok {
		got, err := ddp.ParseRequest([]byte(r.Raw))
		if err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		return
	}
	got, err := ddp.ParseReply([]byte(r.Raw))
	if want, ok := wantDropped[r.ID]; ok {
		if !errors.Is(err, want) {
			t.Errorf("got %+v, %v, want %v", got, err, want)
		}
		return
	}
	want, ok := wantReplies[r.ID]
	if !ok {
		t.Fatal("no expectation for this record")
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if name, ok := r.Expect["running-app-name"]; ok && (got.AppName != name || got.TitleID != r.Expect["running-app-titleid"]) {
		t.Errorf("the record itself expects %v", r.Expect)
	}
}

// Other programs cut this title at its colon.
func TestFullName(t *testing.T) {
	t.Parallel()
	for _, r := range records(t) {
		if r.NameFull == "" {
			continue
		}
		raw := strings.Replace(r.Raw, "running-app-name:Call of Duty®", "running-app-name:"+r.NameFull, 1)
		got, err := ddp.ParseReply([]byte(raw))
		if err != nil || got.AppName != r.NameFull {
			t.Errorf("%s: got %q, %v, want %q", r.ID, got.AppName, err, r.NameFull)
		}
		return
	}
	t.Error("no record has a full name")
}

package app

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// simulatedHostID numbers the simulated consoles: a locally administered MAC
// address whose middle spells PS4, so that HomeKit knows each one again after a
// restart and none is ever mistaken for a real console.
func simulatedHostID(n int) string { return fmt.Sprintf("02505334%04X", n) }

// simulatedPS5 is the host id of the simulated PS5. It spells PS5.
const simulatedPS5 = "025053350001"

// simulatedType returns the type of a simulated console.
func simulatedType(hostID string) string {
	if hostID == simulatedPS5 {
		return ps4.TypePS5
	}
	return ps4.TypePS4
}

// simulatedName names the simulated console with the host id; empty: it is not one.
func simulatedName(hostID string) string {
	if hostID == simulatedPS5 {
		return "Simulated PS5"
	}
	for n := 1; n <= maxConsoles; n++ {
		if simulatedHostID(n) != hostID {
			continue
		}
		if n == 1 {
			return "Simulated PS4"
		}
		return fmt.Sprintf("Simulated PS4 %d", n)
	}
	return ""
}

// simulatedTitles are installed on every simulated console.
func simulatedTitles() []ps4test.Title {
	return []ps4test.Title{
		{ID: "CUSA00129", Name: "Netflix"},
		{ID: "CUSA01116", Name: "YouTube"},
		{ID: "CUSA01780", Name: "Spotify"},
		{ID: "CUSA04529", Name: "Uncharted 4: A Thief’s End"},
	}
}

// simulatedPIN is what the simulated consoles show, so that linking can be tried; the
// page tells it.
const simulatedPIN = "12345678"

// startSimulated starts the simulated console with a host id on free ports of
// loopback. Every device is linked with a PS4, and every installation with a PS5.
func startSimulated(hostID string, key *rsa.PrivateKey, logf func(string, ...any)) (*ps4test.Console, error) {
	cfg := ps4test.Config{
		Name:     simulatedName(hostID),
		HostID:   hostID,
		HostType: simulatedType(hostID),
		Standby:  true,
		Linked:   true,
		PIN:      simulatedPIN,
		Titles:   simulatedTitles(),
		Key:      key,
		Timing:   ps4test.DemoTiming(),
		Logf:     logf,
	}
	if hostID == simulatedPS5 {
		cfg.RemotePlay = &ps4test.RemotePlay{Registered: []remoteplay.Registration{simulatedRegistration(hostID)}}
	}
	console, err := ps4test.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Name, err)
	}
	return console, nil
}

// simulatedCredential is what ps4kit shows to simulated consoles, which take any.
func simulatedCredential() ps4.Credential {
	sum := sha256.Sum256([]byte("simulated"))
	c, _ := ps4.ParseCredential(hex.EncodeToString(sum[:]))
	return c
}

// simulatedRegistration is the registration of a simulated PS5, which every
// installation has.
func simulatedRegistration(hostID string) remoteplay.Registration {
	r, _ := remoteplay.Stored{
		HostID: hostID, HostType: ps4.TypePS5, RegistKey: "5334d0e5", RPKey: "02505334025053340250533402505334",
	}.Registration()
	return r
}

// startSimulators starts n simulated consoles; the last of several is a PS5. On
// an error it returns those that must be closed.
func startSimulators(e env, n int) (list []*ps4test.Console, err error) {
	if n == 0 {
		return nil, nil
	}
	key, err := e.files.store.SimulatorKey()
	if err != nil {
		return nil, fmt.Errorf("simulated consoles: %w", err)
	}
	for i := 1; i <= n; i++ {
		hostID := simulatedHostID(i)
		if i == n && n > 1 {
			hostID = simulatedPS5
		}
		console, err := startSimulated(hostID, key, e.debugf("simulator"))
		if err != nil {
			return list, err
		}
		list = append(list, console)
	}
	return list, nil
}

// drawnCover returns a cover for a title of the simulated consoles: a tile with
// initials, so that trying ps4kit needs no network.
func drawnCover(titleID string) (api.Picture, bool) {
	colors := [][2]string{{"#b3202c", "#5d0d18"}, {"#d8442f", "#7d1410"}, {"#1f8f4e", "#0a4526"}, {"#3b6ea8", "#14304f"}}
	for i, title := range simulatedTitles() {
		if title.ID != titleID {
			continue
		}
		words := strings.Fields(title.Name)
		initials := words[0][:1]
		if len(words) > 1 {
			initials += words[1][:1]
		}
		color := colors[i%len(colors)]
		tile := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256" width="256" height="256">`+
			`<rect width="256" height="256" fill="%s"/><path d="M0 256 256 96V256z" fill="%s"/>`+
			`<text x="128" y="164" font-family="system-ui,sans-serif" font-size="104" font-weight="700" fill="#fff" text-anchor="middle">%s</text></svg>`,
			color[0], color[1], initials)
		sum := sha256.Sum256([]byte(tile))
		return api.Picture{Data: []byte(tile), Type: "image/svg+xml", ETag: `"` + hex.EncodeToString(sum[:8]) + `"`}, true
	}
	return api.Picture{}, false
}

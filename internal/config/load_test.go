package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4"
)

// credential is the vector of docs/protocol.md §2.
const credential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "# nothing\n")
	checks := map[string][2]any{
		"consoles":            {len(c.Consoles), 0},
		"discovery.interval":  {c.Discovery.Interval, 30 * time.Second},
		"discovery.enabled":   {c.Discovery.Enabled, true},
		"discovery.broadcast": {c.Discovery.Broadcast, []netip.AddrPort{netip.MustParseAddrPort("255.255.255.255:987")}},
		"discovery.port":      {c.Discovery.LocalPort, uint16(1987)},
		"poll":                {c.Poll, config.Poll{Interval: time.Second, Misses: 3}},
		"session":             {c.Session, config.Session{Idle: time.Minute, KeysIdle: 45 * time.Second}},
		"homekit":             {c.HomeKit, config.HomeKit{Slots: 40}},
		"companion":           {c.Companion, config.Companion{}},
		"web":                 {c.Web, config.Web{Listen: ":8990"}},
		"metrics":             {c.Metrics.Enabled, true},
		"log":                 {c.Log, config.Log{Level: "info", Format: "text"}},
		"psn": {c.PSN, config.PSN{
			AuthURL:    "https://auth.api.sonyentertainmentnetwork.com",
			AccountURL: "https://ca.account.sony.com", TitlesURL: "https://m.np.playstation.com",
		}},
		"console key": {c.ConsoleKey == nil, true},
		"art": {c.Art, config.Art{
			Enabled: true, MaxMB: 256, Country: "us",
			TMDBURL:     "https://tmdb.np.dl.playstation.net",
			UpdatesURL:  "https://gs-sec.ww.np.dl.playstation.net",
			PackagesURL: "http://gs2.ww.prod.dl.playstation.net",
			ListsURL:    "https://ps4-eb.ww.np.dl.playstation.net",
			StoreURL:    "https://commerce1.api.np.km.playstation.net",
			ChihiroURL:  "https://store.playstation.com",
			ImagesURL:   "https://image.api.playstation.com",
		}},
	}
	for name, check := range checks {
		if !reflect.DeepEqual(check[0], check[1]) {
			t.Errorf("%s: got %v, want %v", name, check[0], check[1])
		}
	}
}

// TestConsole reads the console of the design, with every key set.
func TestConsole(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `
consoles:
  - host_id: a0b1c2d3e4f5
    address: 192.168.1.20
    name: " Den "
    credential: `+strings.ToUpper(credential)+`
    passcode: 0123
    setup_code: 51808582
    category: stick
    switch_user: true
    protocol: remote_play
    remote_play_keys: true
    remote: {play_pause: option, information: none, double: {select: option}}
    titles: [{id: cusa00129, name: 1886, pin: true, remote: {back: ps}}]
  - address: 192.168.1.21:1987
`)
	den := c.Consoles[0]
	if got := den.Credential.Reveal() + den.Passcode.Reveal() + den.SetupCode.Reveal(); got != credential+"0123"+"518-08-582" {
		t.Errorf("secrets: %s", got)
	}
	if den.RemotePlayKeys == nil || !*den.RemotePlayKeys {
		t.Errorf("remote_play_keys: %v", den.RemotePlayKeys)
	}
	den.Credential, den.Passcode, den.SetupCode, den.RemotePlayKeys = ps4.Credential{}, ps4.Passcode{}, config.Secret{}, nil
	want := config.Console{
		HostID: "A0B1C2D3E4F5", Address: netip.MustParseAddrPort("192.168.1.20:987"), Name: "Den",
		Category: config.CategoryStick, SwitchUser: true, Protocol: config.ProtocolRemotePlay,
		Remote: config.Remote{
			Keys:   map[string]ps4.Button{"play_pause": ps4.Option, "information": 0},
			Double: map[string]ps4.Button{"select": ps4.Option},
		},
		Titles: []config.Title{{ID: "CUSA00129", Name: "1886", Pin: true, Remote: config.Remote{Keys: map[string]ps4.Button{"back": ps4.PS}}}},
	}
	if !reflect.DeepEqual(den, want) {
		t.Errorf("got  %+v\nwant %+v", den, want)
	}
	second := config.Console{Address: netip.MustParseAddrPort("192.168.1.21:1987"), Category: config.CategoryTelevision, Protocol: config.ProtocolAuto}
	if !reflect.DeepEqual(c.Consoles[1], second) {
		t.Errorf("second console: %+v", c.Consoles[1])
	}
}

func TestNamesLoseInvisibleCharacters(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `consoles: [{address: 192.168.1.20, name: "\u202eneD\u2066", titles: [{id: CUSA00129, name: "Net\u200bflix"}]}]`)
	if den := c.Consoles[0]; den.Name != "neD" || den.Titles[0].Name != "Netflix" {
		t.Errorf("%q, %q", den.Name, den.Titles[0].Name)
	}
}

func TestAcceptedValues(t *testing.T) {
	t.Parallel()
	hash := "$2a$10$" + strings.Repeat("a", 53)
	c := mustLoad(t, `
discovery: {broadcast: [], interfaces: [eth0, wlan0], local_port: 0, interval: 200ms}
homekit: {bind: "fe80::1%eth0", port: 21063, slots: 3}
companion: {enabled: true, setup_code: 031-45-154, titles: [cusa00129]}
art: {tmdb_url: "http://127.0.0.1:8080/", country: GB, enabled: false}
web: {listen: "[::1]:0", password_hash: `+hash+`, allowed_hosts: [Pi.Example.org, 10.0.0.1], trusted_proxies: [10.0.0.2, "172.17.5.1/16", "fd00::/8", "::ffff:10.0.0.3"]}
log: {level: warning, format: json}
consoles:
poll:
  misses:
`)
	checks := map[string][2]any{
		"broadcast":       {len(c.Discovery.Broadcast), 0},
		"interfaces":      {c.Discovery.Interfaces, []string{"eth0", "wlan0"}},
		"local_port":      {c.Discovery.LocalPort, uint16(0)},
		"homekit":         {c.HomeKit, config.HomeKit{Bind: netip.MustParseAddr("fe80::1%eth0"), Port: 21063, Slots: 3}},
		"companion":       {c.Companion.SetupCode.Reveal(), "031-45-154"},
		"titles":          {c.Companion.Titles, []string{"CUSA00129"}},
		"tmdb_url":        {c.Art.TMDBURL, "http://127.0.0.1:8080"},
		"country":         {c.Art.Country, "gb"},
		"listen":          {c.Web.Listen, "[::1]:0"},
		"password_hash":   {c.Web.PasswordHash.Reveal(), hash},
		"allowed_hosts":   {c.Web.AllowedHosts, []string{"pi.example.org", "10.0.0.1"}},
		"trusted_proxies": {fmt.Sprint(c.Web.TrustedProxies), "[10.0.0.2/32 172.17.0.0/16 fd00::/8 10.0.0.3/32]"},
		"level":           {c.Log.Level, "warn"},
		"empty value":     {c.Poll.Misses, 3},
	}
	for name, check := range checks {
		if !reflect.DeepEqual(check[0], check[1]) {
			t.Errorf("%s: got %v, want %v", name, check[0], check[1])
		}
	}
}

// TestPaths has paths relative to the file, to the home directory and, in a
// variable, to the working directory.
func TestPaths(t *testing.T) { // not parallel: sets variables
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	write(t, filepath.Join(dir, "den.credential"), credential+"\n")
	write(t, filepath.Join(dir, "conf", "config.yaml"), `
consoles:
  - {host_id: A0B1C2D3E4F5, credential: ../den.credential}
  - {host_id: A0B1C2D3E4F6, credential: ~/den.credential}
art: {dir: art}
`)
	c, err := config.Load(filepath.Join(dir, "conf", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i, console := range c.Consoles {
		if console.Credential.Reveal() != credential {
			t.Errorf("console %d has another credential", i)
		}
	}
	if want := filepath.Join(dir, "conf", "art"); c.Art.Dir != want {
		t.Errorf("art.dir %s, want %s", c.Art.Dir, want)
	}
	t.Setenv("PS4KIT_ART_DIR", "covers")
	if c := mustLoad(t, ""); c.Art.Dir != "covers" {
		t.Errorf("art.dir from the environment: %s", c.Art.Dir)
	}
}

func TestConsoleKey(t *testing.T) { // not parallel: sets variables
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	path := filepath.Join(t.TempDir(), "key.pem")
	write(t, path, text)
	if c := mustLoad(t, "console_key: "+path); !key.PublicKey.Equal(c.ConsoleKey) {
		t.Error("another key from the file")
	}
	t.Setenv("PS4KIT_CONSOLE_KEY", text)
	if c := mustLoad(t, ""); !key.PublicKey.Equal(c.ConsoleKey) {
		t.Error("another key from the text")
	}
}

// TestTLS has a certificate with its own key, and with another one.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeKeyPair(t, dir, "a")
	writeKeyPair(t, dir, "b")
	pair := func(cert, key string) string {
		return "web: {tls_cert: " + filepath.Join(dir, cert+".crt") + ", tls_key: " + filepath.Join(dir, key+".key") + "}"
	}
	if c := mustLoad(t, pair("a", "a")); c.Web.TLSCert != filepath.Join(dir, "a.crt") || c.Web.TLSKey != filepath.Join(dir, "a.key") {
		t.Errorf("%+v", c.Web)
	}
	_, err := load(t, pair("a", "b"))
	if err == nil || !strings.HasSuffix(err.Error(), "web.tls_cert: can't be used with web.tls_key: tls: private key does not match public key") {
		t.Errorf("two pairs: %v", err)
	}
}

func writeKeyPair(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, name+".crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, filepath.Join(dir, name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

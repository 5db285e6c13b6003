package config

// raw is the configuration as it is written. Every value is text, so that the
// file and the environment are validated alike, and passcode: 0123 stays these
// four digits.
type raw struct {
	Consoles  []rawConsole `yaml:"consoles"`
	Discovery struct {
		Enabled    string   `yaml:"enabled"`
		Interval   string   `yaml:"interval"`
		Interfaces []string `yaml:"interfaces"`
		Broadcast  []string `yaml:"broadcast"`
		LocalPort  string   `yaml:"local_port"`
	} `yaml:"discovery"`
	Poll struct {
		Interval string `yaml:"interval"`
		Misses   string `yaml:"misses"`
	} `yaml:"poll"`
	Session struct {
		Idle     string `yaml:"idle"`
		KeysIdle string `yaml:"keys_idle"`
	} `yaml:"session"`
	HomeKit struct {
		Interfaces []string `yaml:"interfaces"`
		Bind       string   `yaml:"bind"`
		Port       string   `yaml:"port"`
		Slots      string   `yaml:"slots"`
	} `yaml:"homekit"`
	Companion struct {
		Enabled   string   `yaml:"enabled"`
		SetupCode string   `yaml:"setup_code"`
		Titles    []string `yaml:"titles"`
	} `yaml:"companion"`
	Art struct {
		Enabled     string `yaml:"enabled"`
		Dir         string `yaml:"dir"`
		MaxMB       string `yaml:"max_mb"`
		Country     string `yaml:"country"`
		Language    string `yaml:"language"`
		TMDBURL     string `yaml:"tmdb_url"`
		UpdatesURL  string `yaml:"updates_url"`
		PackagesURL string `yaml:"packages_url"`
		ListsURL    string `yaml:"lists_url"`
		StoreURL    string `yaml:"store_url"`
		ChihiroURL  string `yaml:"chihiro_url"`
		ImagesURL   string `yaml:"images_url"`
	} `yaml:"art"`
	Web struct {
		Listen         string   `yaml:"listen"`
		PasswordHash   string   `yaml:"password_hash"`
		TLSCert        string   `yaml:"tls_cert"`
		TLSKey         string   `yaml:"tls_key"`
		AllowedHosts   []string `yaml:"allowed_hosts"`
		TrustedProxies []string `yaml:"trusted_proxies"`
	} `yaml:"web"`
	Metrics struct {
		Enabled string `yaml:"enabled"`
	} `yaml:"metrics"`
	Log struct {
		Level  string `yaml:"level"`
		Format string `yaml:"format"`
	} `yaml:"log"`
	PSN struct {
		AuthURL    string `yaml:"auth_url"`
		AccountURL string `yaml:"account_url"`
		TitlesURL  string `yaml:"titles_url"`
	} `yaml:"psn"`
	Updates struct {
		Check string `yaml:"check"`
		URL   string `yaml:"url"`
	} `yaml:"updates"`
	ConsoleKey string `yaml:"console_key"`
}

type rawConsole struct {
	HostID         string     `yaml:"host_id"`
	Address        string     `yaml:"address"`
	Name           string     `yaml:"name"`
	Credential     string     `yaml:"credential"`
	Passcode       string     `yaml:"passcode"`
	SetupCode      string     `yaml:"setup_code"`
	Category       string     `yaml:"category"`
	Remote         rawRemote  `yaml:"remote"`
	Titles         []rawTitle `yaml:"titles"`
	SwitchUser     string     `yaml:"switch_user"`
	Protocol       string     `yaml:"protocol"`
	RemotePlayKeys string     `yaml:"remote_play_keys"`
}

type rawTitle struct {
	ID     string    `yaml:"id"`
	Name   string    `yaml:"name"`
	Pin    string    `yaml:"pin"`
	Remote rawRemote `yaml:"remote"`
}

type rawRemote struct {
	Keys   map[string]string `yaml:",inline"`
	Double map[string]string `yaml:"double"`
}

// ReleasesURL describes the newest release of this project, without
// pre-releases:
// https://docs.github.com/en/rest/releases/releases#get-the-latest-release
const ReleasesURL = "https://api.github.com/repos/ps4kit/ps4kit/releases/latest"

// defaults returns the configuration of an empty file.
func defaults() raw {
	var r raw
	r.Discovery.Enabled = "true"
	r.Discovery.Interval = "30s"
	r.Discovery.Broadcast = []string{"255.255.255.255:987"}
	r.Discovery.LocalPort = "1987" // docs/protocol.md §1
	r.Poll.Interval = "1s"
	r.Poll.Misses = "3"
	r.Session.Idle = "60s" // docs/protocol.md §7
	r.Session.KeysIdle = "45s"
	r.HomeKit.Port = "0"
	r.HomeKit.Slots = "40" // docs/homekit.md §4
	r.Companion.Enabled = "false"
	r.Art.Enabled = "true"
	r.Art.MaxMB = "256"
	r.Art.Country = "us"
	r.Art.TMDBURL = "https://tmdb.np.dl.playstation.net" // docs/protocol.md §8 has these addresses
	r.Art.UpdatesURL = "https://gs-sec.ww.np.dl.playstation.net"
	r.Art.PackagesURL = "http://gs2.ww.prod.dl.playstation.net" // known over HTTP only
	r.Art.ListsURL = "https://ps4-eb.ww.np.dl.playstation.net"
	r.Art.StoreURL = "https://commerce1.api.np.km.playstation.net"
	r.Art.ChihiroURL = "https://store.playstation.com"
	r.Art.ImagesURL = "https://image.api.playstation.com"
	r.Web.Listen = ":8990"
	r.Metrics.Enabled = "true"
	r.Log.Level = "info"
	r.Log.Format = "text"
	r.PSN.AuthURL = "https://auth.api.sonyentertainmentnetwork.com"
	r.PSN.AccountURL = "https://ca.account.sony.com"
	r.PSN.TitlesURL = "https://m.np.playstation.com"
	r.Updates.Check = "true"
	r.Updates.URL = ReleasesURL
	return r
}

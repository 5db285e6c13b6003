package config

// raw is the configuration as it is written. Its fields are the keys: reading, defaults, the environment and Settings are
// all derived from them. Only strings, integers, booleans, lists of strings, structs and lists of structs are known.
type raw struct {
	Consoles   []rawConsole `mapstructure:"consoles"`
	Discovery  rawDiscovery `mapstructure:"discovery"`
	Poll       rawPoll      `mapstructure:"poll"`
	Session    rawSession   `mapstructure:"session"`
	HomeKit    rawHomeKit   `mapstructure:"homekit"`
	Companion  rawCompanion `mapstructure:"companion"`
	Art        rawArt       `mapstructure:"art"`
	Web        rawWeb       `mapstructure:"web"`
	Metrics    rawMetrics   `mapstructure:"metrics"`
	Log        rawLog       `mapstructure:"log"`
	PSN        rawPSN       `mapstructure:"psn"`
	ConsoleKey string       `mapstructure:"console_key"`
}

type rawConsole struct {
	HostID     string     `mapstructure:"host_id"`
	Address    string     `mapstructure:"address"`
	Name       string     `mapstructure:"name"`
	Credential string     `mapstructure:"credential" secret:"true"`
	Passcode   string     `mapstructure:"passcode" secret:"true"`
	SetupCode  string     `mapstructure:"setup_code" secret:"true"`
	Category   string     `mapstructure:"category"`
	Remote     rawRemote  `mapstructure:"remote"`
	Titles     []rawTitle `mapstructure:"titles"`
	SwitchUser bool       `mapstructure:"switch_user"`
}

type rawTitle struct {
	ID     string    `mapstructure:"id"`
	Name   string    `mapstructure:"name"`
	Pin    bool      `mapstructure:"pin"`
	Remote rawRemote `mapstructure:"remote"`
}

type rawRemote struct {
	rawKeys `mapstructure:",squash"`
	Double  rawKeys `mapstructure:"double"`
}

// rawKeys has the keys of HomeKit's RemoteKey characteristic, in the order of their numbers. iOS sends 4 to 9, 11 and 15
// (docs/homekit.md §5); other controllers may send the rest.
type rawKeys struct {
	Rewind        string `mapstructure:"rewind"`
	FastForward   string `mapstructure:"fast_forward"`
	NextTrack     string `mapstructure:"next_track"`
	PreviousTrack string `mapstructure:"previous_track"`
	Up            string `mapstructure:"up"`
	Down          string `mapstructure:"down"`
	Left          string `mapstructure:"left"`
	Right         string `mapstructure:"right"`
	Select        string `mapstructure:"select"`
	Back          string `mapstructure:"back"`
	Exit          string `mapstructure:"exit"`
	PlayPause     string `mapstructure:"play_pause"`
	Information   string `mapstructure:"information"`
}

type rawDiscovery struct {
	Enabled    bool     `mapstructure:"enabled"`
	Interval   string   `mapstructure:"interval"`
	Interfaces []string `mapstructure:"interfaces"`
	Broadcast  []string `mapstructure:"broadcast"`
	LocalPort  int      `mapstructure:"local_port"`
}

type rawPoll struct {
	Interval string `mapstructure:"interval"`
	Misses   int    `mapstructure:"misses"`
}

type rawSession struct {
	Idle string `mapstructure:"idle"`
}

type rawHomeKit struct {
	Interfaces []string `mapstructure:"interfaces"`
	Bind       string   `mapstructure:"bind"`
	Port       int      `mapstructure:"port"`
	Slots      int      `mapstructure:"slots"`
}

type rawCompanion struct {
	Enabled   bool     `mapstructure:"enabled"`
	SetupCode string   `mapstructure:"setup_code" secret:"true"`
	Titles    []string `mapstructure:"titles"`
}

type rawArt struct {
	Enabled     bool   `mapstructure:"enabled"`
	Dir         string `mapstructure:"dir"`
	MaxMB       int    `mapstructure:"max_mb"`
	Country     string `mapstructure:"country"`
	Language    string `mapstructure:"language"`
	TMDBURL     string `mapstructure:"tmdb_url"`
	UpdatesURL  string `mapstructure:"updates_url"`
	PackagesURL string `mapstructure:"packages_url"`
	ListsURL    string `mapstructure:"lists_url"`
	StoreURL    string `mapstructure:"store_url"`
	ChihiroURL  string `mapstructure:"chihiro_url"`
}

type rawWeb struct {
	Listen       string   `mapstructure:"listen"`
	PasswordHash string   `mapstructure:"password_hash" secret:"true"`
	TLSCert      string   `mapstructure:"tls_cert"`
	TLSKey       string   `mapstructure:"tls_key"`
	AllowedHosts []string `mapstructure:"allowed_hosts"`
}

type rawMetrics struct {
	Enabled bool `mapstructure:"enabled"`
}

type rawLog struct {
	Level  string `mapstructure:"level"`
	Format string `mapstructure:"format"`
}

type rawPSN struct {
	AuthURL string `mapstructure:"auth_url"`
}

// defaults returns what holds when nothing is written. Lists that are empty by default stay nil.
func defaults() raw {
	return raw{
		Discovery: rawDiscovery{
			Enabled:   true,
			Interval:  "30s",
			Broadcast: []string{"255.255.255.255:987"},
			LocalPort: 1987, // docs/protocol.md §1
		},
		Poll:    rawPoll{Interval: "5s", Misses: 3}, // docs/homekit.md §5
		Session: rawSession{Idle: "60s"},            // docs/protocol.md §7
		HomeKit: rawHomeKit{Slots: 40},              // docs/homekit.md §4
		Art:     defaultArt(),
		Web:     rawWeb{Listen: ":8990"},
		Metrics: rawMetrics{Enabled: true},
		Log:     rawLog{Level: "info", Format: "text"},
		PSN:     rawPSN{AuthURL: "https://auth.api.sonyentertainmentnetwork.com"},
	}
}

// defaultArt has the addresses of docs/protocol.md §8. The title metadata answered over HTTPS; the packages are only known
// over HTTP.
func defaultArt() rawArt {
	return rawArt{
		Enabled:     true,
		MaxMB:       256,
		Country:     "us",
		Language:    "en",
		TMDBURL:     "https://tmdb.np.dl.playstation.net",
		UpdatesURL:  "https://gs-sec.ww.np.dl.playstation.net",
		PackagesURL: "http://gs2.ww.prod.dl.playstation.net",
		ListsURL:    "https://ps4-eb.ww.np.dl.playstation.net",
		StoreURL:    "https://commerce1.api.np.km.playstation.net",
		ChihiroURL:  "https://store.playstation.com",
	}
}

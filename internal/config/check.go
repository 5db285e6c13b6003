package config

// checker turns raw values into typed ones. What is wrong goes to problems, and the zero value takes its place.
type checker struct {
	*problems
	home string // the home directory, or empty
}

func (c *checker) config(r raw) *Config {
	return &Config{
		Consoles:   c.consoles(r.Consoles, r.HomeKit.Slots),
		Discovery:  c.discovery(r.Discovery),
		Poll:       c.poll(r.Poll),
		Session:    Session{Idle: c.duration("session.idle", r.Session.Idle, minIdle, maxIdle)},
		HomeKit:    c.homekit(r.HomeKit, len(r.Consoles)),
		Companion:  c.companion(r.Companion),
		Art:        c.art(r.Art),
		Web:        c.web(r.Web),
		Metrics:    Metrics{Enabled: r.Metrics.Enabled},
		Log:        c.log(r.Log),
		PSN:        PSN{AuthURL: c.baseURL("psn.auth_url", r.PSN.AuthURL)},
		ConsoleKey: c.publicKey("console_key", r.ConsoleKey),
	}
}

func (c *checker) discovery(r rawDiscovery) Discovery {
	return Discovery{
		Enabled:    r.Enabled,
		Interval:   c.duration("discovery.interval", r.Interval, minSearchInterval, maxSearchInterval),
		Interfaces: c.interfaces("discovery.interfaces", r.Interfaces),
		Broadcast:  c.broadcast("discovery.broadcast", r.Broadcast),
		LocalPort:  uint16(c.integer("discovery.local_port", r.LocalPort, 0, 65535)),
	}
}

func (c *checker) poll(r rawPoll) Poll {
	return Poll{
		Interval: c.duration("poll.interval", r.Interval, minSearchInterval, maxPollInterval),
		Misses:   c.integer("poll.misses", r.Misses, 1, 100),
	}
}

func (c *checker) homekit(r rawHomeKit, consoles int) HomeKit {
	port := c.integer("homekit.port", r.Port, 0, maxHomeKitPort)
	if last := port + consoles - 1; port > 0 && last > maxHomeKitPort {
		c.add("homekit.port", "is too high: %d consoles would take the ports up to %d, the last one allowed is %d",
			consoles, last, maxHomeKitPort)
	}
	return HomeKit{
		Interfaces: c.interfaces("homekit.interfaces", r.Interfaces),
		Bind:       c.bind("homekit.bind", r.Bind),
		Port:       uint16(port),
		Slots:      c.integer("homekit.slots", r.Slots, minSlots, maxSlots),
	}
}

func (c *checker) companion(r rawCompanion) Companion {
	return Companion{
		Enabled:   r.Enabled,
		SetupCode: c.setupCode("companion.setup_code", r.SetupCode),
		Titles:    each(c, "companion.titles", r.Titles, c.titleID),
	}
}

func (c *checker) art(r rawArt) Art {
	return Art{
		Enabled:     r.Enabled,
		Dir:         c.path("art.dir", r.Dir),
		MaxMB:       c.integer("art.max_mb", r.MaxMB, 1, 100_000),
		Country:     c.twoLetters("art.country", r.Country, "us"),
		Language:    c.twoLetters("art.language", r.Language, "en"),
		TMDBURL:     c.baseURL("art.tmdb_url", r.TMDBURL),
		UpdatesURL:  c.baseURL("art.updates_url", r.UpdatesURL),
		PackagesURL: c.baseURL("art.packages_url", r.PackagesURL),
		ListsURL:    c.baseURL("art.lists_url", r.ListsURL),
		StoreURL:    c.baseURL("art.store_url", r.StoreURL),
		ChihiroURL:  c.baseURL("art.chihiro_url", r.ChihiroURL),
	}
}

func (c *checker) web(r rawWeb) Web {
	w := Web{
		Listen:       c.listen("web.listen", r.Listen),
		PasswordHash: c.passwordHash("web.password_hash", r.PasswordHash),
		TLSCert:      c.path("web.tls_cert", r.TLSCert),
		TLSKey:       c.path("web.tls_key", r.TLSKey),
		AllowedHosts: each(c, "web.allowed_hosts", r.AllowedHosts, c.host),
	}
	c.keyPair("web.tls_cert", w.TLSCert, "web.tls_key", w.TLSKey)
	return w
}

func (c *checker) log(r rawLog) Log {
	level := r.Level
	if level == "warning" {
		level = "warn"
	}
	return Log{
		Level:  c.oneOf("log.level", level, "trace", "debug", "info", "warn", "error"),
		Format: c.oneOf("log.format", r.Format, "text", "json"),
	}
}

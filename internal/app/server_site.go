package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/web"
)

// Greeting is what the user sees once the server is ready.
type Greeting struct {
	Accessories []api.Accessory
	Page        Page
}

// Page describes how to open the web page.
type Page struct {
	URL        string       // for other machines, unless Local
	NameURL    string       // the same with this machine's .local name; empty if that isn't known to be announced
	Local      bool         // it listens on loopback only
	Password   api.Password // the generated one; empty once changed
	Configured bool         // the password is set by web.password_hash
}

// newGuard opens the state of the page. If the file is damaged it has been set
// aside, and there is a new password.
func newGuard(e env, failed func(netip.Addr)) (*web.Guard, error) {
	file := state.Document(e.files.store, "web", state.DocumentOptions[web.Saved]{Secret: true, Check: web.Saved.Check})
	hash := e.config.Web.PasswordHash.Reveal()
	guard, err := web.NewGuard(file, hash, failed)
	if errors.Is(err, state.ErrDamaged) {
		e.log.WithError(err).Error("the password and the tokens of the web page are lost; run ps4kit web password for the new password")
		guard, err = web.NewGuard(file, hash, failed)
	}
	return guard, err
}

// httpLogger returns a logger for net/http.
func httpLogger(l *logrus.Logger) *log.Logger { return log.New(httpLog{l}, "", 0) }

type httpLog struct{ *logrus.Logger }

// Write logs a line as an error, except for failed TLS handshakes, which anyone
// on the network can cause.
func (l httpLog) Write(line []byte) (int, error) {
	level := logrus.ErrorLevel
	if bytes.Contains(line, []byte("TLS handshake error")) {
		level = logrus.DebugLevel
	}
	l.Log(level, strings.TrimSpace(string(line)))
	return len(line), nil
}

// listenSite listens on web.listen and sets the greeting.
func (s *server) listenSite(ctx context.Context, services api.Services) (http.Handler, net.Listener, error) {
	guard, err := newGuard(s.env, func(from netip.Addr) {
		s.wrongPasswords.Add(1)
		s.log.WithField("address", from.Unmap().String()).Warn("failed web sign-in")
	})
	if err != nil {
		return nil, nil, err
	}
	s.setup.guard = guard
	certificate, err := s.certificate()
	if err != nil {
		return nil, nil, err
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.config.Web.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("web.listen: %w: choose another address, or stop what uses it", err)
	}
	s.log.WithField("address", ln.Addr().String()).Info("the web page is served")
	first, _ := guard.FirstPassword() // empty once changed
	s.greeting = pageAt(ln.Addr(), certificate != nil)
	s.greeting.Password, s.greeting.Configured = first, !s.config.Web.PasswordHash.Empty()
	var metrics http.Handler
	if s.config.Metrics.Enabled {
		metrics = web.Metrics(s.measure, s.log.Errorf)
	}
	return web.Site(web.SiteOptions{
		Services:       services,
		Guard:          guard,
		Unready:        s.unready,
		Metrics:        metrics,
		AllowedHosts:   s.config.Web.AllowedHosts,
		TrustedProxies: s.config.Web.TrustedProxies,
		Version:        s.Version,
		Simulated:      s.simulating(),

		PasswordCommand: passwordCommand(cmp.Or(s.Command, "ps4kit"), os.Getpid(), os.Getenv),
	}), web.Bound(ln, certificate), nil
}

// certificate returns the certificate of web.tls_cert, or nil if it is not set.
func (s *server) certificate() (*web.Certificate, error) {
	if s.config.Web.TLSCert == "" {
		return nil, nil
	}
	c, err := web.LoadCertificate(s.config.Web.TLSCert, s.config.Web.TLSKey, func(err error) {
		if err != nil {
			s.log.WithError(err).Error("can't load the changed web.tls_cert; the old certificate stays in use")
			return
		}
		s.log.Info("loaded the changed web.tls_cert")
	})
	if err != nil {
		return nil, &api.Error{Code: "config", Message: fmt.Sprintf("web.tls_cert and web.tls_key: %v", err),
			Hint: "Both must be readable PEM files, and belong together."}
	}
	return c, nil
}

// pageAt returns the addresses of a page that listens there.
func pageAt(at net.Addr, encrypted bool) Page {
	scheme := "http"
	if encrypted {
		scheme = "https"
	}
	listens, _ := netip.ParseAddrPort(at.String())
	url := func(host string) string {
		return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(listens.Port()))) + "/"
	}
	host := listens.Addr().Unmap()
	if !host.IsUnspecified() {
		return Page{URL: url(host.String()), Local: host.IsLoopback()}
	}
	elsewhere := netip.MustParseAddrPort("192.0.2.1:9") // for documentation: RFC 5737
	page := Page{URL: url(cmp.Or(addressToward(netip.Addr{}, elsewhere), "127.0.0.1"))}
	if name := announcedName(); name != "" {
		page.NameURL = url(name)
	}
	return page
}

// announcedName returns the .local name of this machine if the operating system
// announces it, as macOS does, and Linux with Avahi.
func announcedName() string {
	if _, err := os.Stat("/run/avahi-daemon/socket"); err != nil && runtime.GOOS != "darwin" {
		return ""
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	return name + ".local"
}

// passwordCommand returns the command that shows the first password on this kind
// of installation: a container, a system service, or a program started by hand.
func passwordCommand(command string, pid int, env func(string) string) string {
	command += " web password"
	switch {
	case pid == 1 || env("container") != "":
		return "docker exec CONTAINER " + command
	case env("STATE_DIRECTORY") == "/var/lib/ps4kit":
		return "sudo " + command
	}
	return command
}

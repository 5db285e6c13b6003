package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/semver"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
)

const (
	checkDelay = time.Minute // from the start of the server: other things are more urgent
	checkEvery = 24 * time.Hour
	checkLook  = time.Hour // between two looks at the clock and the configuration
	checkTime  = 30 * time.Second
	maxRelease = 1 << 20 // bytes of the answer
)

// updates asks updates.url for the newest release, at most once a day, also if
// the server restarts or the request fails.
type updates struct {
	env
	version string       // of this program
	client  *http.Client // nil: one for the network

	found atomic.Pointer[api.Release] // by the last check; may be older than this program
}

// checked is the content of updates.json.
type checked struct {
	At      time.Time   `json:"at"`
	Release api.Release `json:"release,omitzero"`
}

// newer returns the newest release if it is newer than this program, or nil.
func (u *updates) newer() *api.Release {
	found := u.found.Load()
	if found == nil || !u.latest.Load().Updates.Check || semver.Compare(found.Version, releaseOf(u.version)) <= 0 {
		return nil
	}
	return found
}

// releaseOf returns a version with the leading v that package semver expects, or
// "" if it is none. A build some commits after a release counts as the release:
// git describe calls it v1.2.0-5-gabc1234.
func releaseOf(version string) string {
	commits := regexp.MustCompile(`(-[0-9]+-g[0-9a-f]+)?(-dirty)?$`)
	version = "v" + strings.TrimPrefix(commits.ReplaceAllString(version, ""), "v")
	if !semver.IsValid(version) || !strings.Contains(version, ".") { // a commit may consist of digits
		return ""
	}
	return version
}

// run checks for updates until ctx is done. A build without a version has
// nothing to compare, and a server with simulated consoles stays off the network.
func (u *updates) run(ctx context.Context) {
	if releaseOf(u.version) == "" {
		return
	}
	file := state.Document(u.files.store, "updates", state.DocumentOptions[checked]{})
	last, err := file.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		u.log.WithError(err).Debug("the last check for updates is unknown")
	}
	for delay := checkDelay; ; delay = checkLook {
		found := last.Release
		u.found.Store(&found)
		u.events.Changed()
		if !pause(ctx, delay) {
			return
		}
		c := u.latest.Load().Updates
		if age := time.Since(last.At); !c.Check || age >= 0 && age < checkEvery || u.simulating() && !isLoopback(c.URL) {
			continue
		}
		last.At = time.Now()
		release, err := u.ask(ctx, c.URL)
		if err != nil {
			u.log.WithField("part", "updates").WithError(err).Debug("could not check for updates")
		} else {
			last.Release = release
		}
		if err := file.Save(last); err != nil {
			u.log.WithError(err).Debug("could not store the check for updates")
		}
	}
}

// ask returns the newest release. The request has no header but User-Agent, which
// doesn't tell the version.
func (u *updates) ask(ctx context.Context, address string) (api.Release, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return api.Release{}, err
	}
	request.Header.Set("User-Agent", "ps4kit")
	client := u.client
	if client == nil {
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true}
		client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return api.Release{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return api.Release{}, fmt.Errorf("the answer is %s", answer.Status)
	}
	var latest struct {
		Tag        string `json:"tag_name"`
		URL        string `json:"html_url"`
		Draft      bool   `json:"draft"`
		Prerelease bool   `json:"prerelease"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxRelease)).Decode(&latest); err != nil {
		return api.Release{}, err
	}
	version := "v" + strings.TrimPrefix(latest.Tag, "v")
	if latest.Draft || latest.Prerelease || !semver.IsValid(version) || semver.Prerelease(version) != "" {
		return api.Release{}, fmt.Errorf("%.40q is not a release", latest.Tag)
	}
	if page, err := url.Parse(latest.URL); err != nil || page.Scheme != "https" && page.Scheme != "http" {
		latest.URL = "" // such as javascript:
	}
	return api.Release{Version: version, URL: latest.URL}, nil
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && net.ParseIP(u.Hostname()).IsLoopback()
}

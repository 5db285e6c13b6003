package app_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// TestConfigurationIsFollowed: titles come and go while the server runs; another key waits, and the log says which.
func TestConfigurationIsFollowed(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	text := &log{}
	client, reload := serveReloading(t, shortDir(t), yaml, text)
	has := func(id string) func() bool {
		return func() bool {
			titles, err := api.Titles.Do(t.Context(), client, api.HostRequest{})
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(titles, func(title api.Title) bool { return title.ID == id && title.Configured })
		}
	}
	reload <- load(t, yaml+"    titles: [{id: CUSA01780, name: Music}]\n")
	waitUntil(t, "the new title is there", has("CUSA01780"))
	reload <- load(t, strings.Replace(yaml, "interval: 200ms", "interval: 7s", 1))
	waitUntil(t, "the title is not configured any more", func() bool { return !has("CUSA01780")() })
	waitUntil(t, "the log tells what waits", func() bool { return strings.Contains(text.String(), "poll.interval") })
	if strings.Contains(text.String(), credential) {
		t.Error("the log holds the credential")
	}
}

// TestNewTitlesAreForAConsoleThatComesLater: one that first answers after the reload.
func TestNewTitlesAreForAConsoleThatComesLater(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
	client, reload := serveReloading(t, shortDir(t), yaml, &log{})
	changed := load(t, yaml+"    titles: [{id: CUSA01780, name: Music}]\n")
	reload <- changed
	reload <- changed // is taken once the first one is applied
	console.SetFaults(ps4test.Faults{})
	titles, err := api.Titles.Do(t.Context(), client, api.HostRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(titles, func(title api.Title) bool { return title.ID == "CUSA01780" && title.Configured }) {
		t.Errorf("its titles: %+v", titles)
	}
}

// TestTitlesWithoutConsolesFile: an entry without a host id has its titles although consoles.json can't be read.
func TestTitlesWithoutConsolesFile(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	dir := shortDir(t)
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "consoles.json"), []byte(`{"version":99,"data":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	client, _ := serveReloading(t, dir, yaml+"    titles: [{id: CUSA01780, name: Music}]\n", &log{})
	titles, err := api.Titles.Do(t.Context(), client, api.HostRequest{})
	if err != nil || !slices.ContainsFunc(titles, func(title api.Title) bool { return title.ID == "CUSA01780" && title.Configured }) {
		t.Errorf("%+v, %v", titles, err)
	}
}

// TestTitlesThatNeedMoreSlotsWait for the next start: meanwhile a console that gets another unit, or comes later, is served.
func TestTitlesThatNeedMoreSlotsWait(t *testing.T) {
	t.Parallel()
	for name, later := range map[string]bool{"another unit": false, "comes later": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			console, yaml := den(t)
			if later {
				console.SetFaults(ps4test.Faults{LoseRequests: 1 << 30})
			}
			slots := func(n string) string { return strings.Replace(yaml, "homekit: {", "homekit: {slots: "+n+", ", 1) }
			dir := shortDir(t)
			client, reload := serveReloading(t, dir, slots("3"), &log{})
			changed := load(t, slots("10")+"    titles: [{id: CUSA01780}, {id: CUSA01781}, {id: CUSA01782}]\n")
			reload <- changed
			reload <- changed // is taken once the first one is applied
			console.SetFaults(ps4test.Faults{})
			if _, err := api.Titles.Do(t.Context(), client, api.HostRequest{}); err != nil {
				t.Error(err)
			}
			if got, text := told(t, &running{t: t, state: dir}, http.MethodPut, "/consoles/-/remote-play-keys", `{"on":true}`); got != done {
				t.Error(text)
			}
			if list, err := api.Homekit.Do(t.Context(), client, api.None{}); err != nil || len(list) != 1 {
				t.Errorf("served: %+v, %v", list, err)
			}
		})
	}
}

// serveReloading runs a server whose configuration changes; reload takes each new one.
func serveReloading(t *testing.T, dir, yaml string, text *log) (client *api.Client, reload chan<- *config.Config) {
	t.Helper()
	logger := logrus.New()
	logger.SetOutput(text)
	store := open(t, dir)
	savePassword(t, store)
	changes, ready := make(chan *config.Config), make(chan []api.Accessory, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- errors.Join(app.Run(ctx, app.Options{
			Config: load(t, yaml), State: store, Log: logger, Reload: changes, Ready: func(g app.Greeting) { ready <- g.Accessories },
		}), store.Close())
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-ready
	client, err := api.Connect(t.Context(), app.SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	return client, changes
}

// TestNewTitlesAreForTheConsoleOfTheEntry, also when another one has its address now.
func TestNewTitlesAreForTheConsoleOfTheEntry(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	yaml, dir := p.yaml(t), shortDir(t)
	var remembered []state.Console
	for i, cfg := range p.configs {
		remembered = append(remembered, state.Console{HostID: cfg.HostID, HostType: "PS4", Name: cfg.Name,
			ConfigAddress: p.running[i].Addr(), Address: p.running[1-i].Addr()})
	}
	p.swap(t)
	store := open(t, dir)
	if err := errors.Join(store.Consoles().Save(state.Consoles{Consoles: remembered}), store.Close()); err != nil {
		t.Fatal(err)
	}
	client, reload := serveReloading(t, dir, yaml, &log{})
	p.check(t, client)
	reload <- load(t, strings.Replace(yaml, "{name: Den,", "{name: Den, titles: [{id: CUSA01780, name: Music}],", 1))
	has := func(host string) bool {
		titles, err := api.Titles.Do(t.Context(), client, api.HostRequest{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(titles, func(title api.Title) bool { return title.ID == "CUSA01780" })
	}
	waitUntil(t, "one has the title", func() bool { return has("Den") || has("Attic") })
	if !has("Den") || has("Attic") {
		t.Error("the other console has it")
	}
}

package app_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/config"
)

// TestConfigurationIsFollowed: titles come and go while the server runs; another key waits, and the log says which.
func TestConfigurationIsFollowed(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	dir, text := shortDir(t), &log{}
	logger := logrus.New()
	logger.SetOutput(text)
	store := open(t, dir)
	reload, ready := make(chan *config.Config), make(chan []api.Accessory, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- errors.Join(app.Run(ctx, app.Options{
			Config: load(t, yaml), State: store, Log: logger, Reload: reload, Ready: func(g app.Greeting) { ready <- g.Accessories },
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
	has := func(id string) func() bool {
		return func() bool {
			titles, err := client.Titles(t.Context(), "")
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

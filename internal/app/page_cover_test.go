package app_test

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
)

func TestCoverOfTheRunningTitle(t *testing.T) {
	t.Parallel()
	var original bytes.Buffer
	if err := png.Encode(&original, image.NewGray(image.Rect(0, 0, 512, 512))); err != nil {
		t.Fatal(err)
	}
	s := newSony(t)
	s.cover = original.Bytes()
	console, yaml := den(t)
	r := serve(t, shortDir(t), s.configured(yaml, ""), 0)
	events := follow(t, r, "")
	console.SetRunning("CUSA00129")
	c := events.card("the running title has a cover", func(c api.Card) bool { return c.Cover != "" })
	if c.Cover != api.CoverPath("CUSA00129", int(artcache.Medium)) {
		t.Errorf("cover at %q", c.Cover)
	}
	if _, text := told(t, r, http.MethodGet, "/consoles/-/covers", ""); text != "[\"CUSA00129\"]\n" {
		t.Errorf("inputs with covers: %s", text)
	}
	path := c.Cover[len("/api/v1"):]
	first := ask(t, r, http.MethodGet, path, "")
	size, _, err := image.DecodeConfig(first.Body)
	if err != nil || size.Width != 256 || first.Header.Get("ETag") == "" {
		t.Errorf("%s %+v, %v", first.Status, size, err)
	}
	if again := ask(t, r, http.MethodGet, path, "", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("the same again: %s", again.Status)
	}
	whole, err := io.ReadAll(ask(t, r, http.MethodGet, "/titles/CUSA00129/cover", "").Body)
	if err != nil || !bytes.Equal(whole, s.cover) {
		t.Errorf("as it came: %d bytes, %v", len(whole), err)
	}
	for path, want := range map[string]string{
		"/titles/CUSA00129/cover?size=240": "bad_request",
		"/titles/nonsense/cover":           "not_found",
		"/titles/..%2F..%2Fx/cover":        "not_found",
	} {
		if got, _ := told(t, r, http.MethodGet, path, ""); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// TestSimulatedTitlesHaveCovers checks that covers are drawn for them without
// asking a source, and for no other title.
func TestSimulatedTitlesHaveCovers(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), strings.Replace(loopback, "art: {enabled: false}", "", 1), 1)
	answer := ask(t, r, http.MethodGet, "/titles/CUSA04529/cover?size=256", "")
	tile, err := io.ReadAll(answer.Body)
	if err != nil || answer.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(string(tile), ">U4<") {
		t.Errorf("%s: %s %v", answer.Status, tile, err)
	}
	if err := xml.Unmarshal(tile, new(struct{})); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{
		"/titles/CUSA04529/cover?size=240": "bad_request",
		"/titles/CUSA00207/cover?size=256": "not_found",
	} {
		if got, text := told(t, r, http.MethodGet, path, ""); got != want {
			t.Errorf("%s: %s", path, text)
		}
	}
	if _, text := told(t, r, http.MethodGet, "/consoles/-/covers", ""); strings.Count(text, "CUSA") != 4 {
		t.Errorf("inputs with covers: %s", text)
	}
	if err := api.Start.Do(t.Context(), r.api, api.StartRequest{Title: "CUSA00129"}); err != nil {
		t.Fatal(err)
	}
	if _, text := told(t, r, http.MethodGet, "/overview", ""); !strings.Contains(text, `"cover":"/api/v1/titles/CUSA00129/cover?size=256"`) {
		t.Error(text)
	}
}

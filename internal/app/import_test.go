package app_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func TestTitlesAreImported(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b *api.Client) {
		host := console.HostID()
		if err := api.AddTitle.Do(t.Context(), b, api.AddTitleRequest{Host: host, ID: "https://store.playstation.com/en-us/product/UT0007-CUSA00129_00-NETFLIXPOLLUX001", Name: "Films"}); err != nil {
			t.Fatal(err)
		}
		list := []api.ImportTitle{
			{ID: "EP4544-CUSA01703_00-WEBMAF000000PLEX", Name: "Plex™", LastPlayed: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)},
			{ID: "CUSA00129", Name: "Netflix"},
		}
		want := api.Imported{Added: []string{"CUSA01703"}, Known: []string{"CUSA00129"}, NoSlot: []string{}}
		for _, dryRun := range []bool{true, false} {
			if got, err := api.ImportTitles.Do(t.Context(), b, api.ImportTitlesRequest{Host: host, Titles: list, DryRun: dryRun}); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("dry run %v: %+v, %v; want %+v", dryRun, got, err, want)
			}
		}
		for id, want := range map[string]string{"CUSA01703": "Plex", "CUSA00129": "Films"} {
			if name := nameOf(t, b, id); name != want {
				t.Errorf("%s is %q, want %q", id, name, want)
			}
		}
		hostile := []api.ImportTitle{{ID: "CUSA00207", Name: "\u202eBlood\u202c\x1b\nborne" + strings.Repeat("x", 1<<10)}}
		if _, err := api.ImportTitles.Do(t.Context(), b, api.ImportTitlesRequest{Host: host, Titles: hostile}); err != nil {
			t.Fatal(err)
		}
		titles, err := api.Titles.Do(t.Context(), b, api.HostRequest{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		for _, title := range titles {
			if title.ID == "CUSA00207" && (title.Title != text.Name(hostile[0].Name) || len(title.Title) != 256) {
				t.Errorf("the console's name is %q", title.Title)
			}
		}
		for id, want := range map[string]string{
			"PPSA01284": "ps5_title", "Some Game": "bad_title_id", "https://store.playstation.com/en-us/concept/1": "concept_address",
		} {
			if _, err := api.ImportTitles.Do(t.Context(), b, api.ImportTitlesRequest{Host: host, Titles: []api.ImportTitle{{ID: id}}}); code(err) != want {
				t.Errorf("import of %s: %v", id, err)
			}
			if err := api.AddTitle.Do(t.Context(), b, api.AddTitleRequest{Host: host, ID: id}); code(err) != want {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}

// An input tells that the console has not installed its title, and everything that
// people copy starts one.
func TestStartOfWhatPeopleCopy(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, console *ps4test.Console, b *api.Client) {
		host := console.HostID()
		for title, want := range map[string]string{
			"CUSA00129_00": "", "UT0007-CUSA00129_00-NETFLIXPOLLUX001": "", "netflix": "",
			"Some Game": "not_found", "https://store.playstation.com/en-us/concept/1": "concept_address", "prime-video": "no_such_title",
		} {
			console.SetRunning("") // the console says what is missing only then
			if err := api.Start.Do(t.Context(), b, api.StartRequest{Host: host, Title: title}); code(err) != want {
				t.Errorf("start %s: %v, want %q", title, err, want)
			}
		}
		console.SetRunning("")
		if err := api.AddTitle.Do(t.Context(), b, api.AddTitleRequest{Host: host, ID: "plex"}); err != nil {
			t.Fatal(err)
		}
		if err := api.Start.Do(t.Context(), b, api.StartRequest{Host: host, Title: "CUSA01850"}); code(err) != "no_such_title" {
			t.Errorf("start of Plex: %v", err)
		}
		list, err := api.Titles.Do(t.Context(), b, api.HostRequest{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		for _, title := range list {
			if title.Missing != (title.ID == "CUSA01850") {
				t.Errorf("%s: missing %v", title.ID, title.Missing)
			}
		}
	})
}

// serveAccount serves a copy of PSN with an account of n titles, and counts requests.
func serveAccount(t *testing.T, npsso string, n int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/authorize"):
			answer := "error=login_required"
			if r.Header.Get("Cookie") == "npsso="+npsso {
				answer = "code=SECRETCODE"
			}
			w.Header().Set("Location", "com.scee.psxandroid.scecompcall://redirect/?"+answer)
			w.WriteHeader(http.StatusFound)
		case strings.HasSuffix(r.URL.Path, "/token"):
			_, _ = io.WriteString(w, `{"access_token":"SECRETTOKEN"}`)
		case strings.HasSuffix(r.URL.Path, "/accounts/me"):
			_, _ = io.WriteString(w, `{"accountId":"9019256736915509894"}`)
		default:
			var titles []string
			for i := range n {
				titles = append(titles, fmt.Sprintf(`{"titleId":"CUSA%05d_00","localizedName":"Game %d","imageUrl":"https://image.api.playstation.com/%d.png","lastPlayedDateTime":"2024-05-06T00:00:00Z"}`, i, i, i))
			}
			_, _ = fmt.Fprintf(w, `{"titles":[%s],"totalItemCount":%d}`, strings.Join(titles, ","), n)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTitlesOfAnAccountOnThePage(t *testing.T) {
	t.Parallel()
	npsso := strings.Repeat("SECRETab", 8)
	_, yaml := newcomer(t)
	url := serveAccount(t, npsso, 2)
	yaml = strings.Replace(yaml, "psn: {", fmt.Sprintf("psn: {account_url: %q, titles_url: %q, ", url, url), 1)
	r := serve(t, shortDir(t), yaml, 0)
	for body, want := range map[string]string{
		`{"npsso":"short"}`: "bad_npsso",
		`{"npsso":"` + strings.Repeat("SECRETxy", 8) + `"}`: "sign_in",
	} {
		if got, text := told(t, r, http.MethodPost, "/psn/titles", body); got != want || strings.Contains(text, "SECRET") {
			t.Errorf("%s: %s", body, text)
		}
	}
	want := `[{"id":"CUSA00000","name":"Game 0","image_url":"https://image.api.playstation.com/0.png","last_played":"2024-05-06T00:00:00Z"},` +
		`{"id":"CUSA00001","name":"Game 1","image_url":"https://image.api.playstation.com/1.png","last_played":"2024-05-06T00:00:00Z"}]`
	for _, credential := range []bool{false, true} {
		_, text := told(t, r, http.MethodPost, "/psn/titles", fmt.Sprintf(`{"npsso":"{\"npsso\":\"%s\"}","credential":%v}`, npsso, credential))
		if strings.TrimSpace(text) != want {
			t.Errorf("titles: %s", text)
		}
		code := "no_credential"
		if credential {
			code = done
		}
		if got, _ := told(t, r, http.MethodPost, "/consoles/Den/test", ""); credential && got == "no_credential" || !credential && got != code {
			t.Errorf("with credential %v a test says %s", credential, got)
		}
	}
	if _, text := told(t, r, http.MethodGet, "/library?country=jp", ""); !strings.Contains(text, `{"name":"Netflix","id":"CUSA02988"}`) || strings.Contains(text, "Plex") {
		t.Errorf("media apps: %s", text)
	}
	if _, text := told(t, r, http.MethodGet, "/library", ""); !strings.Contains(text, `{"name":"Netflix","id":"CUSA00129"}`) {
		t.Errorf("media apps of the configured country: %s", text)
	}
}

// The cover that an import names is shown.
func TestImportedCover(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	images := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/vulcan/left-out.png" {
			t.Error("asked for the cover of a title that was left out")
		}
		if r.URL.Path != "/vulcan/x.png" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(coverImage(t))
	}))
	t.Cleanup(images.Close)
	s := newSony(t)
	yaml = s.configured(yaml, fmt.Sprintf("images_url: %q", images.URL))
	r := serve(t, shortDir(t), yaml, 0)
	list := []api.ImportTitle{{ID: "CUSA03041", ImageURL: "https://image.api.playstation.com/vulcan/x.png"}}
	for i := range 50 {
		list = append(list, api.ImportTitle{ID: fmt.Sprintf("CUSA5%04d", i)})
	}
	list = append(list, api.ImportTitle{ID: "CUSA60000", ImageURL: "https://image.api.playstation.com/vulcan/left-out.png"})
	if _, err := api.ImportTitles.Do(t.Context(), r.api, api.ImportTitlesRequest{Titles: list}); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the cover is there", func() bool {
		_, text := told(t, r, http.MethodGet, "/consoles/Den/covers", "")
		return strings.Contains(text, "CUSA03041")
	})
}

func coverImage(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 512, 512))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Sony gets one request at a time, also from two tabs of a browser.
func TestOneSignInAtATime(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-answer
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(server.Close)
	_, yaml := newcomer(t)
	yaml = strings.Replace(yaml, "psn: {", fmt.Sprintf("psn: {account_url: %q, titles_url: %q, ", server.URL, server.URL), 1)
	r := serve(t, shortDir(t), yaml, 0)
	body := `{"npsso":"` + strings.Repeat("SECRETab", 8) + `"}`
	first := make(chan string)
	go func() {
		code, _ := told(t, r, http.MethodPost, "/psn/titles", body)
		first <- code
	}()
	<-asked
	if code, text := told(t, r, http.MethodPost, "/psn/titles", body); code != "busy" {
		t.Errorf("the second: %s", text)
	}
	close(answer)
	if code := <-first; code != "psn_busy" {
		t.Errorf("the first: %s", code)
	}
}

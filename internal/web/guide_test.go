package web_test

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/ps4kit/ps4kit/internal/web"
)

const (
	guideDir   = "docs/guide"
	repository = "https://github.com/ps4kit/ps4kit/blob/main/" // of what the guide links to besides itself
)

// TestGuideIsCurrent compares the HTML of the guide with its source. With
// PS4KIT_UPDATE_DOCS=1 it writes the HTML.
func TestGuideIsCurrent(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("../../" + guideDir + "/*.md")
	if err != nil || len(sources) < 10 {
		t.Fatal(sources, err)
	}
	var want []string
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file := "guide/" + strings.TrimSuffix(filepath.Base(name), ".md") + ".html"
		want = append(want, file)
		page := guidePage(t, source)
		if os.Getenv("PS4KIT_UPDATE_DOCS") != "" {
			err = os.WriteFile(file, page, 0o644) //nolint:gosec // part of the repository
		}
		if got, readErr := os.ReadFile(file); err != nil || readErr != nil || !bytes.Equal(got, page) {
			t.Errorf("%s isn't current (%v): run PS4KIT_UPDATE_DOCS=1 go test -run TestGuideIsCurrent ./internal/web", file, err)
		}
	}
	if all, err := filepath.Glob("guide/*"); err != nil || !slices.Equal(all, want) {
		t.Errorf("the files are %v, want %v", all, want)
	}
}

// guidePage renders a page of the guide.
func guidePage(t *testing.T, source []byte) []byte {
	t.Helper()
	source = regexp.MustCompile(`(?m)^<!--.*-->\n`).ReplaceAll(source, nil) // scripts of TestPages
	markdown := goldmark.New(
		// An alignment as a style would break the content security policy.
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()), // as on GitHub
	)
	document := markdown.Parser().Parse(text.NewReader(source))
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && entering {
			link.Destination = []byte(guideLink(string(link.Destination)))
		}
		return ast.WalkContinue, nil
	})
	var page bytes.Buffer
	if err := markdown.Renderer().Render(&page, source, document); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}

// guideLink returns the address of what a page of the guide links to: another
// page of the guide, a file of the repository, or the link as it is.
func guideLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.IsAbs() || u.Path == "" {
		return link
	}
	folder, name := path.Split(path.Join(guideDir, u.Path))
	switch {
	case folder != guideDir+"/" || path.Ext(name) != ".md":
		return repository + path.Join(guideDir, link)
	case name == "README.md":
		u.Path = "./"
	default:
		u.Path = strings.TrimSuffix(name, ".md")
	}
	return u.String()
}

// TestGuide reads every page of the guide that can be reached, without signing
// in, and follows its links and those of the page to it: to pages with their
// headings, and to files of the repository.
func TestGuide(t *testing.T) {
	t.Parallel()
	stranger := newSite(t, web.SiteOptions{}).browser()
	link := regexp.MustCompile(`<a [^>]*href="([^"]*)"`)
	pages := map[string]string{"./": ""}
	for queue := []string{"./"}; len(queue) > 0; queue = queue[1:] {
		got := stranger.get("/guide/"+strings.TrimPrefix(queue[0], "./")).must(t, http.StatusOK)
		head, body, _ := strings.Cut(got.body, "<main")
		pages[queue[0]] = body
		if !regexp.MustCompile(`<title>[A-Z][^<{]+ · ps4kit</title>`).MatchString(head) {
			t.Errorf("the title of %s is not in %s", queue[0], head)
		}
		if unsafe := regexp.MustCompile(`<script|<style|\sstyle=|<img|<!--`).FindString(body); unsafe != "" {
			t.Errorf("%s holds %q", queue[0], unsafe)
		}
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			name, _, _ := strings.Cut(m[1], "#")
			if _, known := pages[name]; !known && name != "" && !strings.Contains(name, "://") {
				pages[name] = ""
				queue = append(queue, name)
			}
		}
	}
	if all, err := filepath.Glob("guide/*"); err != nil || len(all) != len(pages) {
		t.Errorf("%d pages of %d can be reached, %v", len(pages), len(all), err)
	}
	for page, body := range pages {
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			checkGuideLink(t, pages, page, m[1])
		}
	}
	for file, content := range pageFiles(t) {
		for _, m := range regexp.MustCompile(`"/guide/([^"]*)"`).FindAllStringSubmatch(content, -1) {
			checkGuideLink(t, pages, file, cmp.Or(m[1], "./"))
		}
	}
	for _, none := range []string{"none", "README.md", "..%2fpage%2findex"} {
		stranger.get("/guide/"+none).must(t, http.StatusNotFound)
	}
}

func checkGuideLink(t *testing.T, pages map[string]string, page, link string) {
	t.Helper()
	name, anchor, _ := strings.Cut(link, "#")
	if file, ok := strings.CutPrefix(name, repository); ok {
		if _, err := os.Stat("../../" + file); err != nil {
			t.Errorf("%s links to %s: %v", page, link, err)
		}
		return
	}
	if strings.Contains(name, "://") {
		return
	}
	if name == "" {
		name = page
	}
	if body, ok := pages[name]; !ok || anchor != "" && !strings.Contains(body, ` id="`+anchor+`"`) {
		t.Errorf("%s links to %s, which does not exist", page, link)
	}
}

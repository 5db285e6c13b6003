package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse returns the only document of a text, or nil when there is none or it is not YAML.
func (r *reader) parse(data []byte) *yaml.Node {
	if line := unprintable(data); line > 0 {
		r.problems.addAt(place{r.source, line}, "", "is not text in UTF-8: save it as UTF-8, without control characters")
		return nil
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&document)
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			r.problems.addAt(place{r.source, second.Line}, "", "a second document starts here: put everything into one, without ---")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		line, message := syntaxError(err, data)
		r.problems.addAt(place{r.source, line}, "", "is not YAML: %s", message)
		return nil
	}
	if len(document.Content) == 0 {
		return nil
	}
	return document.Content[0]
}

// unprintable returns the first line that YAML cannot hold, or 0: the yaml package does not tell which one it is.
func unprintable(data []byte) int {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) || bytes.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
			return line
		}
	}
	return 0
}

// syntaxError takes the line out of a message of the yaml package, and adds what most often causes it. The package counts
// lines from 1 when its scanner fails and from 0 when its parser does, and leaves 0 out.
func syntaxError(err error, data []byte) (line int, message string) {
	var ( // here, as a start rarely comes this way
		syntaxLine    = regexp.MustCompile(`^yaml: line ([0-9]+): (?s:(.*))$`)
		parserMessage = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`)
		unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	)
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	if parserMessage.MatchString(message) {
		line++
	}
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		line = bytes.Count(before, []byte("\n")) + 1
	}
	if strings.Contains(message, "cannot start any token") || strings.Contains(message, "tab character") {
		message += " (indent with spaces, not with tabs, and put text with special characters in quotes)"
	}
	return line, message
}

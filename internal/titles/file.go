// Package titles reads lists of titles from files, and knows the media apps.
package titles

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
)

const (
	maxFile   = 4 << 20 // bytes
	maxTitles = 5000
	maxBad    = 1000 // bad lines, after which reading stops

	maxImageURL = 1024 // bytes
)

// ErrFile means that a file is not a list of titles.
var ErrFile error = &api.Error{
	Code: "bad_import", Message: "the file is not a list of titles",
	Hint: "Use lines of a title id, a comma and a name, or the .ps4-games.json of Home Assistant.",
}

// A BadLine is a line that was skipped.
type BadLine struct {
	Line int    `json:"line"` // from 1
	Err  string `json:"error"`
}

// Read reads a list of titles in one of these forms:
//
//	CUSA00129,Netflix                              CSV; also with ; or tabs, and with a header
//	{"CUSA00129": "Netflix"}                       pyps4-2ndscreen, early Home Assistant
//	{"CUSA00129": {"media_title": "Netflix"}}      Home Assistant's .ps4-games.json
//	[{"id": "CUSA00129", "name": "Netflix"}]       `ps4kit titles list -o json`
//	["CUSA00129"]
//
// A title id may have any form that [ps4.FindTitleID] accepts. Read skips PS5
// titles and what it doesn't understand, and reports the line. A file is in UTF-8,
// UTF-16 with a byte order mark, or Windows-1252. Read fails with [ErrFile] if
// there is no title at all, or the error of the reader.
func Read(r io.Reader) ([]api.ImportTitle, []BadLine, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("reading the file: %w", err)
	case len(data) > maxFile:
		return nil, nil, fmt.Errorf("%w: it is larger than %d bytes", ErrFile, maxFile)
	}
	fallback := transform.Transformer(transform.Nop)
	if !utf8.Valid(data) { // and without a byte order mark: Excel saves CSV in Windows-1252
		fallback = charmap.Windows1252.NewDecoder()
	}
	if data, _, err = transform.Bytes(utf.BOMOverride(fallback), data); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	l := &list{seen: map[string]bool{}}
	if trimmed := bytes.TrimSpace(data); bytes.HasPrefix(trimmed, []byte("{")) || bytes.HasPrefix(trimmed, []byte("[")) {
		l.readJSON(data)
	} else {
		l.readCSV(string(data))
	}
	switch {
	case len(l.titles) > 0:
		return l.titles, l.bad, nil
	case len(l.bad) > 0:
		return nil, l.bad, fmt.Errorf("%w: line %d: %s", ErrFile, l.bad[0].Line, l.bad[0].Err)
	}
	return nil, nil, ErrFile
}

// list is a list of titles that grows.
type list struct {
	titles []api.ImportTitle
	bad    []BadLine
	seen   map[string]bool
	full   bool // reading stops
}

// add adds a title, unless it has the id of an earlier one.
func (l *list) add(line int, id string, t api.ImportTitle) {
	var err error
	t.ID, err = ps4.FindTitleID(id)
	switch {
	case err != nil:
		l.skip(line, err)
	case l.seen[t.ID]:
	case len(l.titles) == maxTitles:
		l.skip(line, fmt.Errorf("only the first %d titles are read", maxTitles))
		l.full = true
	default:
		l.seen[t.ID] = true
		t.Name = text.Name(t.Name)
		if len(t.ImageURL) > maxImageURL {
			t.ImageURL = ""
		}
		l.titles = append(l.titles, t)
	}
}

func (l *list) skip(line int, err error) {
	l.bad = append(l.bad, BadLine{line, err.Error()})
	l.full = l.full || len(l.bad) == maxBad
}

// readCSV reads each line by itself, so that an unmatched quotation mark spoils
// only one.
func (l *list) readCSV(file string) {
	file = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(file)
	var comma rune // 0 until a line has one
	idAt, nameAt, first := 0, 1, true
	for i, line := range strings.Split(file, "\n") {
		if l.full {
			return
		}
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "sep=") { // Excel's
			continue
		}
		comma = cmp.Or(comma, separator(line))
		reader := csv.NewReader(strings.NewReader(line))
		reader.Comma, reader.TrimLeadingSpace = cmp.Or(comma, ','), true
		fields, err := reader.Read()
		if err != nil {
			l.skip(i+1, errors.New("the quotation marks don't match"))
			continue
		}
		if first {
			first = false
			if id, name, ok := header(fields); ok {
				idAt, nameAt = id, name
				continue
			}
		}
		l.add(i+1, at(fields, idAt), api.ImportTitle{Name: at(fields, nameAt)})
	}
}

// separator returns the first comma, semicolon or tab of a line that is outside
// quotation marks, or 0 if there is none.
func separator(line string) rune {
	quoted := false
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(",;\t", r):
			return r
		}
	}
	return 0
}

// at returns a field, or "" if there are too few.
func at(fields []string, i int) string {
	if i < 0 || i >= len(fields) {
		return ""
	}
	return fields[i]
}

// header returns the columns of the id and the name, -1 if there is no name,
// and false if fields are no header.
func header(fields []string) (id, name int, ok bool) {
	id, name = -1, -1
	for i, field := range fields {
		switch strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(field)) {
		case "id", "titleid", "productcode":
			id = i
		case "name", "title":
			name = i
		}
	}
	return id, name, id >= 0
}

// readJSON reads an object or an array, up to the first error of syntax.
func (l *list) readJSON(data []byte) {
	d := json.NewDecoder(bytes.NewReader(data))
	line, counted := 1, 0
	next := func() int { // the line of the next token
		for offset := int(d.InputOffset()); counted < len(data) && (counted < offset || strings.IndexByte(", \t\r\n", data[counted]) >= 0); counted++ {
			if data[counted] == '\n' {
				line++
			}
		}
		return line
	}
	open, _ := d.Token() // Read has seen it
	for d.More() {
		at, key := next(), ""
		if open == json.Delim('{') {
			token, err := d.Token()
			if err != nil {
				break
			}
			key, _ = token.(string)
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		if id, title, err := parseEntry(key, value); err != nil {
			l.skip(at, err)
		} else {
			l.add(at, id, title)
		}
		if l.full {
			return
		}
	}
	if _, err := d.Token(); err != nil {
		l.skip(next(), errors.New("this is not valid JSON, and nothing after it was read"))
	}
}

// parseEntry parses an object or a string: the name of the title whose id is the
// key, or an id in an array.
func parseEntry(key string, value json.RawMessage) (id string, t api.ImportTitle, err error) {
	var idOrName string
	if json.Unmarshal(value, &idOrName) == nil {
		if key == "" {
			return idOrName, t, nil
		}
		return key, api.ImportTitle{Name: idOrName}, nil
	}
	var e struct {
		ID         string    `json:"id"`
		TitleID    string    `json:"title_id"`
		Name       string    `json:"name"`
		Title      string    `json:"title"`
		MediaTitle string    `json:"media_title"`
		ImageURL   string    `json:"media_image_url"`
		LastPlayed time.Time `json:"last_played"`
	}
	if json.Unmarshal(value, &e) != nil {
		return "", t, errors.New("this is neither a name nor a title")
	}
	t = api.ImportTitle{Name: cmp.Or(e.Name, e.MediaTitle, e.Title), ImageURL: e.ImageURL, LastPlayed: e.LastPlayed}
	return cmp.Or(key, e.ID, e.TitleID), t, nil
}

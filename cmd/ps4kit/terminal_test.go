package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/ps4kit/ps4kit/internal/config"
)

// TestInvisibleCharacters writes every format character as a result, as JSON and
// to each kind of log.
func TestInvisibleCharacters(t *testing.T) {
	t.Parallel()
	var name strings.Builder
	name.WriteString("Küche 日本 ")
	for r := range rune(unicode.MaxRune) {
		if unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			name.WriteRune(r)
		}
	}
	var out bytes.Buffer
	p := &program{stdout: textWriter{&out}, stderr: textWriter{&out}}
	if err := p.report(nil, "%s", name.String()); err != nil {
		t.Fatal(err)
	}
	if err := p.print(result{value: nil, text: table([][]string{{name.String(), "x"}})}); err != nil {
		t.Fatal(err)
	}
	p.notice(name.String())
	for _, format := range []string{"text", "json"} {
		c := config.Default()
		c.Log.Format = format
		p.logger(c).WithField("console", name.String()).Info(name.String())
	}
	encoded := out.Len()
	p.output = "json"
	if err := p.report(name.String(), ""); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }); i >= 0 {
		t.Errorf("unescaped at %d: %q", i, text[i:i+4])
	}
	if !strings.Contains(text, `Küche 日本 \u00ad`) || !strings.Contains(text, `\u202e`) {
		t.Error("other characters were changed, or nothing was written")
	}
	var decoded string
	if err := json.Unmarshal(out.Bytes()[encoded:], &decoded); err != nil || decoded != name.String() {
		t.Errorf("the JSON decodes to %q, %v", decoded, err)
	}
}

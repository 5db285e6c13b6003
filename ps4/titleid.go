package ps4

import (
	"fmt"
	"regexp"
	"strings"
)

// Errors of [FindTitleID]. Each is an [Error].
var (
	// ErrConceptAddress means that a store address names a concept, which has
	// no title id.
	ErrConceptAddress error = &sentinel{
		"concept_address", "the address of a concept contains no title id",
		"open the PS4 edition on that page and copy its address, or look up the id at https://serialstation.com/titles",
	}
	// ErrPS5Title means that the id is that of a PS5 title.
	ErrPS5Title error = &sentinel{
		"ps5_title", "this is a PS5 title, which a PS4 cannot start",
		"use the id of the PS4 edition, which begins with CUSA",
	}
	// ErrNoTitleID means that a text contains no title id.
	ErrNoTitleID error = &sentinel{
		"bad_title_id", "this contains no title id, which has four letters and five digits",
		"give an id like CUSA00129, a content id or a PS Store address; play the title once, or look up its id at https://serialstation.com/titles",
	}
)

const maxTitleText = 2048 // bytes

// titleIDs matches the title ids in an address, a content id, or the text on
// the spine of a game's case, where it is spelled CUSA-00129.
var titleIDs = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])([a-z]{4})[-/ ]?([0-9]{5})(?:_[0-9]{2})?(?:[^a-z0-9_]|$)`)

// concept matches the path of a concept's page in the PS Store.
var concept = regexp.MustCompile(`(?i)/concept/[0-9]+`)

// FindTitleID returns the title id in what people copy, in upper case:
//
//	CUSA01703, cusa01703_00, CUSA-01703           a title id
//	EP4544-CUSA01703_00-WEBMAF000000PLEX          a content id
//	https://store.playstation.com/…/product/EP…   an address that contains one
//
// It fails with [ErrConceptAddress], [ErrPS5Title] or [ErrNoTitleID]. The
// errors quote only the beginning of the text.
func FindTitleID(text string) (string, error) {
	if len(text) > maxTitleText {
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrNoTitleID, maxTitleText)
	}
	text = strings.TrimSpace(text)
	m := titleIDs.FindStringSubmatch(text)
	isText := !strings.ContainsAny(text, "/-") && len(text) > len("CUSA 00129_00")
	switch {
	case concept.MatchString(text) && m == nil:
		return "", fmt.Errorf("%w: %.60q", ErrConceptAddress, text)
	case m == nil || isText:
		return "", fmt.Errorf("%w: %.60q", ErrNoTitleID, text)
	}
	id := strings.ToUpper(m[1] + m[2])
	if strings.HasPrefix(id, "PPSA") {
		return "", fmt.Errorf("%w: %s", ErrPS5Title, id)
	}
	return id, nil
}

package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// unknownKey says what may have been meant by a key that a section does not have.
func unknownKey(section reflect.Type, prefix, name string) string {
	names := fieldNames(section)
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("unknown key, did you mean %s?", join(prefix, near))
	}
	if elsewhere := pathsEndingIn(name); len(elsewhere) > 0 {
		return fmt.Sprintf("unknown key here, did you mean %s?", strings.Join(elsewhere, " or "))
	}
	return fmt.Sprintf("unknown key, known here: %s", strings.Join(names, ", "))
}

func fieldNames(section reflect.Type) []string {
	var names []string
	for _, f := range fields(section) {
		names = append(names, f.name)
	}
	return names
}

// pathsEndingIn finds the sections that do have a key.
func pathsEndingIn(name string) []string {
	var paths []string
	for _, l := range leaves("", reflect.ValueOf(raw{})) {
		if strings.HasSuffix(l.path, "."+name) {
			paths = append(paths, l.path)
		}
	}
	return paths
}

// nearest returns the name that is most like a word, or "" when none is within a third of its letters.
func nearest(word string, names []string) string {
	if len(word) > 40 {
		return "" // not a slip of the finger
	}
	word = strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	best, bestDistance := "", max(len(word)/3, 1)+1
	for _, name := range names {
		if d := distance(word, name); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is the number of letters to insert, remove or replace to turn a into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			replace := previous[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(previous[j+1]+1, row[j]+1, replace)
		}
	}
	return row[len(b)]
}

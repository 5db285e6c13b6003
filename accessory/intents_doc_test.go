package accessory_test

import (
	"bytes"
	"os"
	"testing"
)

// TestIntentsArePublished: docs/intents.md is the table that drives the machine's test.
func TestIntentsArePublished(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("testdata/intents.md")
	must(t, err)
	published, err := os.ReadFile("../docs/intents.md")
	must(t, err)
	if !bytes.Equal(table, published) {
		t.Error("docs/intents.md differs: cp accessory/testdata/intents.md docs/intents.md")
	}
}

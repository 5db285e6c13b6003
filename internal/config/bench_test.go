package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
)

// BenchmarkLoad loads a console with a full list of titles.
func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("consoles:\n  - host_id: A0B1C2D3E4F5\n    titles:\n")
	for k := range 38 {
		fmt.Fprintf(&text, "      - {id: CUSA%05d, name: Title %d}\n", k, k)
	}
	file := filepath.Join(b.TempDir(), "config.yaml")
	write(b, file, text.String())
	benchmarkLoad(b, file)
}

func BenchmarkLoadDefaults(b *testing.B) { benchmarkLoad(b, os.DevNull) }

func benchmarkLoad(b *testing.B, file string) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Load(file); err != nil {
			b.Fatal(err)
		}
	}
}

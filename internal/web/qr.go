package web

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// vector is a result that is an SVG image.
type vector []byte

// quiet is the white edge that a QR code needs, in modules.
const quiet = 4

// qrCode draws a text. Level M is what docs/homekit.md §3 asks for.
func qrCode(text string) (vector, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("drawing the QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	side := code.Size + 2*quiet
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges">`+
		`<title>QR code</title><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%[2]s"/></svg>`, side, path.String()), nil
}

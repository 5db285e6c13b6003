package app

import (
	"fmt"
	"io"

	"github.com/mdp/qrterminal/v3"

	"github.com/ps4kit/ps4kit/internal/api"
)

// PrintCode shows on a terminal how to pair an accessory that is not paired yet:
// its QR code and its setup code. It holds a secret: never send it to a log.
func PrintCode(w io.Writer, a api.Accessory) {
	_, _ = fmt.Fprintf(w, "\n%s\n\n", a.Name)
	qrterminal.GenerateWithConfig(a.SetupURI, qrterminal.Config{
		Level:          qrterminal.M, // docs/homekit.md §3
		Writer:         w,
		HalfBlocks:     true,
		BlackChar:      qrterminal.BLACK_BLACK,
		WhiteChar:      qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE,
		WhiteBlackChar: qrterminal.WHITE_BLACK,
		QuietZone:      2,
	})
	_, _ = fmt.Fprintf(w, "\n  Setup code  %s\n", a.SetupCode)
}

package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // for image.Decode
	_ "image/png"
	"io"
	"os"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/sixel"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
	"golang.org/x/term"
)

// Bounds of a picture in a terminal.
const (
	maxPreviewColumns = 40  // of half blocks
	maxPreviewPixels  = 256 // of sixels, a side
)

// A shape is how a terminal can show a picture.
type shape struct {
	sixel   bool
	columns int // of half blocks
	colours colorprofile.Profile
}

// shapeOf returns how a stream can show a picture; nil: it cannot. Half blocks need a
// terminal with 256 colours at least.
func shapeOf(stream io.Writer, env []string) *shape {
	f, ok := stream.(*os.File)
	if !ok || !isTerminal(f) {
		return nil
	}
	colours := colorprofile.Detect(f, env)
	if colours < colorprofile.ANSI256 {
		return nil
	}
	s := &shape{columns: maxPreviewColumns, colours: colours}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 { // a serial line has 0
		s.columns = min(s.columns, width)
	}
	s.sixel = askSixel()
	return s
}

// show writes a picture: PNG, JPEG or WebP within the bounds that artcache checks.
func (s *shape) show(w io.Writer, data []byte) error {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("the cover: %w", err)
	}
	var out bytes.Buffer
	if s.sixel {
		err = writeSixel(&out, img)
	} else {
		err = writeHalfBlocks(&colorprofile.Writer{Forward: &out, Profile: s.colours}, img, s.columns)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}

func writeSixel(w io.Writer, img image.Image) error {
	width, height := fit(img, maxPreviewPixels)
	var payload bytes.Buffer
	if err := new(sixel.Encoder).Encode(&payload, scaled(img, width, height)); err != nil {
		return err
	}
	_, err := io.WriteString(w, ansi.SixelGraphics(0, 1, 0, payload.Bytes())+"\n")
	return err
}

// writeHalfBlocks writes two pixels in each character: the upper one is its colour, the
// lower one its background.
func writeHalfBlocks(w io.Writer, img image.Image, columns int) error {
	width, height := fit(img, max(columns, 1))
	height += height % 2
	small := scaled(img, width, height)
	var line bytes.Buffer
	for y := 0; y < height; y += 2 {
		line.Reset()
		for x := range width {
			up, down := small.RGBAAt(x, y), small.RGBAAt(x, y+1)
			fmt.Fprintf(&line, "\x1b[38;2;%d;%d;%d;48;2;%d;%d;%dm▀", up.R, up.G, up.B, down.R, down.G, down.B)
		}
		line.WriteString("\x1b[m\n")
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// fit returns the measures of a picture that fits into a square.
func fit(img image.Image, side int) (width, height int) {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	longer := max(w, h, 1)
	if longer < side {
		side = longer
	}
	return max(1, w*side/longer), max(1, h*side/longer)
}

// scaled returns a picture in those measures, on black where it is transparent.
func scaled(img image.Image, width, height int) *image.RGBA {
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(to, to.Bounds(), image.NewUniform(color.Black), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(to, to.Bounds(), img, img.Bounds(), draw.Over, nil)
	return to
}

package remoteplay_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

func TestKeyboard(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		p.control = func(c *call) {
			c.say(c.opened() + c.frame(0x05, "\x00"))
			for {
				switch kind, payload := c.next(); kind {
				case 0:
					return
				case 0x20:
					c.say(c.frame(0x21, strings.Repeat("\x00", 28)+"\x00\x00\x00\x03old"))
				case 0x23:
					c.say(c.frame(0x24, payload))
				case 0x25:
					c.say(c.frame(0x22, ""))
				}
			}
		}
		c := p.console(nil)
		err := c.Do(ctx, func(ctx context.Context, s *remoteplay.Session) error {
			k, err := s.Keyboard(ctx)
			if err != nil {
				return err
			}
			if _, open := c.State(); !open || k.Text() != "old" {
				t.Errorf("open: %v, text %q", open, k.Text())
			}
			if err := k.SetText(ctx, strings.Repeat("x", 4097)); !errors.Is(err, ps4.ErrTextTooLong) {
				t.Error(err)
			}
			if err := k.SetText(ctx, "Grüße"); err != nil || k.Text() != "Grüße" {
				t.Errorf("text %q, %v", k.Text(), err)
			}
			if err := k.Submit(ctx); err != nil {
				t.Error(err)
			}
			if err := k.Close(ctx); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			return k.Submit(ctx)
		})
		fails(t, err, ps4.ErrKeyboardClosed, "keyboard_closed")
		p.happened("0s SRC3", "0s GET "+p.paths[1], "0s FIN", "200ms GET "+p.paths[2],
			`200ms frame 0xd "\x00\x00\x00\x01\x00\x00\x05\xae\x00\x00\x00\x00\x00\x00\x00\x00"`, `200ms frame 0x20 "\x01"`,
			`200ms frame 0x23 "\x00\x00\x00\x01\x00\x00\x00\a`+strings.Repeat(`\x00`, 24)+`\x00\x00\x00\aGrüße"`,
			`200ms frame 0x25 "\x00\x00\x00\x00"`, "200ms FIN")
	})
}

func TestKeyboardClosed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, p *peer) {
		err := p.console(nil).Do(ctx, func(ctx context.Context, s *remoteplay.Session) error {
			_, err := s.Keyboard(ctx)
			return err
		})
		fails(t, err, ps4.ErrKeyboardClosed, "keyboard_closed")
	})
}

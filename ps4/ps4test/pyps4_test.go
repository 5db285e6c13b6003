package ps4test_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// pyps4 stands in for pyps4-2ndscreen 1.3. It writes the packets of
// connection.py byte for byte and shares no code with our codec.
type pyps4 struct {
	t       *testing.T
	conn    net.Conn
	encrypt cipher.BlockMode
}

// le returns numbers as 32-bit little-endian words.
func le(words ...uint32) (b []byte) {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// padded returns text in a field of n bytes.
func padded(text string, n int) []byte { return append([]byte(text), make([]byte, n-len(text))...) }

// loginPyps4 connects and logs in, with the constant AES key of
// pyps4-2ndscreen.
func loginPyps4(t *testing.T, c *ps4test.Console) *pyps4 {
	t.Helper()
	p := newPeer(t, c)
	p.launch()
	p.must(p.dial())
	p.write(append(le(0x1c, 0x6f636370, 0x20000), make([]byte, 16)...))
	hello := make([]byte, 36)
	_, err := io.ReadFull(p.conn, hello)
	p.must(err)
	key, iv := padded("\x10", 16), hello[20:]
	sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, c.PublicKey(), key, nil)
	p.must(err)
	p.write(slices.Concat(le(0x118, 0x20), sealed, iv))
	block, err := aes.NewCipher(key)
	p.must(err)
	y := &pyps4{t: t, conn: p.conn, encrypt: cipher.NewCBCEncrypter(block, iv)}
	go func() { _, _ = io.Copy(io.Discard, y.conn) }()
	y.write(slices.Concat(le(0x180, 0x1e, 0, 0x201), []byte(account), padded("PlayStation", 256),
		padded("4.4", 16), padded("pyps4-2ndScreen", 16), padded("", 16)))
	p.wait(func(now ps4test.Snapshot) bool { return now.LoggedIn })
	return y
}

// write encrypts packets and sends them in one write.
func (y *pyps4) write(packets ...[]byte) {
	y.t.Helper()
	b := slices.Concat(packets...)
	y.encrypt.CryptBlocks(b, b)
	if _, err := y.conn.Write(b); err != nil {
		y.t.Fatal(err)
	}
}

func rc(op, hold uint32) []byte { return le(0x10, 0x1c, op, hold) }

// Ps4Legacy connects for each key, and sends it with OPEN_RC and KEY_OFF right
// after the login.
func TestPyps4LegacyKeys(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		send [][]byte
		off  bool // KEY_OFF follows a second later
		want string
	}{
		"up":      {[][]byte{rc(1024, 0), rc(1, 0), rc(256, 0)}, false, "up"},
		"enter":   {[][]byte{rc(1024, 0), rc(16, 0), rc(256, 0)}, false, "enter"},
		"ps":      {[][]byte{rc(1024, 0), rc(128, 0), rc(128, 0)}, true, "ps"},
		"ps_hold": {[][]byte{rc(1024, 0), rc(128, 0), rc(128, 2000)}, true, "ps:2000"},
	} {
		for strict, want := range map[bool][]string{false: {tt.want}, true: nil} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c := memory(t, ps4test.Config{Linked: true, StrictKeys: strict})
					y := loginPyps4(t, c)
					y.write(tt.send...)
					if tt.off {
						time.Sleep(time.Second)
						y.write(rc(256, 0))
					}
					synctest.Wait()
					if got := c.Presses(); !slices.Equal(got, want) {
						t.Errorf("strict %v: presses %q of %q, want %q", strict, got, c.Keys(), want)
					}
				})
			})
		}
	}
}

// Ps4Async opens remote control once, a second after the login, and sends only
// KEY_OFF with each later key.
func TestPyps4AsyncKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		timing := ps4test.RealTiming()
		timing.Heartbeat = 0 // nothing here answers them
		c := memory(t, ps4test.Config{Linked: true, Timing: timing})
		y := loginPyps4(t, c)
		time.Sleep(time.Second)
		y.write(rc(1024, 0), rc(128, 0), rc(128, 0))
		time.Sleep(time.Second)
		y.write(rc(256, 0))
		y.write(rc(8, 0), rc(256, 0))
		y.write(rc(8, 0), rc(256, 0))
		time.Sleep(time.Hour)
		y.write(rc(32, 0), rc(256, 0))
		synctest.Wait()
		want := []string{"ps", "left", "left", "back"}
		if got := c.Presses(); !slices.Equal(got, want) {
			t.Errorf("presses %q of %q, want %q", got, c.Keys(), want)
		}
	})
}

package rp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
)

// Block is a key, a nonce or a row of a table.
type Block [aes.BlockSize]byte

// UnmarshalText parses 32 hex digits.
func (b *Block) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(b)) {
		return protocolError("%d hex digits instead of 32", len(text))
	}
	if _, err := hex.Decode(b[:], text); err != nil {
		return protocolError("not hex") // the cause would quote a secret
	}
	return nil
}

// constants are the tables and keys that all consoles share. Tables have one
// row for each of the 32 values that a byte selects.
type constants struct {
	Tables map[string]struct {
		Rows [32]Block `json:"rows"`
	} `json:"tables"`
	HMACKeys struct {
		PS5       Block `json:"ps5"`
		PS4       Block `json:"ps4_10"`
		PS4Legacy Block `json:"ps4_legacy"`
	} `json:"hmac_keys"`
	Legacy struct {
		RegistKey Block `json:"regist_key"`
		A         Block `json:"a"`
		B         Block `json:"b"`
	} `json:"legacy"`
	ClientType struct {
		Modern string `json:"modern"`
		Legacy string `json:"legacy"`
	} `json:"client_type"`
}

//go:embed tables.json
var tablesJSON []byte

var tables = sync.OnceValue(func() *constants {
	c := &constants{}
	if err := json.Unmarshal(tablesJSON, c); err != nil {
		panic("rp: tables.json is damaged: " + err.Error())
	}
	return c
})

// row returns row i of a table that the PS5 and the PS4 have each.
func (f Family) row(table string, i byte) Block {
	if f == PS5 {
		return tables().Tables[table+"_ps5"].Rows[i]
	}
	return tables().Tables[table+"_ps4"].Rows[i]
}

// Cipher seals and opens with AES-128-CFB, and an IV for each value of a
// counter (docs/protocol.md §10).
type Cipher struct {
	block   cipher.Block
	hmacKey Block
	nonce   Block
}

func newCipher(f Family, key, nonce Block) *Cipher {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	c := &Cipher{block: block, hmacKey: tables().HMACKeys.PS4Legacy, nonce: nonce}
	switch f {
	case PS5:
		c.hmacKey = tables().HMACKeys.PS5
	case PS4:
		c.hmacKey = tables().HMACKeys.PS4
	}
	return c
}

// SessionCipher returns the cipher of a session, from the nonce of the
// console's reply to init and the RP-Key of the registration
// (docs/protocol.md §12).
func SessionCipher(f Family, nonce, rpKey Block) *Cipher {
	key, iv := sessionKeys(f, nonce, rpKey)
	return newCipher(f, key, iv)
}

// sessionKeys returns the key of a session and the nonce of its IVs.
func sessionKeys(f Family, nonce, rpKey Block) (key, iv Block) {
	keyRow, ivRow := f.row("session_key", nonce[7]>>3), f.row("session_nonce", nonce[0]>>3)
	legacy := tables().Legacy
	for i := range nonce {
		n, k, at := nonce[i], rpKey[i], byte(i)
		switch f {
		case PS5:
			key[i] = (k + 0x18 + at) ^ n ^ keyRow[i]
			iv[i] = (n - 0x2d - at) ^ ivRow[i]
		case PS4:
			key[i] = ((keyRow[i] ^ k) + 0x21 + at) ^ n
			iv[i] = (n + 0x36 + at) ^ ivRow[i]
		default:
			key[i] = (k - at + 0x34) ^ legacy.B[i] ^ n
			iv[i] = (n - at - 0x27) ^ legacy.A[i]
		}
	}
	return key, iv
}

// iv returns the IV for a value of the counter.
func (c *Cipher) iv(counter uint64) []byte {
	h := hmac.New(sha256.New, c.hmacKey[:])
	h.Write(c.nonce[:])
	h.Write(binary.BigEndian.AppendUint64(nil, counter))
	return h.Sum(nil)[:aes.BlockSize]
}

// Seal returns plain encrypted, which is as long.
func (c *Cipher) Seal(counter uint64, plain []byte) []byte {
	sealed := make([]byte, len(plain))
	//lint:ignore SA1019 the protocol uses CFB
	cipher.NewCFBEncrypter(c.block, c.iv(counter)).XORKeyStream(sealed, plain)
	return sealed
}

// Open returns sealed decrypted. It cannot fail: with another key or counter
// the result is garbage.
func (c *Cipher) Open(counter uint64, sealed []byte) []byte {
	plain := make([]byte, len(sealed))
	//lint:ignore SA1019 the protocol uses CFB
	cipher.NewCFBDecrypter(c.block, c.iv(counter)).XORKeyStream(plain, sealed)
	return plain
}

// Counters seals what one side of a session sends and opens what it receives.
// The zero counters are those at the start of the control request.
type Counters struct {
	cipher         *Cipher
	sent, received uint64
}

// NewCounters returns the state at the start of a session.
func NewCounters(c *Cipher) *Counters { return &Counters{cipher: c} }

// Seal encrypts the next thing to send. Nothing does not count.
func (c *Counters) Seal(plain []byte) []byte {
	if len(plain) == 0 {
		return nil
	}
	defer func() { c.sent++ }()
	return c.cipher.Seal(c.sent, plain)
}

// Open decrypts the next thing received. Nothing does not count.
func (c *Counters) Open(sealed []byte) []byte {
	if len(sealed) == 0 {
		return nil
	}
	defer func() { c.received++ }()
	return c.cipher.Open(c.received, sealed)
}

// String keeps the keys out of logs.
func (c *Counters) String() string { return fmt.Sprintf("sent %d, received %d", c.sent, c.received) }

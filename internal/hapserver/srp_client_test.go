package hapserver

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"math/big"
	"slices"
)

// srpClient is a controller's side of SRP, written from RFC 5054 for tests: it
// shares nothing with srp.go but the prime.
type srpClient struct {
	A, M1, K []byte
	m2       []byte
}

// newSRPClient answers a server's salt and B with a random private value.
func newSRPClient(code string, salt, b []byte) *srpClient {
	a := make([]byte, 32)
	rand.Read(a)
	return newSRPClientWith(code, salt, b, a)
}

func newSRPClientWith(code string, salt, b, private []byte) *srpClient {
	var (
		n, _ = new(big.Int).SetString(srpPrimeHex, 16)
		g    = big.NewInt(5)
		a    = new(big.Int).SetBytes(private)
		num  = func(parts ...[]byte) *big.Int { return new(big.Int).SetBytes(sha512Of(parts...)) }
		pub  = pad384(new(big.Int).Exp(g, a, n).Bytes())
		x    = num(salt, sha512Of([]byte("Pair-Setup:"+code)))
		u    = num(pub, b)
		k    = num(n.Bytes(), pad384([]byte{5}))
	)
	// S = (B - k g^x) ^ (a + u x)
	base := new(big.Int).Sub(new(big.Int).SetBytes(b), new(big.Int).Mul(k, new(big.Int).Exp(g, x, n)))
	exp := new(big.Int).Add(a, new(big.Int).Mul(u, x))
	c := &srpClient{A: pub, K: sha512Of(pad384(new(big.Int).Exp(base.Mod(base, n), exp, n).Bytes()))}
	c.M1 = clientProof(n, salt, c.A, b, c.K)
	c.m2 = sha512Of(c.A, c.M1, c.K)
	return c
}

// clientProof returns M1.
func clientProof(n *big.Int, salt, a, b, key []byte) []byte {
	group, hg := sha512Of(n.Bytes()), sha512Of([]byte{5})
	for i := range group {
		group[i] ^= hg[i]
	}
	return sha512Of(group, sha512Of([]byte("Pair-Setup")), salt, a, b, key)
}

// check reports whether the server's proof is right.
func (c *srpClient) check(m2 []byte) bool { return bytes.Equal(c.m2, m2) }

func sha512Of(parts ...[]byte) []byte {
	sum := sha512.Sum512(slices.Concat(parts...))
	return sum[:]
}

func pad384(b []byte) []byte { return append(make([]byte, 384-len(b)), b...) }

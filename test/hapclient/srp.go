package hapclient

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"fmt"
	"math/big"
	"slices"
)

// prime is the 3072-bit group of RFC 5054; its generator is 5.
const prime = "" +
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
	"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
	"83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
	"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
	"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

// proof is a controller's side of SRP-6a (RFC 5054, with SHA-512).
type proof struct {
	public, m1, key []byte
	m2              []byte // what the accessory has to answer
}

// groupBytes is the length of a public value.
const groupBytes = 384

// prove answers an accessory's salt and public value with the setup code.
func prove(code string, salt, accessory []byte) (proof, error) {
	if len(salt) != 16 || len(accessory) != groupBytes {
		return proof{}, fmt.Errorf("a salt of %d bytes and a public value of %d", len(salt), len(accessory))
	}
	private := make([]byte, 32)
	_, _ = rand.Read(private)
	n, _ := new(big.Int).SetString(prime, 16)
	a, b, g := new(big.Int).SetBytes(private), new(big.Int).SetBytes(accessory), big.NewInt(5)
	public := padded(new(big.Int).Exp(g, a, n))
	x := number(salt, sum([]byte("Pair-Setup:"+code)))
	u := number(public, accessory)
	k := number(n.Bytes(), padded(g))
	// S = (B - k g^x) ^ (a + u x)
	base := new(big.Int).Sub(b, new(big.Int).Mul(k, new(big.Int).Exp(g, x, n)))
	exponent := new(big.Int).Add(a, new(big.Int).Mul(u, x))
	p := proof{public: public, key: sum(padded(new(big.Int).Exp(base.Mod(base, n), exponent, n)))}

	group, generator := sum(n.Bytes()), sum(g.Bytes())
	for i := range group {
		group[i] ^= generator[i]
	}
	p.m1 = sum(group, sum([]byte("Pair-Setup")), salt, public, accessory, p.key)
	p.m2 = sum(public, p.m1, p.key)
	return p, nil
}

// accepts reports whether the accessory knows the code too.
func (p proof) accepts(m2 []byte) bool { return bytes.Equal(p.m2, m2) }

func sum(parts ...[]byte) []byte {
	s := sha512.Sum512(slices.Concat(parts...))
	return s[:]
}

func number(parts ...[]byte) *big.Int { return new(big.Int).SetBytes(sum(parts...)) }

func padded(n *big.Int) []byte { return n.FillBytes(make([]byte, groupBytes)) }

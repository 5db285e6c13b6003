package hapserver

import (
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"math/big"
)

// SRP-6a as HAP uses it: the 3072-bit group of RFC 5054 with g = 5, SHA-512, user name "Pair-Setup".
//
//	x  = H(salt | H("Pair-Setup:" | code))    v  = g^x
//	k  = H(N | PAD(g))                        B  = kv + g^b
//	u  = H(PAD(A) | PAD(B))                   S  = (A v^u)^b
//	K  = H(PAD(S))
//	M1 = H(H(N) xor H(g) | H("Pair-Setup") | salt | PAD(A) | PAD(B) | K)
//	M2 = H(PAD(A) | M1 | K)
//
// PAD is a left padding with zeros to 384 bytes. Leaving it out refuses about 6 of 1,000 right codes
// (docs/homekit.md §6). g is hashed as one byte in M1, as all controllers do.
//
// math/big is not constant-time. What an attacker could measure is one random b for each exchange, and exchanges are
// limited to 100 failures in the life of a setup code (docs/homekit.md §6).
const (
	srpUser     = "Pair-Setup"
	srpSaltLen  = 16
	srpKeyLen   = 384 // bytes of N, and so of A, B and S
	srpGen      = 5
	srpPrivate  = 32 // bytes of b; RFC 5054 §2.5.3 asks for at least 256 bits
	srpPrimeHex = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
		"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
		"83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
		"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
		"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
		"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
		"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
)

var (
	errSRPBadKey = errors.New("srp: the controller's public key is not valid")
	errSRPProof  = errors.New("srp: the controller's proof does not match: wrong setup code")
)

// srpServer is the accessory's side of one pair-setup exchange.
type srpServer struct {
	n, v, b *big.Int
	saltB   []byte
	pub     []byte // B, padded
}

// newSRPServer begins an exchange for a setup code (518-08-582 or 51808582), with a random salt and a random private value.
func newSRPServer(code string) (*srpServer, error) {
	secret := make([]byte, srpSaltLen+srpPrivate)
	rand.Read(secret) // never fails, crypto/rand says
	return newSRPServerWith(code, secret[:srpSaltLen], secret[srpSaltLen:])
}

// newSRPServerWith begins an exchange with a given salt and private value b.
func newSRPServerWith(code string, salt, b []byte) (*srpServer, error) {
	code, err := FormatSetupCode(code)
	if err != nil {
		return nil, err
	}
	n, g := srpGroup()
	s := &srpServer{n: n, b: new(big.Int).SetBytes(b), saltB: salt}
	s.v = new(big.Int).Exp(g, srpX(code, salt), n)
	pub := new(big.Int).Exp(g, s.b, n)
	pub.Add(pub, new(big.Int).Mul(srpMultiplier(n, g), s.v)).Mod(pub, n)
	s.pub = srpPad(pub)
	return s, nil
}

// salt is what M2 carries: 16 bytes.
func (s *srpServer) salt() []byte { return s.saltB }

// publicKey is B: 384 bytes, zero-padded.
func (s *srpServer) publicKey() []byte { return s.pub }

// verify checks the controller's public key A and proof M1, and returns the session key (64 bytes) and our proof M2.
// A may have lost its leading zeros on the way; a longer one, 0, and N or more are errSRPBadKey. A wrong proof is errSRPProof.
func (s *srpServer) verify(a, m1 []byte) (key, m2 []byte, err error) {
	pub := new(big.Int).SetBytes(a)
	if len(a) > srpKeyLen || pub.Sign() == 0 || pub.Cmp(s.n) >= 0 {
		return nil, nil, errSRPBadKey
	}
	a = srpPad(pub)
	key = srpHash(srpPad(s.secret(pub)))
	want := srpProof(s.n, s.saltB, a, s.pub, key)
	if subtle.ConstantTimeCompare(want, m1) != 1 {
		return nil, nil, errSRPProof
	}
	return key, srpHash(a, m1, key), nil
}

// secret is S = (A v^u)^b.
func (s *srpServer) secret(a *big.Int) *big.Int {
	u := new(big.Int).SetBytes(srpHash(srpPad(a), s.pub))
	base := new(big.Int).Exp(s.v, u, s.n)
	base.Mul(base, a).Mod(base, s.n)
	return base.Exp(base, s.b, s.n)
}

func srpGroup() (n, g *big.Int) {
	n, _ = new(big.Int).SetString(srpPrimeHex, 16)
	return n, big.NewInt(srpGen)
}

// srpMultiplier is k.
func srpMultiplier(n, g *big.Int) *big.Int {
	return new(big.Int).SetBytes(srpHash(srpPad(n), srpPad(g)))
}

// srpX is x; the code is hashed with its dashes.
func srpX(code string, salt []byte) *big.Int {
	return new(big.Int).SetBytes(srpHash(salt, srpHash([]byte(srpUser+":"+code))))
}

// srpProof is M1; a and b are padded.
func srpProof(n *big.Int, salt, a, b, key []byte) []byte {
	group := srpHash(srpPad(n))
	subtle.XORBytes(group, group, srpHash([]byte{srpGen}))
	return srpHash(group, srpHash([]byte(srpUser)), salt, a, b, key)
}

func srpPad(v *big.Int) []byte { return v.FillBytes(make([]byte, srpKeyLen)) }

func srpHash(parts ...[]byte) []byte {
	h := sha512.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

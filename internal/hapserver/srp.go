package hapserver

import (
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"math/big"
	"sync"
)

// SRP-6a with the 3072-bit group of RFC 5054, g = 5, SHA-512 and the user name
// "Pair-Setup":
//
//	x  = H(salt | H("Pair-Setup:" | code))    v  = g^x
//	k  = H(N | PAD(g))                        B  = kv + g^b
//	u  = H(PAD(A) | PAD(B))                   S  = (A v^u)^b
//	K  = H(PAD(S))
//	M1 = H(H(N) xor H(g) | H("Pair-Setup") | salt | PAD(A) | PAD(B) | K)
//	M2 = H(PAD(A) | M1 | K)
//
// PAD pads with zeros on the left to 384 bytes. Without it, about 6 of 1,000
// right codes are refused (docs/homekit.md §6). In M1, g is hashed as one byte,
// as controllers do.
//
// math/big is not constant-time. An attacker could measure one random b for
// each exchange, and has 100 exchanges in the life of a setup code.
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
	errSRPBadKey = errors.New("srp: invalid public key of the controller")
	errSRPProof  = errors.New("srp: wrong setup code")
)

// srpServer is the accessory's side of one pair-setup exchange.
type srpServer struct {
	code    string // setup code
	salt    []byte
	public  []byte // B, padded
	n, v, b *big.Int
}

// newSRPServer starts an exchange for a setup code with a random salt and b.
func newSRPServer(code string) *srpServer {
	secret := make([]byte, srpSaltLen+srpPrivate)
	rand.Read(secret) // never fails
	return newSRPServerWith(code, secret[:srpSaltLen], secret[srpSaltLen:])
}

func newSRPServerWith(code string, salt, b []byte) *srpServer {
	n, _ := new(big.Int).SetString(srpPrimeHex, 16)
	g := big.NewInt(srpGen)
	x := new(big.Int).SetBytes(srpHash(salt, srpHash([]byte(srpUser+":"+code))))
	k := new(big.Int).SetBytes(srpHash(srpPad(n), srpPad(g)))
	s := &srpServer{code: code, salt: salt, n: n, v: new(big.Int).Exp(g, x, n), b: new(big.Int).SetBytes(b)}
	public := new(big.Int).Exp(g, s.b, n)
	public.Add(public, k.Mul(k, s.v)).Mod(public, n)
	s.public = srpPad(public)
	return s
}

// verify checks the controller's public key A and proof M1, and returns the
// session key K and our proof M2. A may have lost leading zeros in transit. It
// returns errSRPBadKey if A is 0, or N or more, and errSRPProof for a wrong
// proof.
func (s *srpServer) verify(a, m1 []byte) (key, m2 []byte, err error) {
	public := new(big.Int).SetBytes(a)
	if len(a) > srpKeyLen || public.Sign() == 0 || public.Cmp(s.n) >= 0 {
		return nil, nil, errSRPBadKey
	}
	a = srpPad(public)
	u := new(big.Int).SetBytes(srpHash(a, s.public))
	secret := new(big.Int).Exp(s.v, u, s.n)
	secret.Mul(secret, public).Mod(secret, s.n)
	secret.Exp(secret, s.b, s.n)
	key = srpHash(srpPad(secret))
	group := srpHash(srpPad(s.n))
	subtle.XORBytes(group, group, srpHash([]byte{srpGen}))
	want := srpHash(group, srpHash([]byte(srpUser)), s.salt, a, s.public, key)
	if subtle.ConstantTimeCompare(want, m1) != 1 {
		return nil, nil, errSRPProof
	}
	return key, srpHash(a, m1, key), nil
}

func srpPad(v *big.Int) []byte { return v.FillBytes(make([]byte, srpKeyLen)) }

func srpHash(parts ...[]byte) []byte {
	h := sha512.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// srpOffer is the exchange that M2 offers. Making one costs two exponentiations
// of 3072 bits, so it is offered with the same salt and B until an M3 has used
// it. A stranger who repeats M1 costs next to nothing, and one who sends M3
// gets at most 100 guesses. B alone reveals nothing about the code.
type srpOffer struct {
	mu  sync.Mutex
	srp *srpServer // nil: the next M1 makes one
}

// get returns the exchange on offer for a setup code.
func (o *srpOffer) get(code string) *srpServer {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.srp == nil || o.srp.code != code {
		o.srp = newSRPServer(code)
	}
	return o.srp
}

// use withdraws an exchange before its proof is checked, so that each B is good
// for one guess. It returns false if the exchange is not on offer any more.
func (o *srpOffer) use(srp *srpServer) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.srp != srp {
		return false
	}
	o.srp = nil
	return true
}

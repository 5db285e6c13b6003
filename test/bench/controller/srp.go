package controller

import (
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"math/big"
	"slices"
)

// groupHex is the 3072-bit group of RFC 5054, whose generator is 5.
const groupHex = "" +
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
	"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
	"83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
	"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
	"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

const groupBytes = 384

// srp is a controller's side of SRP-6a (RFC 5054, with SHA-512 and every number at
// full length).
type srp struct {
	public, proof []byte // A, M1: to be sent
	answer        []byte // M2: what the server must send
	key           []byte // K
}

// newSRP answers a server's salt and public key.
func newSRP(code string, salt, theirs []byte) (*srp, error) {
	if len(salt) != 16 || len(theirs) != groupBytes {
		return nil, errors.New("controller: the salt or the public key has the wrong length")
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	n, _ := new(big.Int).SetString(groupHex, 16)
	g, a := big.NewInt(5), new(big.Int).SetBytes(secret)
	s := &srp{public: full(new(big.Int).Exp(g, a, n))}

	const user = "Pair-Setup"
	k := number(digest(full(n), full(g)))
	u := number(digest(s.public, theirs))
	x := number(digest(salt, digest([]byte(user+":"+code))))
	base := new(big.Int).Exp(g, x, n) // g^x, then B - k g^x
	base.Mod(base.Sub(number(theirs), base.Mul(k, base)), n)
	s.key = digest(full(base.Exp(base, a.Add(a, u.Mul(u, x)), n)))

	group, generator := digest(full(n)), digest([]byte{5})
	for i := range group {
		group[i] ^= generator[i]
	}
	s.proof = digest(group, digest([]byte(user)), salt, s.public, theirs, s.key)
	s.answer = digest(s.public, s.proof, s.key)
	return s, nil
}

func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

func full(x *big.Int) []byte { return x.FillBytes(make([]byte, groupBytes)) }

func digest(parts ...[]byte) []byte {
	sum := sha512.Sum512(slices.Concat(parts...))
	return sum[:]
}

package takion

import (
	"crypto/rand"
	"math/big"
)

// The standard library lacks the curve secp256k1 (SEC 2, section 2.4.1):
// y² = x³ + 7 over the field of curveP. Its arithmetic here takes time that
// depends on the key, which is fine for a key that serves one handshake.
var (
	curveP = fromHex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
	curveN = fromHex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	curveG = &point{
		fromHex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
		fromHex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
	}
)

func fromHex(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok {
		panic("takion: not hex")
	}
	return n
}

const coordinateLen = 32

// privateKey returns a random private key: a number from 1 to curveN - 1.
func privateKey() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Sub(curveN, big.NewInt(1))) // never fails
	return n.Add(n, big.NewInt(1))
}

// publicKey returns the public key of a private key, uncompressed.
func publicKey(private *big.Int) []byte {
	p := curveG.times(private)
	b := make([]byte, 1+2*coordinateLen)
	b[0] = 4
	p.x.FillBytes(b[1 : 1+coordinateLen])
	p.y.FillBytes(b[1+coordinateLen:])
	return b
}

// sharedSecret returns the secret of a private key and a public one.
func sharedSecret(private *big.Int, public []byte) ([]byte, error) {
	if len(public) != 1+2*coordinateLen || public[0] != 4 {
		return nil, protocolError("public key of %d bytes", len(public))
	}
	p := &point{new(big.Int).SetBytes(public[1 : 1+coordinateLen]), new(big.Int).SetBytes(public[1+coordinateLen:])}
	if !p.onCurve() {
		return nil, protocolError("the public key is not on the curve")
	}
	return p.times(private).x.FillBytes(make([]byte, coordinateLen)), nil
}

// A point of the curve; nil is the one at infinity.
type point struct{ x, y *big.Int }

func (p *point) onCurve() bool {
	if p.x.Cmp(curveP) >= 0 || p.y.Cmp(curveP) >= 0 {
		return false
	}
	cube := new(big.Int).Exp(p.x, big.NewInt(3), curveP)
	left := new(big.Int).Exp(p.y, big.NewInt(2), curveP)
	return left.Cmp(cube.Mod(cube.Add(cube, big.NewInt(7)), curveP)) == 0
}

// times doubles and adds. The order of the curve is prime, so a private key
// never leads to infinity.
func (p *point) times(n *big.Int) *point {
	var product *point
	for bit := n.BitLen() - 1; bit >= 0; bit-- {
		product = product.plus(product)
		if n.Bit(bit) == 1 {
			product = product.plus(p)
		}
	}
	return product
}

func (p *point) plus(q *point) *point {
	if p == nil {
		return q
	}
	if q == nil {
		return p
	}
	above, below := new(big.Int), new(big.Int) // of the slope
	switch {
	case p.x.Cmp(q.x) != 0:
		above.Sub(q.y, p.y)
		below.Sub(q.x, p.x)
	case p.y.Cmp(q.y) != 0 || p.y.Sign() == 0:
		return nil
	default:
		above.Mul(big.NewInt(3), above.Mul(p.x, p.x))
		below.Lsh(p.y, 1)
	}
	slope := above.Mul(above, below.ModInverse(below.Mod(below, curveP), curveP))
	slope.Mod(slope, curveP)
	x := new(big.Int).Mul(slope, slope)
	x.Mod(x.Sub(x.Sub(x, p.x), q.x), curveP)
	y := new(big.Int).Sub(p.x, x)
	y.Mod(y.Sub(y.Mul(y, slope), p.y), curveP)
	return &point{x, y}
}

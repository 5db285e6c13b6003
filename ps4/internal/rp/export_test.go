package rp

// RegisterKey returns the key of a registration.
func RegisterKey(f Family, context *[ContextSize]byte, pin uint32) Block {
	return registerKey(f, context[keySelector], pin)
}

// SessionKeys returns the key of a session and the nonce of its IVs.
func SessionKeys(f Family, nonce, rpKey Block) (key, iv Block) { return sessionKeys(f, nonce, rpKey) }

// IV returns the IV for a value of the counter.
func IV(c *Cipher, counter uint64) []byte { return c.iv(counter) }

// CountersAt returns counters that start at n.
func CountersAt(c *Cipher, n int) *Counters {
	return &Counters{cipher: c, sent: uint64(n), received: uint64(n)} //nolint:gosec // small
}

// Spent returns both counters.
func Spent(c *Counters) (sent, received uint64) { return c.sent, c.received }

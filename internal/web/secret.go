package web

import (
	"fmt"
	"io"
)

// Format keeps a user out of logs and errors under every verb.
func (User) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

package ps4

import "github.com/ps4kit/ps4kit/ps4/internal/ddp"

// DefaultPort is the UDP port on which a PS4 is asked (docs/protocol.md §1).
const DefaultPort = ddp.Port

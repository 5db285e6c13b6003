//go:build !linux

package mdns

// watch isn't implemented: the links are polled.
func (n *sockets) watch() (changed <-chan struct{}, end func()) { return nil, func() {} }

//go:build !linux

package hapserver

// watch has nobody to tell it.
func (n *mdnsSockets) watch() (changed <-chan struct{}, end func()) { return nil, func() {} }

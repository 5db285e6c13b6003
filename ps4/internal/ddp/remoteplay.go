package ddp

// RemotePlayWakeup returns the datagram that turns on a console with the
// registration of Remote Play. The credential is a secret; the version is that
// of the console's port (docs/protocol.md §10).
func RemotePlayWakeup(credential, version string) []byte {
	clientType, auth, model, app := "vr", "R", "w", "r"
	return marshal(Wakeup+" * HTTP/1.1", []header{
		{"client-type", &clientType},
		{"auth-type", &auth},
		{"model", &model},
		{"app-type", &app},
		{"user-credential", &credential},
		{"device-discovery-protocol-version", &version},
	})
}

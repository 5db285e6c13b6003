package web

// NewClient is a client whose requests go anywhere.
var NewClient = newClient

// NotConnected is the error of Connect for a failed dial.
var NotConnected = notConnected
